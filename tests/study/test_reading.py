"""A study is read whole, or refused with a sentence that names key, value and way out."""

import pytest

from bnnkit import study

WRONG = {
    "not toml": (('title = "A tiny study"', "title ="), "not a TOML file"),
    "unknown key at the top": (('about = "', 'abuot = "'), "unknown key 'abuot' at the top"),
    "near key": (("epochs = 2", "epoch = 2"), "in [models.bnn]; there are kind, architecture"),
    "what was meant": (("epochs = 2", "epoch = 2"), "did you mean 'epochs'?"),
    "unknown section": (("[data]", "[date]"), "unknown key 'date' at the top of the file"),
    "missing key": (('name = "digits"\n', ""), "[data] name is missing; it must be one of"),
    "data set": (('"digits"', '"digit"'), "got 'digit'; there are digits, mnist"),
    "not whole": (("epochs = 2", "epochs = 2.5"), "whole number of at least 1, got 2.5"),
    "a bool is no number": (("epochs = 2", "epochs = true"), "of at least 1, got True"),
    "negative": (("rounds = 2", "rounds = -2"), "[runs.live] rounds must be a whole number of at"),
    "eps in grey levels": (("eps = 0.3\nsplit", "eps = 8\nsplit"), "a number from 0 to 1, got 8"),
    "absurd": (("epochs = 2", "mask_decay = 1" + "0" * 400), "mask_decay must be at least 0, got"),
    "infinite": (("epochs = 2", "mask_decay = inf"), "mask_decay must be at least 0, got inf"),
    "nan": (("eps = 0.3\nsplit", "eps = nan\nsplit"), "a number from 0 to 1, got nan"),
    "text for a number": (("k = 2", 'k = "2"'), "[runs.live] k must be a whole number"),
    "no such model": (('model = "bnn"\nk', 'model = "bnm"\nk'), "did you mean 'bnn'?"),
    "no such run": (('of = ["live"]\neps', 'of = ["lives"]\neps'), "plain, live; did you mean"),
    "no such pool": (('judges = ["judge"]', 'judges = ["jugde"]'), "did you mean 'judge'?"),
    "no such attack": (('attack = "pgd"\neps = 0.3\nsplit', 'attack = "pdg"\neps = 0.3\nsplit'),
                       "did you mean 'pgd'?"),
    "no such kind": (('kind = "resistance"', 'kind = "resist"'), "did you mean 'resistance'?"),
    "no kind": (('kind = "rounds"\n', ""), "[measures.rounds] needs a kind, one of rounds"),
    "empty list": (("eps = [0.1, 0.3]", "eps = []"), "a list of different values, each a number"),
    "no list": (("eps = [0.1, 0.3]", "eps = 0.1"), "eps must be a list of different values"),
    "twice": (("eps = [0.1, 0.3]", "eps = [0.1, 0.1]"), "different values"),
    "value for a table": (("[models.bnn]", "[models]\nbnm = 3\n[models.bnn]"), "but bnm is 3"),
    "a name with a slash": (("[measures.again]", '[measures."../x"]'), "letters, digits, '-'"),
    "no such solver": (('kind = "rounds"', 'kind = "white-box"\neps = 0.1\nsolver = "ntive"'),
                       "[measures.rounds] solver: there is no solver 'ntive'; there are"),
    "nearest solver": (("rounds = 2", 'rounds = 2\nsolver = "cadicl"'),
                       "did you mean 'cadical'?"),
    "no such encoding": (("rounds = 2", 'rounds = 2\nsolver = "cadical:x"'), "live] solver:"),
    "no such architecture": (('architecture = "16"', 'architecture = "mlp-lage"'), "'mlp-large'?"),
    "not an architecture": (('architecture = "16"', 'architecture = "16-conv8k3"'),
                            "[models.bnn] architecture: a convolution cannot follow a dense layer"),
    "a target of two": (("rounds = 2", "rounds = 2\ntarget = { judge = 2 }"),
                        "target must be a table"),
    "falsify of smallest eps": (('kind = "rounds"', 'kind = "minimal-eps"\nfalsify = 1.0'),
                                "unknown key 'falsify' in [measures.rounds]"),
    "a table's table": (("[data]", "[[data]]"), "data must be a table: write [data]"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_a_sentence(case, written):
    replacement, said = WRONG[case]
    path = written(replacement)
    with pytest.raises(ValueError) as error:
        study.load(path)
    assert str(error.value).startswith(str(path))
    assert said in str(error.value)


def test_a_study_has_all_its_keys(written):
    loaded = study.load(written())
    assert loaded.name == "tiny"
    assert loaded.size is None
    assert loaded["models"]["bnn"] == {
        **{"kind": "bnn", "architecture": "16", "hidden": [512, 512, 100]},
        **{"quant_step": 0.5, "epochs": 2, "mask_decay": 0.0},
        **dict.fromkeys(("mask_scale", "batch_size", "learning_rate", "schedule")),
    }
    assert loaded["runs"]["plain"]["rounds"] == 0
    assert loaded["measures"]["curve"]["title"] == "curve"


def test_a_size_replaces_single_values(written):
    text = '[small]\nmodels.bnn = { epochs = 1 }\n[big]\nmodels.bnn.architecture = "64"\n'
    path = written(("[data]", text + "[data]"))
    assert study.sizes(path) == ["small", "big"]
    assert study.load(path)["models"]["bnn"]["epochs"] == 1
    big = study.load(path, "big")["models"]["bnn"]
    assert (big["epochs"], big["architecture"]) == (2, "64")
    with pytest.raises(ValueError, match=r"there is no size 'bog'; .* small, big; did you mean 'b"):
        study.load(path, "bog")


def test_the_sizes_that_are_not_asked_for_are_checked_too(written):
    path = written(("[data]", "[small]\ndata = {}\n[big]\nmodels.bnn = { epoch = 1 }\n[data]"))
    with pytest.raises(ValueError, match=r"unknown key 'epoch' in \[models.bnn\]"):
        study.load(path, "small")


def test_a_size_that_is_asked_for_must_be_there(written):
    with pytest.raises(ValueError, match="no size 'full'; it has no sizes"):
        study.load(written(), "full")


def test_quick_shrinks_what_is_large_and_nothing_else(written):
    quick = study.load(written(("epochs = 2", "epochs = 1")), quick=True)
    assert quick["models"]["bnn"]["epochs"] == 1
    assert quick["runs"]["live"]["rounds"] == 1
    assert quick["data"]["test"] == 60
    assert quick["measures"]["curve"]["images"] == 5


def test_an_unknown_study_names_the_known_ones():
    with pytest.raises(ValueError, match=r"comes with bnnkit: eps, loop, .*did you mean 'loop'"):
        study.load("lop")


def test_a_file_that_is_no_text(tmp_path):
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="not a text in UTF-8"):
        study.load(path)


@pytest.mark.parametrize("name", study.names())
@pytest.mark.parametrize("size", ["lesson", "full"])
def test_studies_of_the_package_have_both_sizes(name, size):
    loaded = study.load(name, size)
    assert loaded["data"]["name"] == {"lesson": "digits", "full": "mnist"}[size]
    assert loaded["about"]
