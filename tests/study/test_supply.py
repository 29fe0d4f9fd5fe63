"""What a study asks for must be there, and it is said before any work which key asks too much."""

import numpy as np
import pytest

from bnnkit import study
from bnnkit.study.laboratory import Laboratory

TOO_MUCH = {
    "rounds": (
        [("rounds = 2", "rounds = 4")],
        r"\[runs.live\] rounds = 4 of images_per_round = 30 take 120 images, but there are 100 tr",
    ),
    "a pool": (
        [
            ('split = "test"', "skip = 250"),
            ('["live"]\nattack = "pgd"', '["pool"]\npool = "judge"'),
            ('judges = ["judge"]', ""),
            ('[measures.rounds]\nkind = "rounds"\nof = ["live"]', ""),
        ],
        r"take 60 images, but there are 50 images in \[pools.judge\] at most",
    ),
    "images": ([("images = 10", "images = 61")], r"\[measures.curve\] images must be at most the"),
    "size": ([('"test"', '"test"\nsize = 61')], r"\[pools.judge\] size must be at most the 60"),
    "an architecture": (
        [('"16"', '"conv4k9-16"')],
        r"\[models.bnn\] architecture 'conv4k9-16' does not go with digits",
    ),
    "an image": (
        [('kind = "rounds"', 'kind = "strip"\neps = [0.1]\nimage = 60')],
        r"\[measures.rounds\] image must be below the 60 test images, got 60",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TOO_MUCH)
def test_too_much(case, written, tmp_path):
    replacements, said = TOO_MUCH[case]
    with pytest.raises(ValueError, match=said):
        Laboratory(study.load(written(*replacements)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_just_enough(written, tmp_path):
    path = written(
        *(("rounds = 2", "rounds = 5"), ("images_per_round = 30", "images_per_round = 41")),
        *(('["live"]', '["live", "noise", "pool"]\npool = "more"'), ("images = 10", "images = 60")),
        (
            "[runs.live]",
            '[pools.more]\nrun = "plain"\neps = 0.3\nattack = "pgd"\nsize = 68\n[runs.live]',
        ),
        ("start = 200", "start = 164"),
    )
    Laboratory(study.load(path), tmp_path / "out")


def test_a_run_can_go_on_with_its_networks(written, tmp_path):
    path = written(("rounds = 2", 'rounds = 2\nrecreate = false\ntarget = { "judge[0]" = 0.0 }'))
    laboratory = Laboratory(study.load(path), tmp_path / "out")
    trained = laboratory.run("live")
    assert all(model.warm_start for model in trained.models)
    assert trained.history.stopped == "target"
    assert len(trained.history.rounds) == 1


def test_a_run_has_a_budget(written, tmp_path):
    path = written(("rounds = 2", "rounds = 2\nrecreate = false\nseconds = 1e-9"))
    history = Laboratory(study.load(path), tmp_path / "out").run("live").history
    assert history.stopped == "seconds"
    assert np.isfinite(history.seconds)
