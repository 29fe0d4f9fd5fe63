"""No image serves both to train and to judge: checked before any training."""

import hashlib

from bnnkit._checks import unit_floats


def check_apart(training_pools, judged_pools, train, taken, test):
    """Raise where images for training and for judging are the same, or made from the same.

    Two pools are compared by content, and by original where both know theirs.

    Parameters
    ----------
    training_pools : list of Pool
        What is added to the training set, or is its start.
    judged_pools : dict of str to Pool
    train, test : ndarray
        The images of the two splits, uint8 or float64.
    taken : ndarray of int
        The training images that are in the training set, or may come in, changed or not.

    Raises
    ------
    ValueError
    """
    if not training_pools and not judged_pools:
        return
    for pool in training_pools:
        if pool.split == "test":
            raise ValueError(
                "a pool for training is made from test images, on which models are judged; make "
                "it from training images"
            )
        _refuse("the test images", _digests(test) & _digests(pool.images))
    if not judged_pools:
        return
    contents = [train[taken], *(pool.images for pool in training_pools)]
    learned = set().union(*map(_digests, contents))
    origins = set(taken.tolist()).union(*map(_origins, training_pools))
    for name, pool in judged_pools.items():
        _refuse(f"the judging pool {name!r}", learned & _digests(pool.images))
        if pool.split == "train":
            _refuse(f"the originals of the judging pool {name!r}", origins & _origins(pool))


def _refuse(name, common):
    if common:
        raise ValueError(
            f"{len(common)} of {name} are among the images to train on too; what judges must be "
            "apart from what is learned: take them out of one of both"
        )


def _origins(pool):
    return set() if pool.origin is None else set(pool.origin[pool.origin >= 0].tolist())


def _digests(images):
    """A digest of each image as float32."""
    floats = map(unit_floats, images)  # one by one: all at once may be much
    return {hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in floats}
