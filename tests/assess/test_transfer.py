import re
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import random_network

from bnnkit import BNNClassifier, _progress, attacks
from bnnkit.assess import AdversarialPool, Rate, make_pool, transfer_matrix, transfer_study


@pytest.fixture(scope="module")
def case():
    """Three networks of the same shape, and 250 images with the classes of the first."""
    rng = np.random.default_rng(5)
    images, networks = rng.integers(0, 256, (250, 1, 3, 3)).astype(np.uint8), []
    while len(networks) < 3:
        network = random_network(rng, (1, 3, 3), ("dense",), 0.25)
        if np.bincount(network.predict(images)).max() < 180:  # not one class for nearly all
            networks.append(network)
    labels = networks[0].predict(images)
    labels[:20] = (labels[:20] + 1) % 3
    return networks, images, labels


EXACT, JOINT = attacks.Exact(timeout=10.0), attacks.JointExact(timeout=10.0)


def test_a_pool_holds_what_fools_its_source(case):
    (network, *_), images, labels = case
    pool = make_pool("first", network, EXACT, images, labels, 0.2)
    result = EXACT(network, images, labels, 0.2)
    right = network.predict(images) == labels
    assert pool.index.tolist() == np.flatnonzero(result.success & right).tolist()
    assert (network.predict(pool.images) != pool.labels).all()
    assert (network.predict(pool.originals) == pool.labels).all()
    assert np.abs(pool.images - pool.originals / 255).max() <= 0.2 + 6e-8
    assert (pool.originals == images[pool.index]).all()
    assert (pool.n_tried, pool.n_wrong, pool.n_undecided) == (250, 20, 0)


@pytest.mark.parametrize("size", [1, 3, 100, 10_000])
def test_a_pool_ends_with_its_last_image(size, case):
    (network, *_), images, labels = case
    every = make_pool("first", network, EXACT, images, labels, 0.2)
    pool = make_pool("first", network, EXACT, images, labels, 0.2, size)
    assert pool.index.tolist() == every.index[:size].tolist()
    if size < len(every):
        assert pool.n_tried == pool.index[-1] + 1
    assert pool.n_wrong == (network.predict(images[: pool.n_tried]) != labels[: pool.n_tried]).sum()


def test_progress_is_in_images(case, monkeypatch, capsys):
    monkeypatch.setattr(_progress, "_SECONDS_BETWEEN_LINES", 0.0)
    (network, *_), images, labels = case
    for size, form in (
        (None, r"attacking first: {tried} of 250, .*, {found} found"),
        (150, r"attacking first: {found} of 150, .*, found in {tried} images"),
    ):
        pool = make_pool("first", network, EXACT, images, labels, 0.2, size)
        lines = [line for line in capsys.readouterr().err.splitlines() if "attacking" in line]
        for i, line in enumerate(lines):
            found = int((pool.index < 100 * i).sum())
            assert re.fullmatch(form.format(tried=100 * i, found=found), line)
        assert len(lines) >= 2


def test_a_joint_attack_makes_a_pool_of_several_models(case):
    networks, images, labels = case
    pool = make_pool("two", networks[:2], JOINT, images, labels, 0.3)
    assert len(pool) > 0
    for network in networks[:2]:
        assert (network.predict(pool.images) != pool.labels).all()
        assert (network.predict(pool.originals) == pool.labels).all()


def test_the_matrix_counts_fooled_targets(case):
    networks, images, labels = case
    pools = [
        make_pool(name, networks[0], attack, images[:size], labels[:size], eps)
        for eps, size in ((0.3, 100), (0.1, 150))
        for name, attack in (("exact", EXACT), ("noise", attacks.RandomNoise(5, random_state=0)))
    ][:3]
    targets = {"second": networks[1], "third": networks[2]}
    found = transfer_matrix(targets, pools)
    assert (found.eps, found.sources) == ([0.1, 0.3], ["exact", "noise"])
    for pool in pools:
        for name, target in targets.items():
            fooled = sum(
                int(target.predict(image[None])[0] != label)
                for image, label in zip(pool.images, pool.labels, strict=True)
            )
            assert found.rate(pool.eps, name, pool.source) == Rate(fooled, len(pool))
    matrix = found.matrix(0.1)
    assert (matrix.row_names, matrix.column_names) == (["second", "third"], ["exact", "noise"])
    rate = found.rate(0.1, "third", "exact")
    assert matrix.values[1, 0] == rate.share
    assert (matrix.low[1, 0], matrix.high[1, 0]) == rate.interval
    assert np.isnan(matrix.values[:, 1]).all()  # no pool of noise with 0.1
    assert found.rate(0.1, "third", "noise") == Rate(0, 0)
    wrong = (networks[2].predict(pools[0].originals) != pools[0].labels).sum()
    assert found.wrong[1, 1, 0] == wrong
    assert len(found.rows()[1]) == 2 * 2 * 2


def test_an_empty_pool_fools_nobody(case):
    networks, images, labels = case
    pool = make_pool("none", networks[0], EXACT, images, labels, 0)
    assert len(pool) == 0
    matrix = transfer_matrix({"second": networks[1]}, [pool]).matrix(0)
    assert np.isnan(matrix.values).all()


def test_wrong_use(case):
    networks, images, labels = case
    pool = make_pool("a", networks[0], EXACT, images[:30], labels[:30], 0.2)
    with pytest.raises(ValueError, match=r"two pools of 'a' with eps 0\.2"):
        transfer_matrix({"t": networks[1]}, [pool, pool])
    with pytest.raises(ValueError, match="got 0 targets and 1 pools"):
        transfer_matrix({}, [pool])
    with pytest.raises(ValueError, match=r"eps must be one of \[0.2\], got 0.3"):
        transfer_matrix({"t": networks[1]}, [pool]).matrix(0.3)
    with pytest.raises(ValueError, match="size must be"):
        make_pool("a", networks[0], EXACT, images, labels, 0.2, size=0)
    with pytest.raises(ValueError, match="must be the same number"):
        AdversarialPool("a", 0.1, images / 255, images[:1], labels, labels, 1, 0, 0, 0.0)


def test_a_study_fits_fresh_targets(case):
    _, images, _ = case
    labels = (images[:, 0, 0].mean(axis=1) > images[:, 0, 2].mean(axis=1)).astype(np.int64)
    train, made = SimpleNamespace(images=images, labels=labels), []

    def maker(kind):
        def make(seed):
            made.append((kind, seed))
            return BNNClassifier(kind, quant_step=0.25, epochs=10, random_state=seed)

        return make

    factories = {kind: maker(kind) for kind in ("4", "8")}
    found, pools = transfer_study(
        *(factories, JOINT, train, images[:80], labels[:80], [0.3, 0.1]),
        size=5,
        n_models=2,
        random_state=7,
    )
    assert made == [("4", 7), ("4", 8), ("8", 7), ("8", 8), ("4", 9), ("8", 9)]
    assert found.fooled.shape == (2, 2, 2)
    assert [(pool.source, pool.eps) for pool in pools] == [
        *(("4", 0.3), ("4", 0.1), ("8", 0.3), ("8", 0.1))
    ]
    assert all(len(pool) <= 5 for pool in pools)
