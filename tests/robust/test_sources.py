"""Each source against what it says it gives."""

import time
from fractions import Fraction

import numpy as np
import pytest

from bnnkit.attacks import Attack, RandomNoise
from bnnkit.ensemble import Vote
from bnnkit.robust import Live, Mixed, Noise, Originals, Pool, Relabelled, Stock

EPS = 0.1
ATTACK = RandomNoise(20, low=1, random_state=0)


@pytest.fixture
def images(stripes):
    return stripes.train.images


@pytest.fixture
def labels(stripes):
    return stripes.train.labels


@pytest.fixture
def fitted(nearest_mean, images, labels):
    """A function: a model that is fitted on some of the images."""
    return lambda part: nearest_mean().fit(images[part] / np.float32(255), labels[part])


def stock_of(images, labels, order=None, eps=EPS, seconds=np.inf):
    order = np.arange(len(images))[::-1] if order is None else order
    stock = Stock(images, labels, eps, order, True, seed=3)
    stock.begin(1, seconds)
    return stock


def test_live_attacks_each_image_once_in_the_given_order(images, labels, fitted):
    model, stock = fitted(slice(None)), stock_of(images, labels)
    for start in (0, 90):
        assert stock.left == 200 - start
        part = np.arange(200)[::-1][start : start + 90]
        drawn = Live(ATTACK).draw([model], 90, stock)
        result = ATTACK(model, images[part], labels[part], EPS)
        assert 0 < len(drawn.images) < 90
        assert (drawn.images == result.adversarial[result.success]).all()
        assert (drawn.labels == labels[part][result.success]).all()
        assert (drawn.origin == part[result.success]).all()
        assert (drawn.n_attacked, drawn.n_undecided) == (90, 0)


def test_refilling_finds_as_many_as_asked_for_and_wastes_none(images, labels, fitted):
    model, stock = fitted(slice(None)), stock_of(images, labels)
    order = np.arange(200)[::-1]
    fooled = ATTACK(model, images[order], labels[order], EPS).success
    assert 0 < fooled.sum() < 150
    drawn = Live(ATTACK, refill=True).draw([model], 25, stock)
    assert len(drawn.images) == 25
    assert stock.used == drawn.n_attacked > 25
    assert (model.predict(drawn.images) != drawn.labels).all()
    assert len(set(drawn.origin.tolist())) == 25
    rest = Live(ATTACK, refill=True).draw([model], 1000, stock)  # more than there are
    assert stock.left == 0
    assert rest.n_attacked + drawn.n_attacked == 200
    assert len(Live(ATTACK, refill=True).draw([model], 5, stock).images) == 0


def test_refilling_against_a_model_that_nothing_fools_ends(images, labels):
    class Knows:
        def predict(self, asked):
            return labels[:1].repeat(len(asked))

    same = np.flatnonzero(labels == labels[0])
    stock = stock_of(images, labels, order=same)
    drawn = Live(ATTACK, refill=True).draw([Knows()], 10, stock)
    assert len(drawn.images) == 0
    assert drawn.n_attacked == len(same)


def test_refilling_heeds_the_seconds(images, labels, fitted):
    class Slow(RandomNoise):
        def _perturb(self, model, ball, labels):
            time.sleep(0.02)
            return ball.center, False

    model, stock = fitted(slice(None)), stock_of(images, labels, seconds=0.05)
    drawn = Live(Slow(), refill=True).draw([model], 2, stock)
    assert stock.out_of_time
    assert 0 < drawn.n_attacked < 200


def test_each_of_several_models_is_attacked_on_its_share(images, labels, fitted):
    models = [fitted(slice(i, None, 3)) for i in range(3)]
    drawn = Live(ATTACK).draw(models, 100, stock_of(images, labels))
    place = np.arange(199, 99, -1)
    for i, model in enumerate(models):
        part = place[i::3]
        result = ATTACK(model, images[part], labels[part], EPS)
        mine = np.isin(drawn.origin, part)
        assert (drawn.origin[mine] == part[result.success]).all()
        assert (drawn.images[mine] == result.adversarial[result.success]).all()
    assert drawn.n_attacked == 100
    assert Live(ATTACK).draw(models, 2, stock_of(images, labels)).n_attacked == 2


class All(Attack):
    """Knows what it was given."""

    def __call__(self, models, images, labels, eps):
        self.given = models
        return ATTACK(Vote(models) if isinstance(models, list) else models, images, labels, eps)

    def _perturb(self, model, ball, labels):
        raise AssertionError


@pytest.mark.parametrize("k", [1, 3])
def test_an_attack_on_all_models_gets_the_list_and_one_on_the_vote_the_vote(
    k, images, labels, fitted
):
    models, attack = [fitted(slice(i, None, 3)) for i in range(k)], All()
    on_all = Live(attack, against="all").draw(models, 50, stock_of(images, labels))
    assert attack.given == models
    on_vote = Live(attack, against="vote").draw(models, 50, stock_of(images, labels))
    assert attack.given.members == tuple(models)
    assert (on_all.images == on_vote.images).all()
    assert (Vote(models).predict(on_all.images) != on_all.labels).all()


@pytest.mark.parametrize("low", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("eps", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("sign", ["random", "positive"])
def test_noise_is_what_its_formula_says(images, labels, sign, eps, low):
    images = images.copy()
    images[:, 0, 0], images[:, 0, 1] = 0, 255  # both ends, where it is clipped or reflected
    stock = stock_of(images, labels, eps=eps)
    drawn = Noise(low, sign).draw([], 60, stock)
    assert (drawn.origin == np.arange(199, 139, -1)).all()
    assert (drawn.labels == labels[drawn.origin]).all()
    x = images[drawn.origin] / 255
    change = drawn.images - x
    assert (drawn.images >= 0).all()
    assert (drawn.images <= 1).all()
    assert (np.abs(change) <= eps + 1e-7).all()
    if sign == "random":
        inside = (x > eps) & (x < 1 - eps)  # not clipped
        assert (np.abs(change[inside]) >= low * eps - 1e-6).all()
        if eps and inside.any():
            assert abs((change[inside] > 0).mean() - 0.5) < 0.1
        return
    up = change > 0
    assert (change[up] >= low * eps - 1e-6).all()
    size = np.where(up, change, -change / 0.3)  # the magnitude behind it
    clear = drawn.images > 0  # not cut at 0
    assert (size[clear] >= low * eps - 1e-5).all()
    assert (size <= eps + 1e-5).all()
    reflected = clear & ~up & (size > 1e-5)
    assert (x + size > 1 - 1e-5)[reflected].all()


def test_noise_is_uniform_and_new_in_each_round(images, labels):
    grey = np.full((200, 1, 4, 4), 0.5)
    stock = stock_of(grey, labels, eps=0.2)
    first = Noise(0.5).draw([], 200, stock)
    size = np.abs(first.images - 0.5) / 0.2
    assert abs(size.mean() - 0.75) < 0.01
    assert 0.5 <= size.min() < 0.51
    assert 0.99 < size.max() <= 1 + 1e-6
    again = stock_of(grey, labels, eps=0.2)
    assert (Noise(0.5).draw([], 200, again).images == first.images).all()
    later = stock_of(grey, labels, eps=0.2)
    later.begin(2, np.inf)
    assert (Noise(0.5).draw([], 200, later).images != first.images).any()


def test_originals_are_the_images_as_they_are(images, labels):
    stock = stock_of(images, labels)
    drawn = Originals().draw([], 30, stock)
    assert (drawn.images == images[::-1][:30] / np.float32(255)).all()
    assert (drawn.labels == labels[::-1][:30]).all()
    assert drawn.images.dtype == np.float32
    assert len(Originals().draw([], 500, stock).images) == 170


@pytest.mark.parametrize(
    ("shares", "count", "counts"),
    [
        ((0.5, 0.5), 7, [4, 3]),
        ((0.25, 0.75), 2, [1, 1]),
        ((1 / 3, 2 / 3), 9, [3, 6]),
        ((0.1, 0.9), 1, [0, 1]),
        ((Fraction(1, 3), Fraction(2, 3)), 5, [2, 3]),
    ],
)
def test_a_mixture_gives_each_its_share(images, labels, shares, count, counts):
    pool = Pool(np.random.default_rng(0).random((90, 1, 4, 4)), np.arange(90) % 2)
    mixed = Mixed([pool, Originals()], shares)
    assert mixed.parts(count) == list(zip([pool, mixed.sources[1]], counts, strict=True))
    stock = stock_of(images, labels)
    seen = []
    for index in (1, 2):
        stock.begin(index, np.inf)
        drawn = mixed.draw([], count, stock)
        n = counts[0]
        assert (drawn.images[:n] == pool.images[(index - 1) * n : index * n]).all()
        assert len(drawn.images) == count
        seen += drawn.origin[n:].tolist()
    assert seen == list(range(199, 199 - 2 * counts[1], -1))  # none twice


def test_mixtures_nest_and_do_not_share_images(images, labels, fitted):
    inner = Mixed([Originals(), Noise()], [0.5, 0.5])
    mixed = Mixed([inner, Live(ATTACK, refill=True)], [0.5, 0.5])
    assert [count for _, count in mixed.parts(20)] == [5, 5, 10]
    assert mixed.takes_training_images
    drawn = mixed.draw([fitted(slice(None))], 20, stock_of(images, labels))
    assert len(drawn.images) == len(set(drawn.origin.tolist())) == 20


def test_relabelled_images_are_those_of_the_source_with_one_label(images, labels):
    plain = Noise().draw([], 30, stock_of(images, labels))
    source = Relabelled(Noise(), label=2)
    drawn = source.draw([], 30, stock_of(images, labels))
    assert (drawn.images == plain.images).all()
    assert drawn.labels.tolist() == [2] * 30
    assert drawn.labels.dtype == np.int64
    assert source.detector == 2
    assert source.takes_training_images
    assert not Relabelled(Pool(images, labels), 2).takes_training_images


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Live("pgd"), TypeError, "attack must be an Attack such as .* got 'pgd'"),
        (lambda: Live(RandomNoise), TypeError, "attack must be an Attack"),
        (lambda: Live(ATTACK, against="both"), ValueError, "each, all, vote, got 'both'"),
        (lambda: Live(ATTACK, against=None), ValueError, "each, all, vote, got None"),
        (lambda: Noise(low=8), ValueError, r"low must be in \[0, 1\], got 8; it is a share of eps"),
        (lambda: Noise(low="0"), TypeError, "low must be a number"),
        (lambda: Noise(sign="up"), ValueError, "random or positive, got 'up'"),
        (lambda: Mixed([Noise()], [0.5]), ValueError, "with the sum 1"),
        (lambda: Mixed([Noise()], [0.5, 0.5]), ValueError, "one for each of 1 sources"),
        (lambda: Mixed([], []), ValueError, "one for each of 0 sources"),
        (lambda: Mixed([Noise(), ATTACK], [0.5, 0.5]), TypeError, "must be sources"),
        (lambda: Mixed([Noise(), Noise()], [0, 1]), ValueError, r"shares must be in \(0, 1\]"),
        (lambda: Mixed([Relabelled(Noise(), 2)], [1]), TypeError, "relabel the mixture"),
        (lambda: Relabelled(ATTACK, 2), TypeError, "source must be a source"),
        (lambda: Relabelled(Noise(), 1.5), TypeError, "label must be a whole number"),
    ],
)
def test_mistakes(make, error, message):
    with pytest.raises(error, match=message):
        make()
