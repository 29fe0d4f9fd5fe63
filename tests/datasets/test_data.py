import dataclasses

import numpy as np
import pytest

from bnnkit.datasets import Dataset, Split


@pytest.fixture
def split():
    return Split(np.arange(5 * 6, dtype=np.uint8).reshape(5, 1, 2, 3), np.arange(5))


def test_a_split_knows_its_length_and_describes_itself(split):
    assert len(split) == 5
    assert repr(split) == "Split(5 images of 1x2x3)"
    assert repr(Dataset("toy", ("a", "b"), split, split.first(2))) == (
        "Dataset('toy', 2 classes, train: 5 images of 1x2x3, test: 2 images of 1x2x3)"
    )


@pytest.mark.parametrize("limit", [1, 3, 5, 99])
def test_first_keeps_the_order_and_copies(split, limit):
    part = split.first(limit)
    np.testing.assert_array_equal(part.images, split.images[:limit])
    np.testing.assert_array_equal(part.labels, split.labels[:limit])
    assert not np.shares_memory(part.images, split.images)  # the rest can be freed
    assert not np.shares_memory(part.labels, split.labels)


def test_first_without_limit_is_all(split):
    assert split.first(None) is split


def test_fields_cannot_be_replaced(split):
    with pytest.raises(dataclasses.FrozenInstanceError):
        split.labels = None
