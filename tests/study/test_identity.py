"""A result depends on its own settings and on those of what it is made of, and on nothing else."""

import pytest

from bnnkit import study
from bnnkit.study.identity import differences, identity
from bnnkit.study.kinds import Key, whole
from bnnkit.study.made import Made
from bnnkit.study.schema import RUN


def of(path, *part):
    return identity(study.load(path).settings, part)


@pytest.mark.parametrize(
    ("replacement", "parted"),
    [
        (("A tiny study", "Another"), set()),
        (("epochs = 2", "epochs = 3"), {"plain", "judge", "live"}),
        (("eps = 0.3\nsplit", "eps = 0.2\nsplit"), {"judge", "live"}),
        (("rounds = 2", "rounds = 3"), {"live"}),
        (("images = 10", "images = 9"), set()),
        (("[data]", "seed = 1\n[data]"), {"plain", "judge", "live"}),
    ],
)
def test_what_depends_on_what(replacement, parted, written):
    parts = {"plain": "runs", "judge": "pools", "live": "runs"}
    before = {name: of(written(), section, name) for name, section in parts.items()}
    after = {name: of(written(replacement), section, name) for name, section in parts.items()}
    assert {name for name in parts if before[name] != after[name]} == parted


def test_a_key_of_a_later_version_parts_nothing(written, monkeypatch):
    before = of(written(), "runs", "live")
    monkeypatch.setitem(RUN, "later", Key(whole(0), "something new", 3))
    assert study.load(written())["runs"]["live"]["later"] == 3
    assert of(written(), "runs", "live") == before


def test_differences_name_the_key():
    old, new = {"[data] name": "digits", "seed": 1}, {"[data] name": "mnist"}
    said = "[data] name was 'digits' and is 'mnist', seed was 1 and is its default"
    assert differences(old, new) == said


def test_what_is_noted_is_there_for_the_next_process(tmp_path):
    made = Made(tmp_path / "made.json")
    made.note("runs/a", {"eps": (0.1, 0.2)})
    again = Made(tmp_path / "made.json")
    assert again.is_same("runs/a", {"eps": [0.1, 0.2]})
    assert not again.is_same("runs/b", {})
    with pytest.raises(
        ValueError, match=r"another \[runs.a\]: eps was \[0.1, 0.2\] and is \[0.1\]"
    ):
        again.check("[runs.a]", "runs/a", {"eps": [0.1]})
