import numpy as np
import pytest
from helpers import plain_conv

from bnnkit.kernels import output_size, patches

CASES = [
    ((5, 6), (3, 3), 1, 0),
    ((5, 6), (2, 3), 2, 1),
    ((8, 8), (4, 4), 2, 1),
    ((4, 4), (4, 4), 1, 0),
    ((3, 3), (3, 3), 1, 1),
    ((7, 5), (1, 1), 3, 0),
]


@pytest.mark.parametrize(("size", "kernel", "stride", "padding"), CASES)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint64, np.float32])
def test_a_product_with_patches_is_a_convolution(size, kernel, stride, padding, dtype):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 9, (2, *size, 3)).astype(dtype)
    weights = rng.integers(-1, 2, (4, 3, *kernel))
    windows = patches(x, kernel, stride, padding)
    assert windows.dtype == dtype
    flat = weights.transpose(0, 2, 3, 1).reshape(4, -1)
    z = (windows.astype(np.int64) @ flat.T).reshape(2, -1, 4)
    for image, result in zip(x, z, strict=True):
        plain = plain_conv(image.transpose(2, 0, 1), weights, stride, padding)
        assert (plain.reshape(4, -1) == result.T).all()
    rows, columns = (output_size(s, k, stride, padding) for s, k in zip(size, kernel, strict=True))
    assert z.shape[1] == rows * columns
