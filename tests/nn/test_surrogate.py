import pytest

from bnnkit.nn.surrogate import SURROGATES, Window, window


def test_windows_by_name():
    assert window("tanh", 2) == Window(2.0, soft=True)
    assert window("hardtanh", 0.5) == Window(0.5, soft=False)
    assert isinstance(window("tanh", 2).scale, float)


@pytest.mark.parametrize("name", ["relu", None, ["tanh"]])
def test_unknown_names_are_answered_with_those_there_are(name):
    with pytest.raises(ValueError, match=f"one of {', '.join(SURROGATES)}, got"):
        window(name, 1.0)
