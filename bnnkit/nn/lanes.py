"""Arrays in which the images of a batch lie side by side; see `bnnkit.kernels.russians`."""

import threading

import numpy as np

from bnnkit.kernels._lanes import REGISTER, aligned
from bnnkit.kernels.russians import workspace

FLOATS = 16  # images in a slab of float32
_MOST = 64  # in one of int8


def n_slabs(n_images, lanes):
    """Slabs of `lanes` images for `n_images`: as many as fill slabs of 64."""
    return -(-n_images // _MOST) * (_MOST // lanes)


class Workspace(threading.local):
    """Arrays that the next batch uses again; each thread has its own, a copy has none."""

    def __init__(self):
        self._arrays = {}

    def array(self, name, shape, dtype):
        """The array of this name, shape and type, with what was last written to it."""
        key = name, shape, dtype
        if key not in self._arrays:
            self._arrays[key] = aligned(shape, dtype)
        return self._arrays[key]

    def lanes(self, name, n_images, sites, channels, dtype, lanes=None):
        """An array of lanes for `n_images`: (slabs, sites, channels, lanes).

        If not told, `lanes` are as many as fill a register.
        """
        lanes = lanes or REGISTER // np.dtype(dtype).itemsize
        return self.array(name, (n_slabs(n_images, lanes), sites, channels, lanes), dtype)

    def table(self, dtype):
        """A table of sums."""
        key = "table", dtype
        if key not in self._arrays:
            self._arrays[key] = workspace(dtype)
        return self._arrays[key]

    def clear(self):
        """Give back the memory of this thread's arrays."""
        self._arrays.clear()

    def __reduce__(self):
        return Workspace, ()
