"""Campaigns that are ended in the middle, in every way, and gone on with."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from campaigns import EPS, make_questions

from bnnkit import verify_all

TESTS = str(Path(__file__).parents[1])
HEAD = f"""
import os, random, signal, sqlite3, sys, time
N = int(sys.argv[2])
sys.path.insert(0, {TESTS!r})
import odd_solvers
from campaigns import EPS, make_questions
from bnnkit import solvers, verify_all

network, images, labels = make_questions(N)
chosen = {{"falsify": 0}}

def campaign(solver, n_jobs, order=slice(None)):
    solvers.register("odd", getattr(odd_solvers, solver))
    questions = network, images[order], labels[order]
    verify_all(*questions, EPS, "odd", n_jobs=n_jobs, store=sys.argv[1], **chosen)
"""
posix = pytest.mark.skipif(os.name != "posix", reason="uses POSIX signals")


def start(body, store, n=40, **options):
    program = [sys.executable, "-c", HEAD + body, str(store), str(n)]
    return subprocess.Popen(program, text=True, **options)


def rows(store):
    """All rows but for their times."""
    if not store.exists():
        return set()
    with sqlite3.connect(store, timeout=10) as db:
        if not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return set()
        columns = "image, label, status, stage, clean, predicted, eps, reason, pixels"
        return set(db.execute(f"SELECT {columns} FROM verdict"))


def wait_for_rows(store, program):
    while not rows(store):
        assert program.poll() is None
        time.sleep(0.02)


HANGING = """
solvers.register("odd", odd_solvers.Fainting)
statuses = verify_all(network, images, labels, EPS, "odd", **chosen).status
campaign("Hanging", 2, (statuses == "unknown").argsort(kind="stable"))  # hangs after some rows
"""


@posix
@pytest.mark.parametrize("body", ["campaign('Slow', 1)", "campaign('Slow', 2)", HANGING])
def test_ctrl_c_stops_at_once_and_says_how_to_go_on(tmp_path, body):
    store = tmp_path / "run.sqlite"
    program = start(body, store, stderr=subprocess.PIPE)
    wait_for_rows(store, program)
    program.send_signal(signal.SIGINT)
    sent = time.monotonic()
    _, said = program.communicate(timeout=20)
    assert time.monotonic() - sent < 2
    n = len(rows(store))
    assert f"KeyboardInterrupt: {n} of 40 verdicts are in {store}" in said
    assert f"the same call asks for the other {40 - n}" in said


KILLING = """
def count():
    with sqlite3.connect(sys.argv[1], timeout=10) as db:
        return db.execute("SELECT count(*) FROM verdict").fetchone()[0]

random.seed(0)
for i in range(KILLS + 1):
    before = count() if i > 0 else 0
    child = os.fork()
    if child == 0:
        campaign("Slow", 2)
        os._exit(0)
    if i % 3 == 0:  # anywhere in the beginning
        time.sleep(random.uniform(0.2, 1))
    elif i < KILLS:  # while rows are written
        while count() == before:
            time.sleep(0.001)
        time.sleep(random.uniform(0, 0.1))
    if i < KILLS:
        os.kill(child, signal.SIGKILL)
    print(os.waitpid(child, 0)[1], flush=True)
"""


@posix
@pytest.mark.parametrize("kills", [5, pytest.param(25, marks=pytest.mark.slow)])
def test_a_campaign_that_is_killed_again_and_again_ends_like_an_undisturbed_one(tmp_path, kills):
    store, undisturbed = tmp_path / "run.sqlite", tmp_path / "other.sqlite"
    codes, before = [], set()
    with start(f"KILLS = {kills}" + KILLING, store, 100, stdout=subprocess.PIPE) as program:
        for line in program.stdout:
            codes.append(int(line))
            after = rows(store)
            assert before <= after
            before = after
    assert codes == [signal.SIGKILL] * kills + [0]
    verify_all(*make_questions(100), EPS, falsify=0, store=undisturbed)
    assert rows(store) == rows(undisturbed)
    assert len(rows(store)) == 100


WRITING = """
from bnnkit.campaign.store import Store
from bnnkit.verification import Verdict

def write():
    keys = [(i.to_bytes(32, "little"), i % 7) for i in range(N)]
    with Store(sys.argv[1]) as store:
        store.begin(("network", "1/20", "native", "{}"), keys)
        done = store.finished(keys)
        for place, key in enumerate(keys):
            if key not in done:
                label = key[1]
                made = {"stage": "bounds", "timings": {"clean": 0.1}}
                verdict = Verdict("robust", label, 0.05, label, label, **made)
                store.add("here", [(key, verdict)])
                os.write(1, f"{place}\\n".encode())

random.seed(0)
for _ in range(40):
    child = os.fork()
    if child == 0:
        write()
        signal.pause()
    time.sleep(random.uniform(0, 0.2))
    os.kill(child, signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
"""


@posix
def test_what_was_said_to_be_written_is_there_after_a_kill(tmp_path):
    store = tmp_path / "run.sqlite"
    with start(WRITING, store, 5000, stdout=subprocess.PIPE) as program:
        said = program.stdout.read().split()
    assert program.returncode == 0
    written = [int(place) for place in said]
    assert len(set(written)) == len(written) > 100
    assert set(written) <= {int.from_bytes(row[0], "little") for row in rows(store)}


def test_two_campaigns_do_not_share_a_file(tmp_path, questions):
    store = tmp_path / "run.sqlite"
    with start('campaign("Slow", 1)', store, stderr=subprocess.DEVNULL) as program:
        wait_for_rows(store, program)
        with pytest.raises(ValueError, match="in use by another campaign"):
            verify_all(*questions, EPS, store=store)
        program.kill()
    assert len(verify_all(*questions, EPS, store=store)) == 40
