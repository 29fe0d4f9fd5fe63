import numba
import numpy as np
import pytest

from bnnkit.kernels._planes import full_plane, load_plane, store_plane


@numba.njit
def mixed(planes):
    """Plane 2 becomes (plane 0 and not plane 1) xor 5."""
    x, y = load_plane(planes, np.uint64(0)), load_plane(planes, np.uint64(8))
    store_plane(planes, np.uint64(16), (x & ~y) ^ full_plane(planes, np.uint64(5)))


@pytest.mark.parametrize("word", [np.uint32, np.uint64])
def test_a_plane_is_eight_words_of_the_array(word):
    planes = np.random.default_rng(0).integers(0, np.iinfo(word).max, 32, word, endpoint=True)
    before = planes.copy()
    mixed(planes)
    before[16:24] = (before[:8] & ~before[8:16]) ^ word(5)
    assert (planes == before).all()
