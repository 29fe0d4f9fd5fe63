import runpy
import zipfile
from pathlib import Path

import numpy as np
import pytest

from bnnkit.datasets.digits import DIGITS, FILE

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_digits.py"


@pytest.fixture
def script():
    pytest.importorskip("sklearn")
    return runpy.run_path(str(SCRIPT))


@pytest.fixture
def splits():
    return DIGITS.read(DIGITS.find(None))


def test_the_file_is_small_and_its_origin_stands_beside_it():
    assert FILE.stat().st_size < 100_000
    text = FILE.with_suffix(".txt").read_text()
    assert "10.24432/C50P49" in text
    assert "CC BY 4.0" in text


def test_shapes_and_types(splits):
    assert sum(map(len, splits)) == 1797
    for split in splits:
        assert split.images.dtype == np.uint8
        assert split.images.shape == (len(split), 1, 8, 8)
        assert split.labels.dtype == np.int64


def test_grey_levels_are_the_counts_0_to_16_scaled(splits):
    scaled = [round(count * 255 / 16) for count in range(17)]
    for split in splits:
        assert np.unique(split.images).tolist() == scaled


def test_every_fifth_image_of_a_class_is_a_test_image(splits):
    train, test = (np.bincount(split.labels) for split in splits)
    np.testing.assert_array_equal(test, (train + test) // 5)


def test_the_two_splits_are_the_original_in_its_order(splits):
    source = pytest.importorskip("sklearn.datasets").load_digits()
    rows = [[], []]
    seen = [0] * 10
    for image, label in zip(source.images, source.target, strict=True):
        seen[label] += 1
        rows[seen[label] % 5 == 0].append((image, label))
    for split, expected in zip(splits, rows, strict=True):
        images, labels = zip(*expected, strict=True)
        np.testing.assert_array_equal(np.rint(split.images[:, 0] * (16 / 255)), images)
        np.testing.assert_array_equal(split.labels, labels)


def test_the_script_makes_this_file(script, tmp_path):
    again = tmp_path / "digits.npz"
    script["write"](again, script["make"]())
    with np.load(FILE) as shipped, np.load(again) as made:
        assert shipped.files == made.files
        for name in shipped.files:
            np.testing.assert_array_equal(shipped[name], made[name])
            assert shipped[name].dtype == made[name].dtype


def test_no_time_of_day_is_in_the_file():
    with zipfile.ZipFile(FILE) as file:
        assert {entry.date_time for entry in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
