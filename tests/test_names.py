import pytest

from bnnkit._names import unknown


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("minst", "; did you mean 'mnist'?"),
        ("MNIST", "; did you mean 'mnist'?"),
        ("zzz", ""),
        ("", ""),
        (3, ""),
        (None, ""),
    ],
)
def test_the_right_names_and_the_nearest_one(name, hint):
    known = {"digits": 1, "mnist": 2}
    said = unknown("data set", name, known)
    assert said == f"there is no data set {name!r}; there are digits, mnist{hint}"
