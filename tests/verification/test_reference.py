"""Verdicts against those of the published system on its own networks."""

import numpy as np
import pytest
from reference import load_set

from bnnkit import verify

# its float32 puts 153/255 + 0.05 = 0.65, half-way between two levels of step 0.1, too high
MISROUNDED = 153


@pytest.fixture(scope="session")
def bench(data_home):
    folder = data_home.parent / "bench"
    if not folder.is_dir():
        pytest.skip(f"the reference networks are not in {folder}")
    return folder


@pytest.mark.parametrize(
    ("name", "step"), [("mnist-s-adv0.1-sparse", 6), ("seed-mlp2-mnist", 4), ("mnist-s-adv0.1", 20)]
)
@pytest.mark.parametrize("solver", ["minicard", "native", "cp-sat"])
def test_no_answer_differs(bench, name, step, solver):
    reference = load_set(bench / name)
    decided, asked = 0, 0
    timeout, least = (1, 0.4) if name == "mnist-s-adv0.1" else (60, 0.9)
    for question in reference.questions[::step]:
        image, label = reference.images[question["index"]], question["label"]
        if MISROUNDED in image and question["eps"] == 0.05:
            continue
        verdict = verify(
            reference.network, image, label, question["eps"], solver=solver, timeout=timeout
        )
        expected = {"SAT": "falsified", "UNSAT": "robust"}[question["status_exact"]]
        assert verdict.status in (expected, "unknown"), question
        decided += verdict.status == expected
        asked += 1
    assert decided >= least * asked > 0


@pytest.mark.parametrize("name", ["mnist-mlp-adv0.3", "seed-mlp3-cifar", "seed-type1-mnist"])
def test_predictions_are_equal(bench, name):
    reference = load_set(bench / name)
    with np.load(bench / name / "images.npz") as arrays:
        assert (reference.network.predict(reference.images) == arrays["pred"]).all()
