"""Campaigns on what `joblib.parallel_config` names."""

import os
import signal

import joblib
import pytest
from campaigns import EPS

from bnnkit import verify_all
from bnnkit.campaign import iter_verdicts


@pytest.fixture
def expected(questions):
    return verify_all(*questions, EPS, falsify=0).status.tolist()


@pytest.mark.parametrize("backend", ["loky", "multiprocessing", "threading", "sequential"])
def test_backends_of_joblib(questions, expected, backend, tmp_path):
    store = tmp_path / "run.sqlite"
    with joblib.parallel_config(backend, n_jobs=2):
        verdicts = verify_all(*questions, EPS, falsify=0, store=store)
    assert verdicts.status.tolist() == expected


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    chosen = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with (
        distributed.LocalCluster(processes=True, **chosen) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.mark.skipif(os.name != "posix", reason="uses POSIX signals")
def test_a_dask_cluster_with_a_worker_that_is_killed(questions, odd, cluster, expected, tmp_path):
    workers = cluster.run(os.getpid)
    assert len(set(workers.values()) - {os.getpid()}) == 2
    found = {}
    with joblib.parallel_config("dask"):
        verdicts = iter_verdicts(
            *questions, EPS, odd("Slow"), falsify=0, store=tmp_path / "run.sqlite"
        )
        for place, verdict in verdicts:
            found[place] = verdict.status
            if len(found) == 5:
                os.kill(next(iter(workers.values())), signal.SIGKILL)
    assert [found[place] for place in range(40)] == expected
