"""Objects in child processes: no zombies, no orphans, no hang, whatever dies."""

import gc
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from bnnkit import solvers
from bnnkit.formula import Formula
from bnnkit.solvers import _process
from bnnkit.solvers._job import EngineLost
from bnnkit.solvers._process import RemoteObject

TESTS = str(Path(__file__).parents[1])
posix = pytest.mark.skipif(os.name != "posix", reason="uses POSIX signals")


def run_script(body, **options):
    """Start a Python program with `hard_formula` and the solvers, as `backends`, at hand."""
    head = (
        f"import sys, os; sys.path.insert(0, {TESTS!r})\n"
        "import bnnkit.solvers as backends\n"
        "from solvers.formulas import hard_formula\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", head + textwrap.dedent(body)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def alive(pid):
    """Whether a process exists and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone_within(pid, seconds):
    end = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return not alive(pid)


def pid_of(remote):
    return remote._child._process.pid


def test_methods_are_called_in_another_process():
    remote = RemoteObject(list, "abc")
    assert remote.call("index", "b") == 1
    assert remote.call("append", "d") is None
    assert remote.call("count", "d") == 1
    assert pid_of(remote) != os.getpid()
    remote.release()


def test_exceptions_come_back_and_the_object_lives_on():
    remote = RemoteObject(list, "abc")
    with pytest.raises(ValueError, match="not in list"):
        remote.call("index", "z")
    assert remote.call("index", "a") == 0
    remote.release()


def test_a_released_process_is_used_again_without_the_old_object():
    first = RemoteObject(list, "abc")
    pid = pid_of(first)
    first.release()
    second = RemoteObject(list, "xyz")
    assert pid_of(second) == pid
    assert second.call("count", "a") == 0
    second.release()


def test_few_idle_processes_are_kept():
    remotes = [RemoteObject(list) for _ in range(_process.KEPT + 2)]
    for remote in remotes:
        remote.release()
    assert len(_process._idle) == _process.KEPT
    assert [remote._child.usable for remote in remotes].count(True) == _process.KEPT


@posix
@pytest.mark.parametrize("how", ["kill", "exit"])
def test_a_dead_child_is_an_engine_lost_and_no_zombie(how):
    remote = RemoteObject(list)
    if how == "kill":
        os.kill(pid_of(remote), signal.SIGKILL)
    else:
        remote.kill()
    for _ in range(2):
        with pytest.raises(EngineLost, match="process"):
            remote.call("clear")
    remote.release()
    with pytest.raises(ChildProcessError):
        os.waitpid(pid_of(remote), os.WNOHANG)


@posix
def test_a_child_that_dies_while_it_searches_gives_unknown_with_the_reason():
    with solvers.get("cadical")(Formula(2)) as solver:
        solver.solve()
        os.kill(pid_of(solver._remote), signal.SIGSEGV)
        outcome = solver.solve()
        assert (outcome.status, outcome.reason) == (
            "unknown",
            "the solver's process ended with exit code -11",
        )
        solver.add_clause([1])
        assert solver.solve().model[0]


def test_a_child_that_dies_between_two_calls_is_replaced():
    with solvers.get("cadical")(Formula(2)) as one:
        one.add_clause([1])
        assert one.solve().status == "sat"
        one._remote.kill()
        one.add_clause([-1, 2])
        assert one.solve().model.tolist() == [True, True]


def test_a_forgotten_solver_takes_its_process_along():
    solver = solvers.get("cadical")(Formula(1))
    solver.solve()
    pid = pid_of(solver._remote)
    del solver
    gc.collect()  # tracebacks of earlier tests may know the process as well
    assert gone_within(pid, 2)


@posix
def test_the_program_ends_at_once_with_a_solver_left_open():
    program = run_script("""
        solver = backends.get("cadical")(hard_formula())
        solver.solve([-1])
        print(solver._remote._child._process.pid, flush=True)
        """)
    started = time.monotonic()
    out, err = program.communicate(timeout=20)
    assert (program.returncode, err) == (0, "")
    assert time.monotonic() - started < 15
    assert gone_within(int(out), 2)


@posix
def test_a_killed_program_leaves_no_search_behind():
    program = run_script("""
        solver = backends.get("cadical")(hard_formula())
        solver.solve([-1])
        print(solver._remote._child._process.pid, flush=True)
        solver.solve([1])
        """)
    pid = int(program.stdout.readline())
    time.sleep(0.3)
    assert alive(pid)
    program.kill()
    program.communicate()
    assert gone_within(pid, 2)


@posix
def test_a_program_killed_while_its_child_starts_leaves_nothing_behind():
    program = run_script("""
        import signal, time
        from bnnkit.solvers._process import RemoteObject
        remote = RemoteObject(time.sleep, 60)
        print(remote._child._process.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
        """)
    pid = int(program.communicate(timeout=20)[0])
    assert gone_within(pid, 5)


@posix
def test_ctrl_c_ends_a_program_without_noise_from_the_child():
    program = run_script(
        """
        from bnnkit.formula import Formula
        waiting = backends.get("cadical")(Formula(1))
        waiting.solve()
        with backends.get("cadical")(hard_formula()) as solver:
            solver.solve([-1])
            waiting.close()
            print(solver._remote._child._process.pid, flush=True)
            try:
                solver.solve([1])
            except KeyboardInterrupt:
                print("interrupted")
        """,
        start_new_session=True,
    )
    pid = int(program.stdout.readline())
    time.sleep(0.3)
    os.killpg(program.pid, signal.SIGINT)
    assert program.communicate(timeout=5) == ("interrupted\n", "")
    assert gone_within(pid, 2)


@posix
def test_the_users_program_is_not_run_again(tmp_path):
    script = tmp_path / "program.py"  # without the guard that multiprocessing would need
    script.write_text(
        "print('once')\n"
        "import bnnkit.solvers as s, bnnkit.formula as f\n"
        "print(s.get('cadical')(f.Formula(1)).solve().status)\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["once", "sat"]


@posix
def test_forks_use_processes_of_their_own():
    program = run_script("""
        from bnnkit.formula import Formula
        idle = backends.get("cadical")(Formula(1))
        idle.solve()
        idle.close()  # its process waits for the next solver
        kept = backends.get("cadical")(Formula(1))
        kept.solve()
        child = os.fork()
        if child == 0:
            fresh = backends.get("cadical")(Formula(1))
            assert fresh.solve([-1]).status == "sat"
            assert kept.solve().status == "sat"
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert kept.solve([1]).status == "sat"
        """)
    _, err = program.communicate(timeout=20)
    assert (program.returncode, err) == (0, "")
