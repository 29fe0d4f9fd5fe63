"""Fixtures for all rooms."""

import os
import signal
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_home():
    """The folder of the real data sets: $BNNKIT_DATA, or shared/data beside the repository."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    place = Path(os.environ.get("BNNKIT_DATA") or beside)
    if not place.is_dir():
        pytest.skip(f"no real data in {place}; set BNNKIT_DATA to the folder that holds MNIST/raw")
    return place


@pytest.fixture(scope="session", autouse=True)
def _own_key(tmp_path_factory):
    """A key for the folders of robust training that is not the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BNNKIT_KEY", str(tmp_path_factory.mktemp("key") / "key"))
        yield


def pytest_addoption(parser):
    """The solvers that the conformance suite runs."""
    parser.addoption(
        "--solver",
        default="minicard,cadical,cp-sat,native,backtracking",
        help="solvers to test, separated by commas, with encodings (cadical:seqcounter); or all",
    )


def pytest_configure(config):
    """Hear Ctrl-C: a shell that runs the tests in the background has it ignored by children."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
