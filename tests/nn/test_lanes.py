import copy
import pickle
import threading

import numpy as np
import pytest

from bnnkit.nn.lanes import Workspace, n_slabs


@pytest.mark.parametrize(
    ("n_images", "expected"), [(1, (4, 2, 1)), (64, (4, 2, 1)), (65, (8, 4, 2))]
)
def test_slabs_hold_all_images_and_as_many_in_every_width(n_images, expected):
    assert tuple(n_slabs(n_images, lanes) for lanes in (16, 32, 64)) == expected


def test_an_array_is_made_once_for_its_name_shape_and_type():
    space = Workspace()
    array = space.lanes("x", 100, 3, 5, np.int8)
    assert array.shape == (2, 3, 5, 64)
    assert space.lanes("x", 70, 3, 5, np.int8) is array
    others = [
        space.lanes("y", 100, 3, 5, np.int8),
        space.lanes("x", 10, 3, 5, np.int8),
        space.lanes("x", 100, 3, 5, np.float32),
    ]
    assert not any(np.shares_memory(array, other) for other in others)
    assert others[2].shape == (8, 3, 5, 16)
    assert space.lanes("x", 100, 3, 5, np.int16).shape == (4, 3, 5, 32)
    assert space.lanes("x", 100, 3, 5, np.int16, 64).shape == (2, 3, 5, 64)
    assert space.table(np.int8) is space.table(np.int8)
    assert space.table(np.int8).nbytes == space.table(np.float32).nbytes


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_shares_nothing(duplicate):
    space = Workspace()
    array = space.array("x", (4,), np.float32)
    array[:] = 7
    assert not duplicate(space).array("x", (4,), np.float32).any()


def test_cleared_memory_is_taken_anew():
    space = Workspace()
    array = space.array("x", (4,), np.float32)
    space.clear()
    assert not np.shares_memory(space.array("x", (4,), np.float32), array)


def test_threads_share_nothing():
    space, made = Workspace(), []
    thread = threading.Thread(target=lambda: made.append(space.array("x", (4,), np.float32)))
    thread.start()
    thread.join()
    assert not np.shares_memory(space.array("x", (4,), np.float32), made[0])
