import numpy as np
import pytest
from helpers import random_network

from bnnkit import solvers, verify
from bnnkit.formula import Formula
from bnnkit.interop import write_formula
from bnnkit.verification import encode_question

FORMATS = (".cnf.gz", ".rcnf", ".bnn", ".opb")


@pytest.mark.parametrize("pixels", ["real", "uint8"])
@pytest.mark.parametrize("layers", [("dense", "dense"), ("conv", "dense")])
def test_a_written_question_has_the_answer_of_verify(tmp_path, layers, pixels):
    rng = np.random.default_rng(4)
    answers = set()
    for i in range(16):
        network = random_network(rng, (1, 3, 3), layers)
        image = rng.integers(0, 256, (1, 3, 3)).astype(np.uint8)
        label, eps = int(rng.integers(3)), float(rng.choice([0.0, 0.1, 0.3, 0.7]))
        if i % 4:
            label = int(network.predict(image[None])[0])
        verdict = verify(network, image, label, eps, pixels=pixels)
        question = encode_question(network, image, label, eps, pixels)
        for suffix in FORMATS:
            path = tmp_path / f"question{suffix}"
            write_formula(question.formula, path)
            with solvers.get("native")(Formula.load(path)) as solver:
                outcome = solver.solve(timeout=60)
            assert outcome.status == {"robust": "unsat", "falsified": "sat"}[verdict.status]
        if outcome.status == "sat":  # of the last format, whose first variables are the question's
            levels = question.levels(outcome.model).reshape(3, 3, 1).transpose(2, 0, 1)
            scores = network.scores_of_levels(levels[None].astype(np.uint8))
            assert scores[0].argmax() != label
        answers.add((verdict.status, verdict.stage))
    assert {"robust", "falsified"} == {status for status, _ in answers}
    assert ("robust", "bounds") in answers
    assert ("falsified", "clean") in answers


def test_what_makes_no_sense_is_said():
    network = random_network(np.random.default_rng(0))
    with pytest.raises(ValueError, match="eps must be in"):
        encode_question(network, np.zeros((1, 2, 3), np.uint8), 0, 3)
    with pytest.raises(ValueError, match="needs a uint8 image"):
        encode_question(network, np.zeros((1, 2, 3)), 0, 0.1, "uint8")
    with pytest.raises(TypeError, match="must be a BinaryNetwork"):
        encode_question(None, np.zeros((1, 2, 3)), 0, 0.1)
