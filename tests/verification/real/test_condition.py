import numpy as np
import pytest

from bnnkit.verification.real import Condition


def test_a_tie_is_a_counterexample():
    condition = Condition.not_class(1, 3)
    assert not condition.holds([0, 1, 0])
    assert condition.holds([1, 1, 0])
    assert condition.holds([0, 1, 5])


def test_all_comparisons_of_a_case_must_hold():
    condition = Condition([[(0, 1), (0, 2)], [(2, 1)]])
    scores = np.array([[5, 5, 1], [4, 4, 1], [3, 6, 0]])  # (classes, points)
    np.testing.assert_array_equal(condition.leads(scores), [[1, -1, 0], [-1, 2, -1]])
    np.testing.assert_array_equal(condition.holds(scores), [True, True, True])
    assert not condition.holds([0, 1, 0])


@pytest.mark.parametrize("cases", [[], [[]], [[(0, 1)], []], [[(-1, 0)]]])
def test_wrong_cases(cases):
    with pytest.raises(ValueError):
        Condition(cases)


def test_classes_that_there_are_not():
    with pytest.raises(ValueError, match="class 7 of 0 to 2"):
        Condition([[(7, 0)]]).check(3)
    with pytest.raises(ValueError, match="label must be"):
        Condition.not_class(3, 3)
