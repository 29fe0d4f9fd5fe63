import pytest
import tiny_zoo


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A network with its recipe, run, card and zoo; see `tiny_zoo.make`."""
    return tiny_zoo.make(tmp_path_factory.mktemp("tiny"))
