"""The same inputs and seeds give the same results, whatever the hashes of texts and the threads."""

import json
import os
import subprocess
import sys

import pytest

PROGRAM = """
import hashlib, json, sys
import numpy as np
import bnnkit
from bnnkit import BNNClassifier, datasets, fuzz
from bnnkit.attacks import PGD, Exact, RandomNoise
from bnnkit.nn import PGDTraining
from bnnkit.robust import train
from bnnkit.solvers import get

bnnkit.set_threads(int(sys.argv[1]))


def digest(*arrays):
    content = b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)
    return hashlib.sha256(content).hexdigest()


found = {}
data = datasets.load("digits", limit=400)
images, labels = data.test.images[:30], data.test.labels[:30]
model = BNNClassifier("24", quant_step=0.25, epochs=6, adversary=PGDTraining(0.05, steps=2),
                      random_state=0)
network = model.fit(data.train.images, data.train.labels).network_
found["network"] = network.digest
found["predictions"] = digest(network.predict(data.train.images))

asked = [(image, int(label), 0.1) for image, label in zip(images, labels)]
for solver in ("native", "minicard", "cadical", "cp-sat"):
    few = asked if solver == "native" else asked[:6]
    verdicts = [bnnkit.verify(network, *each, solver=solver, falsify=0) for each in few]
    found[f"statuses, {solver}"] = [v.status for v in verdicts]
    found[f"stages, {solver}"] = [v.stage for v in verdicts]
    found[f"witnesses, {solver}"] = digest(
        *(v.adversarial for v in verdicts if v.adversarial is not None)
    )
turns = [bnnkit.verify(network, *each) for each in asked]
found["statuses, turns"] = [v.status for v in turns]
found["minimal eps"] = [tuple(bnnkit.minimal_epsilon(network, *each[:2])) for each in asked[:8]]
found["vote"] = [bnnkit.verify_vote([network] * 2, *each, falsify=0).status for each in asked[:8]]

for attack in (RandomNoise(tries=5, random_state=0), PGD(steps=5, random_state=0)):
    found[type(attack).__name__] = digest(attack(model, images, labels, 0.1).adversarial)
small = lambda: BNNClassifier("8", quant_step=0.5, epochs=1, n_classes=10, random_state=3)
history = train(small, RandomNoise(tries=5, random_state=0), data, eps=0.1, rounds=1,
                images_per_round=20, n_judge=20, random_state=5)
found["hardened"] = history.model.network_.digest
exact = Exact(falsify=0, timeout=None)  # as the demo has it
wide = lambda: BNNClassifier("256", quant_step=1.0, epochs=4, n_classes=10, random_state=3)
history = train(wide, exact, data, eps=0.2, rounds=1, images_per_round=200, n_judge=40,
                random_state=5)
found["hardened by the solver"] = [
    [r.n_added, r.judged["Exact"].per_class, model.network_.digest]
    for r, model in zip(history.rounds, history.models)
]

models, cases = [], [fuzz.FormulaCase.draw(2, index) for index in range(40)]
for options in ({}, {"seed": 4}, {"seed": 4, "diverse": True}):
    for case in cases:
        formula = bnnkit.formula.Formula(case.n_vars)
        for kind, lits, *rest in case.steps:
            if kind == "clause":
                formula.add_clause(lits)
            elif kind == "sum":
                formula.add_sum(lits, rest[1], rest[0], rest[2] or None)
        with get("native")(formula, **options) as solver:
            outcome = solver.solve()
            models.append([outcome.status, np.array(outcome.model).tolist(), solver.statistics])
found["models"] = models
found["drawn"] = [digest(fuzz.NetworkCase.draw(2, i).image) for i in range(10)]
print(json.dumps(found))
"""


def results(threads, hash_seed):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(threads)],
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed), "OMP_NUM_THREADS": str(threads)},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def first():
    return results(1, 0)


@pytest.mark.parametrize(("threads", "hash_seed"), [(1, 1), (2, 2)])
def test_another_process_gives_the_same(first, threads, hash_seed):
    again = results(threads, hash_seed)
    assert again.keys() == first.keys()
    assert [name for name in first if again[name] != first[name]] == []


def test_the_results_say_something(first):
    assert set(first["statuses, native"]) == {"robust", "falsified"}
    assert "solver" in first["stages, native"]
    assert first["statuses, turns"] == first["statuses, native"]
    assert len({network for *_, network in first["hardened by the solver"]}) == 2
    assert {status for status, *_ in first["models"]} == {"sat", "unsat"}
