import numpy as np
import pytest
from planes import WORDS, bits_of_planes, planes_of_bits

from bnnkit.kernels.slicing import SCRATCH, counts_of_planes, slice_levels


@pytest.mark.parametrize("n_images", [256, 512])
@pytest.mark.parametrize("n_pixels", [1, 31, 32, 33, 64, 75])
@pytest.mark.parametrize("complement", [True, False])
@pytest.mark.parametrize(("added", "shift"), [([0], [0]), ([1, 0], [1, 1]), ([0] * 8, range(8))])
def test_planes_hold_the_bits_of_levels(n_images, n_pixels, complement, added, shift):
    rng = np.random.default_rng(n_pixels)
    levels = rng.integers(0, 255, (n_images, n_pixels), np.uint8)
    depth = len(added)
    size = 8 * depth * n_pixels  # words of all planes; the pixels are in another order there
    target = 8 * depth * rng.permutation(n_pixels).astype(np.uint64)
    planes = np.zeros(2 * size, WORDS[n_images])
    flat = np.concatenate([levels.ravel(), np.zeros(max(0, 32 - n_pixels), np.uint8)])
    slice_levels(
        flat,
        np.uint64(n_pixels),
        np.array(added, np.uint8),
        np.array(shift, np.uint8),
        np.uint64(size * complement),
        target,
        np.empty(SCRATCH, np.uint8),
        planes.view(np.uint8),
        np.uint64(n_images // 8),
    )
    bits = bits_of_planes(planes, n_images)
    for pixel, place in enumerate((target // 8).tolist()):
        for i in range(depth):
            expected = (levels[:, pixel].astype(int) + added[i]) >> shift[i] & 1
            assert (bits[place + i] == expected).all()
    assert (bits[size // 8 :] == (1 - bits[: size // 8] if complement else 0)).all()


@pytest.mark.parametrize("n_images", [256, 512])
@pytest.mark.parametrize("n_digits", [1, 3, 20])
def test_counts_come_back_as_integers(n_images, n_digits):
    expected = np.random.default_rng(0).integers(0, 2**n_digits, (3, n_images))
    digits = expected[:, None] >> np.arange(n_digits)[:, None] & 1
    planes = planes_of_bits(digits.reshape(-1, n_images).astype(np.uint8))
    planes = np.concatenate([np.zeros(16, planes.dtype), planes])
    counts = np.full((3, n_images), -1)
    counts_of_planes(
        planes.view(np.uint8), np.uint64(16), np.uint64(n_images // 8), np.uint64(n_digits), counts
    )
    assert (counts == expected).all()
