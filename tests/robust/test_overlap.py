"""Images to train on and images to judge by are apart: by content, and by original."""

import numpy as np
import pytest

from bnnkit.attacks import RandomNoise
from bnnkit.robust import Live, Mixed, Originals, Pool, train

NOISE = RandomNoise(tries=5, low=1, random_state=0)


def pool_of(seed, n=30, **options):
    rng = np.random.default_rng(seed)
    return Pool(rng.random((n, 1, 4, 4)), np.arange(n) % 2, **options)


def with_first(pool, images, **options):
    """The pool, but its first images are these."""
    changed = pool.images.copy()
    changed[: len(images)] = images
    return Pool(changed, pool.labels, **options)


def untrained():
    pytest.fail("a model was made")


def refused(stripes, source, judge, message, **options):
    with pytest.raises(ValueError, match=message):
        train(
            untrained,
            source,
            stripes,
            eps=0.1,
            rounds=1,
            images_per_round=5,
            judge=judge,
            **options,
        )


def accepted(stripes, nearest_mean, source, judge, **options):
    train(
        nearest_mean, source, stripes, eps=0.1, rounds=1, images_per_round=5, judge=judge, **options
    )


@pytest.mark.parametrize("n", [1, 3])
def test_a_pool_to_judge_by_with_images_of_the_pool_to_train_on(stripes, nearest_mean, n):
    learned, judged = pool_of(0), pool_of(1)
    accepted(stripes, nearest_mean, learned, {"transfer": judged})
    common = with_first(judged, learned.images[-n:])
    message = f"{n} of the judging pool 'transfer' are among the images to train on"
    refused(stripes, learned, {"transfer": common}, message)
    mixed = Mixed([Live(NOISE), learned], [0.5, 0.5])
    refused(stripes, mixed, {"other": judged, "transfer": common}, message)
    refused(stripes, Originals(), {"transfer": common}, message, start=learned)


def test_an_image_of_eight_bits_is_the_same_as_a_float(stripes):
    grey = np.random.default_rng(0).integers(0, 256, (30, 1, 4, 4)).astype(np.uint8)
    labels = np.arange(30) % 2
    judged = {"a": Pool(grey / 255, labels)}
    refused(stripes, Pool(grey, labels), judged, "30 of the judging pool 'a'")


def test_pools_made_from_the_same_original(stripes, nearest_mean):
    learned, judged = (pool_of(i, origin=np.arange(30) + 25 * i) for i in range(2))
    message = "5 of the originals of the judging pool 'transfer' are among"
    start = np.arange(100, 150)
    refused(stripes, learned, {"transfer": judged}, message, start=start)
    apart = pool_of(1, origin=np.arange(30) + 30)
    accepted(stripes, nearest_mean, learned, {"transfer": apart}, start=start)
    of_test = pool_of(1, origin=np.arange(30), split="test")
    accepted(stripes, nearest_mean, learned, {"transfer": of_test}, start=start)
    unknown = pool_of(1, origin=np.full(30, -1))
    accepted(stripes, nearest_mean, unknown, {"transfer": unknown_too()}, start=start)


def unknown_too():
    return pool_of(2, origin=np.full(30, -1))


def test_a_pool_to_judge_by_that_was_made_from_images_to_train_on(stripes, nearest_mean):
    judged = {"transfer": pool_of(1, origin=np.arange(100, 130))}
    refused(stripes, Live(NOISE), judged, "30 of the originals", start=50)  # it may take them
    refused(stripes, pool_of(0), judged, "30 of the originals")  # all images are learned
    refused(stripes, pool_of(0), judged, "10 of the originals", start=110)
    accepted(stripes, nearest_mean, pool_of(0), judged, start=100)


def test_a_pool_to_judge_by_with_training_images_themselves(stripes, nearest_mean):
    images = stripes.train.images[60:63] / 255
    judged = {"transfer": with_first(pool_of(1), images)}
    refused(stripes, pool_of(0), judged, "3 of the judging pool")
    refused(stripes, pool_of(0), judged, "1 of the judging pool", start=61)
    accepted(stripes, nearest_mean, pool_of(0), judged, start=60)


def test_a_pool_to_train_on_that_comes_from_test_images(stripes):
    refused(stripes, pool_of(0, split="test"), None, "made from test images")
    refused(stripes, Originals(), None, "made from test images", start=pool_of(0, split="test"))
    images = stripes.test.images[[7, 40]] / 255
    refused(stripes, with_first(pool_of(0), images), None, "2 of the test images are among")


def test_test_images_may_be_judged_by_as_they_are(stripes, nearest_mean):
    test = Pool(stripes.test.images, stripes.test.labels, split="test")
    accepted(stripes, nearest_mean, Live(NOISE), {"again": test})
