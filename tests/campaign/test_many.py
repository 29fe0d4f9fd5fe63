import os
import signal
import sqlite3
import threading

import numpy as np
import pytest
from campaigns import EPS
from helpers import random_network

from bnnkit import BNNClassifier, _progress, verify, verify_all
from bnnkit.campaign import iter_verdicts, workers
from bnnkit.ensemble import Vote
from bnnkit.solvers import WrongAnswer
from bnnkit.verification import verify_joint, verify_vote


def same(one, other):
    """Whether two verdicts are the same answer for the same reason, times aside."""
    alike = ("status", "label", "eps", "clean", "predicted", "stage", "reason")
    witness = one.adversarial is None or (
        np.array_equal(one.adversarial, other.adversarial)
        and one.adversarial.dtype == other.adversarial.dtype
    )
    return all(getattr(one, name) == getattr(other, name) for name in alike) and witness


def finished(store):
    """When each row was written."""
    with sqlite3.connect(store) as db:
        return dict(db.execute("SELECT rowid, finished FROM verdict"))


@pytest.mark.parametrize("n_jobs", [None, 1, 2])
@pytest.mark.parametrize("stored", [False, True])
def test_many_equal_one_at_a_time(questions, n_jobs, stored, tmp_path):
    network, images, labels = questions
    store = tmp_path / "run.sqlite" if stored else None
    single = [verify(network, *pair, EPS, falsify=0) for pair in zip(images, labels, strict=True)]
    assert {verdict.status for verdict in single} == {"robust", "falsified"}
    for _ in range(1 + stored):  # the second time from the file
        verdicts = verify_all(network, images, labels, EPS, n_jobs=n_jobs, store=store, falsify=0)
        assert len(verdicts) == len(single)
        assert all(map(same, verdicts, single))


@pytest.mark.parametrize("pixels", ["real", "uint8"])
def test_witnesses_of_both_kinds_come_back_from_the_file(questions, pixels, tmp_path):
    network, images, labels = questions
    arguments = (network, images, labels, EPS)
    chosen = {"pixels": pixels, "falsify": 0, "store": tmp_path / "run.sqlite"}
    first, again = (verify_all(*arguments, **chosen) for _ in range(2))
    assert again.counts["falsified"] > 0
    assert all(map(same, first, again))
    assert all(one.timings == other.timings for one, other in zip(first, again, strict=True))


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize(("question", "ask"), [("vote", verify_vote), ("joint", verify_joint)])
def test_many_questions_about_several_networks(questions, question, ask, n_jobs, tmp_path):
    network, images, labels = (part if i == 0 else part[:12] for i, part in enumerate(questions))
    store = tmp_path / "run.sqlite" if n_jobs == 2 else None
    others = (
        random_network(np.random.default_rng(seed), (1, 4, 4), ("dense",), step=0.3)
        for seed in range(50)
    )
    other = next(each for each in others if (each.predict(images) == labels).any())
    networks = [network, other, network]
    labels = np.arange(12) % 3
    chosen = {"n_jobs": n_jobs, "question": question, "store": store, "falsify": 0}
    verdicts = verify_all(networks, images, labels, 0.01, **chosen)
    single = [ask(networks, *pair, 0.01, falsify=0) for pair in zip(images, labels, strict=True)]
    assert [v.status for v in verdicts] == [v.status for v in single]
    assert [v.choices for v in verdicts] == [v.choices for v in single]
    assert set(verdicts.status) == {"robust", "falsified"}
    again = verify_all(Vote(networks), images, labels, 0.01, **chosen)
    assert all(map(same, again, verdicts))
    assert [v.choices for v in again] == [v.choices for v in single]
    assert store is None or len(finished(store)) == 12


def test_one_network_is_asked_the_same_whatever_the_question(questions):
    network, images, labels = (part if i == 0 else part[:12] for i, part in enumerate(questions))
    for question in ("vote", "joint"):
        alone = verify_all(network, images, labels, 0.1, question=question)
        assert alone.counts == verify_all([network], images, labels, 0.1, question=question).counts


@pytest.mark.parametrize("question", ["vote", "joint"])
def test_a_question_about_several_networks_can_be_lost(questions, odd, question, tmp_path):
    network, images, labels = questions
    networks = [network, network]
    chosen = {"question": question, "falsify": 0, "store": tmp_path / "run.sqlite"}
    for _ in range(2):
        (verdict,) = verify_all(networks, images[:1], labels[:1], EPS, odd("Dead"), **chosen)
        assert (verdict.status, verdict.stage) == ("unknown", "lost")
        assert verdict.choices == (labels[0], labels[0])
        assert verdict.clean == verdict.predicted == labels[0]


def test_a_rerun_asks_what_is_missing(questions, tmp_path):
    network, images, labels = questions
    store = tmp_path / "run.sqlite"
    verify_all(network, images[10:30], labels[10:30], EPS, store=store)
    before = finished(store)
    verdicts = verify_all(network, images, labels, EPS, store=store)
    after = finished(store)
    assert (len(before), len(after), len(verdicts)) == (20, 40, 40)
    assert {row: after[row] for row in before} == before
    assert verdicts.status.tolist() == verify_all(network, images, labels, EPS).status.tolist()


def other_network():
    return random_network(np.random.default_rng(5), (1, 4, 4), ("dense",), classes=3)


@pytest.mark.parametrize(
    ("change", "new"),
    [
        ({}, False),
        ({"eps": 0.05 + 1e-9}, True),
        ({"eps": np.float32(0.05)}, False),  # means the same 1/20
        ({"timeout": 60}, False),
        ({"timeout": 61}, True),
        ({"timeout": None}, True),
        ({"solver": "minicard"}, True),
        ({"pixels": "uint8"}, True),
        ({"falsify": 0}, True),
        ({"falsify": 0.002}, False),  # what it is anyway
        ({"n_jobs": 1}, False),
        ({"memory_limit": 2**34}, False),
        ({"labels": lambda labels: (labels + 1) % 3}, True),
        ({"images": lambda images: images / 255}, True),
        ({"images": lambda images: images[:, :, ::-1]}, True),
        ({"images": lambda images: images.reshape(4, 16)}, False),
        ({"network": lambda _: other_network()}, True),
    ],
)
def test_what_makes_a_question_another_one(questions, change, new, tmp_path):
    store = tmp_path / "run.sqlite"
    arguments = dict(zip(("network", "images", "labels"), questions, strict=True)) | {"eps": EPS}
    for name in ("images", "labels"):
        arguments[name] = arguments[name][:4]
    verify_all(**arguments, store=store)
    for name, value in change.items():
        arguments[name] = value(arguments[name]) if callable(value) else value
    verify_all(**arguments, store=store)
    assert len(finished(store)) == (8 if new else 4)


@pytest.mark.parametrize(
    "change",
    [
        "clean = 99, status = 'unknown', pixels = NULL",
        "predicted = -5, status = 'unknown', pixels = NULL",
        "eps = 0.9",
        "status = 'unknown', pixels = NULL, choices = '[0]'",
        "predicted = 3 - label - predicted",  # the third class
        "pixels = (SELECT pixels FROM verdict WHERE status = 'falsified' ORDER BY rowid DESC)",
        "pixel_shape = '[1, 2, 8]'",
        "pixel_type = '|u1', pixel_shape = '[1, 4, 16]'",
    ],
)
def test_stored_verdicts_that_cannot_be_about_the_question_are_refused(questions, change, tmp_path):
    store = tmp_path / "run.sqlite"
    verify_all(*questions, EPS, store=store)
    with sqlite3.connect(store) as db:
        first = "(SELECT min(rowid) FROM verdict WHERE status = 'falsified')"
        assert db.execute(f"UPDATE verdict SET {change} WHERE rowid = {first}").rowcount == 1
    with pytest.raises(ValueError, match=r"run\.sqlite: a row is damaged"):
        verify_all(*questions, EPS, store=store)


def test_a_question_that_is_there_twice_is_asked_once(questions, tmp_path):
    network, images, labels = questions
    twice = [0, 1, 0, 2, 1, 0]
    store = tmp_path / "run.sqlite"
    verdicts = verify_all(network, images[twice], labels[twice], EPS, store=store)
    expected = verify_all(network, images[:3], labels[:3], EPS)
    assert verdicts.status.tolist() == expected.status[twice].tolist()
    assert len(finished(store)) == 3


@pytest.fixture
def mixed(questions, odd):
    """(network, images, labels), and what is expected where every second solver call fails."""
    network, images, labels = questions
    statuses = verify_all(network, images, labels, EPS, odd("Fainting"), falsify=0).status
    assert 10 < np.count_nonzero(statuses == "unknown") < 30
    good, bad = np.flatnonzero(statuses != "unknown"), np.flatnonzero(statuses == "unknown")
    chosen = [*good[:6], bad[0], *good[6:10], bad[1]]
    return network, images[chosen], labels[chosen], statuses[chosen].tolist()


@pytest.mark.parametrize(
    ("way", "n_jobs", "says"),
    [
        ("Exiting", 1, "code 3"),
        ("Killed", 2, "code -9"),
        ("Crashing", 2, "code -11"),
        ("Greedy", 2, "out of memory"),
    ],
)
def test_a_dead_process_is_an_unknown_for_its_image_alone(mixed, odd, way, n_jobs, says, tmp_path):
    *question, expected = mixed
    chosen = {"solver": odd(way), "falsify": 0, "store": tmp_path / "run.sqlite"}
    verdicts = verify_all(*question, EPS, n_jobs=n_jobs, **chosen)
    assert verdicts.status.tolist() == expected
    for verdict in verdicts:
        assert (verdict.stage == "lost") == (verdict.status == "unknown") == bool(verdict.reason)
        assert verdict.status != "unknown" or says in verdict.reason
        assert verdict.clean == verdict.label


def test_what_was_lost_is_kept_until_it_is_asked_again(mixed, odd, tmp_path):
    *question, expected = mixed
    chosen = {"falsify": 0, "store": tmp_path / "run.sqlite"}
    lost = verify_all(*question, EPS, odd("Exiting"), **chosen)
    before = finished(chosen["store"])
    again = verify_all(*question, EPS, odd("Fainting"), **chosen)  # as if it had been mended
    assert finished(chosen["store"]) == before
    assert all(map(same, lost, again))
    mended = verify_all(*question, EPS, odd("Fainting"), retry=True, **chosen)
    assert mended.status.tolist() == expected
    assert {v.reason for v in mended} == {"", "gave up"}
    assert len(finished(chosen["store"])) == len(before)


def test_a_solver_that_always_dies_leaves_all_unknown(questions, odd):
    network, images, labels = questions
    chosen = {"solver": odd("Dead"), "n_jobs": 2, "falsify": 0}
    verdicts = verify_all(network, images[:1], labels[:1], EPS, **chosen)
    assert verdicts.counts["unknown"] == 1


def test_a_solver_that_looks_at_no_clock_is_ended(mixed, odd, monkeypatch):
    monkeypatch.setattr(workers, "GRACE", 0.3)
    *question, expected = mixed
    verdicts = verify_all(*question, EPS, odd("Hanging"), timeout=0.1, n_jobs=2, falsify=0)
    assert verdicts.status.tolist() == expected
    lost = [verdict for verdict in verdicts if verdict.status == "unknown"]
    assert all("0.3 s after the timeout of 0.1 s" in verdict.reason for verdict in lost)


@pytest.mark.parametrize(("n_jobs", "stored"), [(1, False), (1, True), (2, True)])
def test_an_error_of_a_solver_is_an_unknown_for_its_image_alone(
    mixed, odd, n_jobs, stored, tmp_path
):
    *question, expected = mixed
    store = tmp_path / "run.sqlite" if stored else None
    verdicts = verify_all(*question, EPS, odd("Failing"), n_jobs=n_jobs, store=store, falsify=0)
    assert verdicts.status.tolist() == expected
    for verdict in verdicts:
        lost = verdict.status == "unknown"
        assert (verdict.stage == "lost") == lost
        assert verdict.reason == ("RuntimeError: a bug of the solver" if lost else "")


@pytest.mark.parametrize(("n_jobs", "stored"), [(1, False), (1, True), (2, True)])
def test_a_lie_is_a_defect_and_no_ordinary_unknown(mixed, odd, n_jobs, stored, tmp_path):
    *question, expected = mixed
    store = tmp_path / "run.sqlite" if stored else None
    chosen = {"n_jobs": n_jobs, "store": store, "falsify": 0}
    lies = [i for i, status in enumerate(expected) if status == "unknown"]
    says = rf"answers of the solver odd failed their check on images {lies[0]}, {lies[1]}: a defect"
    with pytest.warns(RuntimeWarning, match=says):
        verdicts = verify_all(*question, EPS, odd("Lying"), **chosen)
    assert verdicts.status.tolist() == expected
    assert verdicts.wrong == lies
    for i in lies:
        assert verdicts[i].stage == "wrong"
        assert "WrongAnswer: the solver native gave a model that violates" in verdicts[i].reason
    if stored:  # asking an honest solver again, under the same name, does not hide the lie
        with pytest.warns(RuntimeWarning, match=says):
            again = verify_all(*question, EPS, odd("Fainting"), retry=True, **chosen)
        assert all(map(same, verdicts, again))


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_lie_that_only_the_witness_gives_away(questions, odd, n_jobs):
    network, images, labels = questions
    truth = verify_all(network, images, labels, EPS, falsify=0)
    chosen = {"solver": odd("Forging"), "n_jobs": n_jobs, "falsify": 0}
    with pytest.warns(RuntimeWarning, match=r"on images (\d+, ){9}\d+ and \d+ more: a defect"):
        verdicts = verify_all(network, images, labels, EPS, **chosen)
    assert len(verdicts.wrong) > 10
    for i, (verdict, true) in enumerate(zip(verdicts, truth, strict=True)):
        assert verdict.status == ("unknown" if i in verdicts.wrong else true.status)
    assert all("a witness failed its check" in verdicts[i].reason for i in verdicts.wrong)


@pytest.mark.parametrize("question", ["vote", "joint"])
def test_a_lie_about_several_networks(mixed, odd, question, tmp_path):
    network, images, labels, _ = mixed
    chosen = {"question": question, "falsify": 0, "store": tmp_path / "run.sqlite"}
    with pytest.warns(RuntimeWarning, match="the solver odd failed their check"):
        verdicts = verify_all(
            [network, other_network()], images, labels, EPS, odd("Lying"), **chosen
        )
    assert 0 < len(verdicts.wrong) < len(verdicts)


def test_one_question_alone_raises_it(mixed, odd):
    network, images, labels, expected = mixed
    place = expected.index("unknown")
    with pytest.raises(WrongAnswer, match="the solver native gave a model"):
        verify(network, images[place], labels[place], EPS, odd("Lying"), falsify=0)


def test_an_interrupted_run_tells_of_the_lies_so_far(mixed, odd):
    *question, expected = mixed
    verdicts = iter_verdicts(*question, EPS, odd("Lying"), falsify=0)
    assert [next(verdicts)[1].status for _ in range(7)] == expected[:7]
    with pytest.warns(RuntimeWarning, match="on images 6:"):
        verdicts.close()


def test_lies_are_counted_while_the_work_goes_on(mixed, odd, monkeypatch, capsys):
    monkeypatch.setattr(_progress, "_SECONDS_BETWEEN_LINES", 0.0)
    *question, _ = mixed
    with pytest.warns(RuntimeWarning):
        verify_all(*question, EPS, odd("Lying"), falsify=0)
    lines = capsys.readouterr().err.splitlines()
    assert "WRONG" not in lines[5]
    assert lines[-1].endswith("1 unknown, 1 WRONG")  # when the last answer came, itself apart


def test_a_solver_that_always_fails_leaves_all_unknown(questions, odd):
    """Even the easy question that warms a process up."""
    network, images, labels = questions
    chosen = {"solver": odd("Broken"), "n_jobs": 2, "falsify": 0}
    (verdict,) = verify_all(network, images[:1], labels[:1], EPS, **chosen)
    assert (verdict.stage, verdict.reason) == ("lost", "OwnError: a bug")


def test_memory_is_limited(questions):
    network, images, labels = questions
    generous = verify_all(network, images, labels, EPS, memory_limit=2**34)
    assert generous.counts["unknown"] == 0
    with pytest.raises(RuntimeError, match="memory_limit=30000000 may be too low"):
        verify_all(network, images, labels, EPS, memory_limit=30_000_000)


@pytest.mark.parametrize("enough", [False, True])
def test_a_question_that_needs_more_memory_is_unknown(questions, odd, enough):
    network, images, labels = questions
    verdicts = verify_all(
        *(network, images[:2], labels[:2], EPS, odd("Hungry")),
        **{"falsify": 0, "memory_limit": 2**34 if enough else 3 * 2**30},
    )
    assert verdicts.counts["unknown"] == (0 if enough else 2)
    assert enough or all("out of memory" in verdict.reason for verdict in verdicts)


def test_an_interrupted_run_has_what_is_finished(questions):
    network, images, labels = questions
    kept = []
    for place, verdict in iter_verdicts(network, images, labels, 0.1):
        assert place == len(kept)
        kept.append(verdict.status)
        if len(kept) == 5:
            break
    assert kept == list(verify_all(network, images[:5], labels[:5], 0.1).status)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.skipif(os.name != "posix", reason="uses POSIX signals")
def test_what_was_interrupted_does_not_answer_the_next_question(questions, odd, n_jobs, tmp_path):
    network, images, labels = questions
    chosen = {"solver": odd("Slow"), "n_jobs": n_jobs, "falsify": 0}
    expected = verify_all(network, images, labels, EPS, falsify=0).status.tolist()
    verify_all(network, images[:2], labels[:2], EPS, store=tmp_path / "warm", **chosen)
    for i in range(3):
        interrupt = threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT])
        interrupt.start()
        with pytest.raises(KeyboardInterrupt):
            verify_all(network, images, labels, EPS, store=tmp_path / f"{i}", **chosen)
        verdicts = verify_all(
            network, images[::-1], labels[::-1], EPS, store=tmp_path / f"next {i}", **chosen
        )
        assert verdicts.status.tolist() == expected[::-1]


def test_leaving_early_ends_the_others(questions, odd, tmp_path):
    network, images, labels = questions
    store = tmp_path / "run.sqlite"
    for _ in iter_verdicts(network, images, labels, EPS, odd("Slow"), n_jobs=2, store=store):
        break
    assert 1 <= len(finished(store)) < 40
    assert len(verify_all(network, images, labels, EPS, "odd", store=store)) == 40  # not locked


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"labels": [0]}, ValueError, "40 images"),
        ({"eps": 2}, ValueError, "eps"),
        ({"solver": "magic"}, ValueError, "magic"),
        ({"images": np.zeros((0, 1, 4, 4), np.uint8)}, ValueError, "empty"),
        ({"timeout": -1}, ValueError, "timeout"),
        ({"pixels": "big"}, ValueError, "pixels"),
        ({"speed": 3}, TypeError, "speed"),
        ({"question": "all"}, ValueError, "question must be 'vote' or 'joint', got 'all'"),
        ({"n_jobs": 0}, ValueError, "n_jobs must be at least 1"),
        ({"memory_limit": 4}, ValueError, "memory_limit is in bytes"),
        ({"memory_limit": 4.5e9}, TypeError, "memory_limit"),
        ({"falsify": -1}, ValueError, "falsify"),
        ({"falsify": "x"}, TypeError, "falsify"),
        ({"fallback": "magic"}, ValueError, "magic"),
    ],
    ids=str,
)
def test_errors_come_before_the_work(questions, change, error, says):
    network, images, labels = questions
    arguments = {"images": images, "labels": labels, "eps": 0.1} | change
    with pytest.raises(error, match=says):
        iter_verdicts(network, **arguments)


def test_a_classifier_is_not_its_network(questions):
    _, images, labels = questions
    with pytest.raises(TypeError, match="pass its network_"):
        verify_all(BNNClassifier(), images, labels, 0.1)
