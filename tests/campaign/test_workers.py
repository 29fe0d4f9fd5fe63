import hashlib
import os
import time
from pathlib import Path

import numpy as np
import pytest
from campaigns import EPS

from bnnkit import verify
from bnnkit.campaign import workers
from bnnkit.campaign.answering import cook

ARGUMENTS = {"eps": EPS, "solver": "native", "timeout": 60.0, "falsify": 0}


@pytest.fixture
def asked(questions):
    """(recipe, key, questions)."""
    network, images, labels = questions
    recipe = cook(verify, network, ["native"])
    pairs = list(zip(images, labels.tolist(), strict=True))
    return recipe, hashlib.sha256(recipe).hexdigest(), pairs


def pids():
    return [worker._remote._child._process.pid for worker in workers._idle]


def test_a_worker_answers_like_verify_and_its_process_is_kept(questions, asked):
    recipe, key, pairs = asked
    seen = set()
    for given in (recipe, None):  # the second time it is there
        places, environment, verdicts = workers.answer(
            *("run", key, given, None, ARGUMENTS, list(range(5)), pairs[:5])
        )
        assert places == list(range(5))
        assert '"numba"' in environment
        assert 1 <= len(verdicts) <= 5
        for verdict, pair in zip(verdicts, pairs, strict=False):
            single = verify(questions[0], *pair, **ARGUMENTS)
            assert verdict.status == single.status
            assert verdict.adversarial is None or np.array_equal(
                verdict.adversarial, single.adversarial
            )
        seen.add(pids()[-1])
    assert len(seen) == 1


def test_a_worker_without_the_network_asks_for_it(asked):
    places, _, outcomes = workers.answer(
        *("run", "never seen", None, None, ARGUMENTS, [7], asked[2][:1])
    )
    assert (places, outcomes) == ([7], None)
    assert "never seen" not in workers._recipes


def test_few_networks_are_kept(asked):
    recipe, _, pairs = asked
    for i in range(workers.RECIPES + 2):
        workers.answer("run", f"key {i}", recipe, None, ARGUMENTS, [0], pairs[:1])
    assert [*workers._recipes] == [f"key {i}" for i in range(2, workers.RECIPES + 2)]


def test_an_idle_process_ends_after_a_while(asked, monkeypatch):
    monkeypatch.setattr(workers, "IDLE", 0.1)
    recipe, key, pairs = asked
    workers.answer("run", key, recipe, None, ARGUMENTS, [0], pairs[:1])
    worker = workers._idle[-1]
    end = time.monotonic() + 10
    while worker.usable and time.monotonic() < end:
        time.sleep(0.01)
    assert not worker.usable
    workers.answer("run", key, recipe, None, ARGUMENTS, [0], pairs[:1])
    assert worker not in workers._idle


def test_a_run_that_was_stopped_gets_no_answers(asked):
    recipe, key, pairs = asked
    workers.stop("stopped run")
    with pytest.raises(workers.RunStopped):
        workers.answer("stopped run", key, recipe, None, ARGUMENTS, [0], pairs[:1])
    assert "stopped run" not in workers._busy


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
def test_a_memory_limit_is_that_of_the_process(asked):
    recipe, key, pairs = asked
    workers.answer("run", f"{key} limited", recipe, 2**33, ARGUMENTS, [0], pairs[:1])
    limits = Path(f"/proc/{pids()[-1]}/limits").read_text()
    (line,) = [line for line in limits.splitlines() if line.startswith("Max address space")]
    assert line.split()[3] == str(2**33)
    assert pids()[-1] != os.getpid()
    workers.answer("run", key, recipe, None, ARGUMENTS, [0], pairs[:1])  # needs one without it
    limits = Path(f"/proc/{pids()[-1]}/limits").read_text()
    assert f"Max address space         {2**33}" not in limits
