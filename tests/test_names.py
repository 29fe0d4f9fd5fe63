import pytest

from bnnkit._names import nearest, unknown


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


@pytest.mark.parametrize(
    ("name", "known", "found"),
    [
        ("--epsilon", ["--question", "--eps"], "--eps"),  # one begins with the other
        ("--ep", ["--question", "--eps"], "--eps"),
        ("--question-kind", ["--quick", "--question"], "--question"),
        ("conv", ["mnist-conv", "convolution"], "convolution"),  # a beginning before an end
        ("Mnist-Conv-2", ["conv", "mlp"], "conv"),
        ("minisat", ["minisat22", "minisat-gh", "kissat"], "minisat22"),
        ("--epps", ["--steps", "--eps"], "--eps"),
        ("help", ["demo", "check"], None),
        ("gurobi", ["glucose4", "native"], None),
        ("--xyz", ["--eps"], None),
        ("--", ["--eps"], None),
        ("e", ["eps"], None),
    ],
)
def test_beginnings_before_similar_names(name, known, found):
    assert nearest(name, known) == (f"; did you mean {found!r}?" if found else "")
