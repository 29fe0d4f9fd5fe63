import numpy as np
import pytest

from bnnkit import verify_all
from bnnkit.assess import Rate, by_class


def test_outcomes_are_counted_class_by_class():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 5, 200)
    labels[labels == 3] = 2  # a class without images
    status = rng.choice(["robust", "falsified", "unknown"], 200)
    table = by_class(status, labels, names="abcde")
    for c in range(5):
        for o, outcome in enumerate(table.outcomes):
            expected = sum(1 for s, y in zip(status, labels, strict=True) if (s, y) == (outcome, c))
            assert table.counts[c, o] == expected
    assert table.n.sum() == 200
    assert table.rates("unknown")[3] == Rate(0, 0)
    assert table.rows()[1][3] == ("d", 0, 0, 0, 0, 0.0, 1.0)
    assert str(table).splitlines()[4].split() == ["d", "0", "0", "0", "0", "-"]


def test_verdicts_and_masks(question):
    network, images, labels = question(1)
    verdicts = verify_all(network, images, labels, 0.2)
    of_verdicts = by_class(verdicts, labels)
    assert (of_verdicts.counts == by_class(verdicts.status, labels).counts).all()
    assert of_verdicts.counts.sum() == len(images)
    right = by_class(network.predict(images) == labels, labels)
    assert right.outcomes == ["right", "wrong"]
    assert right.counts[:, 1].sum() == 1


@pytest.mark.parametrize(
    ("outcomes", "labels", "names", "says"),
    [
        (["robust"], [0, 1], None, "one integer an image"),
        ([], [], None, "there are no images"),
        (["fine"], [0], None, "got 'fine'"),
        ([True], [2], ["a", "b"], "from 0 to 1"),
    ],
)
def test_wrong_tables(outcomes, labels, names, says):
    with pytest.raises(ValueError, match=says):
        by_class(outcomes, labels, names)
