import json
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from bnnkit import datasets
from bnnkit.attacks import FGSM, PGD, Attack, Exact, RandomNoise
from bnnkit.network import BinaryNetwork, Conv2d, Head
from bnnkit.quantiser import Quantiser
from bnnkit.robust import Drawn, Pool, Source, train

NOISE = RandomNoise(tries=20, low=1, random_state=0)


def fingerprint(history):
    """Everything but seconds."""
    rounds = [
        (r.n_train, r.clean_accuracy, {k: (c.robust, c.falsified) for k, c in r.judged.items()})
        for r in history.rounds
    ]
    return rounds, [drawn.images.tobytes() for drawn in history.added]


def digits(n_train=400, n_test=40):
    data = datasets.load("digits")
    return SimpleNamespace(
        train=SimpleNamespace(
            images=data.train.images[:n_train], labels=data.train.labels[:n_train]
        ),
        test=SimpleNamespace(images=data.test.images[:n_test], labels=data.test.labels[:n_test]),
    )


def test_rounds_grow_the_training_set_by_what_was_found(stripes, nearest_mean):
    history = train(nearest_mean, NOISE, stripes, eps=0.1, rounds=3, images_per_round=30)
    assert [r.index for r in history.rounds] == [0, 1, 2, 3]
    n_train = 200
    for before, r, drawn, model in zip(
        [None, *history.models], history.rounds, history.added, history.models, strict=False
    ):
        n_train += r.n_added
        assert r.n_attacked == (30 if r.index else 0)
        assert 0 < r.n_added < 30 or r.index == 0
        assert r.n_added == len(drawn.images) == len(drawn.labels)
        assert r.n_train == n_train
        images, labels = model.fits[0]
        assert len(images) == n_train
        if r.index:  # they are the last ones, and did fool the model before
            assert (images[-r.n_added :] == drawn.images).all()
            assert (labels[-r.n_added :] == drawn.labels).all()
            assert (before.predict(drawn.images) != drawn.labels).all()
    pool, labels = history.pool
    assert len(pool) == len(labels) == n_train - 200


def test_added_images_are_near_training_images_and_none_is_used_twice(stripes, nearest_mean):
    history = train(nearest_mean, NOISE, stripes, eps=0.1, rounds=4, images_per_round=50)
    originals = stripes.train.images / 255
    used = []
    for image, label in zip(*history.pool, strict=True):
        distance = np.abs(originals - image).max(axis=(1, 2, 3))
        used.append(int(distance.argmin()))
        assert distance.min() <= 0.1
        assert stripes.train.labels[used[-1]] == label
    assert len(set(used)) == len(used) > 0
    assert sum(r.n_attacked for r in history.rounds) == 200  # all of them, once


def test_judges_see_the_first_test_images_and_counts_add_up(stripes, nearest_mean):
    judges = {"noise": NOISE, "none": RandomNoise(random_state=0)}
    history = train(nearest_mean, NOISE, stripes, eps=0.1, judge=judges, n_judge=25, rounds=1)
    for r, model in zip(history.rounds, history.models, strict=True):
        clean = stripes.test.images / np.float32(255)
        assert r.clean_accuracy == (model.predict(clean) == stripes.test.labels).mean()
        for name, judge in judges.items():
            again = judge(model, stripes.test.images[:25], stripes.test.labels[:25], 0.1)
            counts = r.judged[name]
            assert counts.n == 25
            assert counts.falsified == again.success.sum()
            assert counts.robust == again.withstood.sum()
            assert counts.unknown == 0
            assert not counts.complete


def test_no_more_judges_than_test_images(stripes, nearest_mean):
    history = train(nearest_mean, NOISE, stripes, eps=0.1, rounds=1, n_judge=1000)
    assert history.rounds[0].judged["RandomNoise"].n == 60


def test_undecided_is_never_robust_and_never_added(stripes, nearest_mean):
    class Hesitant(Attack):
        """Answers only where the first pixel is dark."""

        def _perturb(self, model, ball, labels):
            return ball.center, ball.center[:, 0, 0, 0] > 0.2

    history = train(nearest_mean, Hesitant(), stripes, eps=0.1, rounds=1, images_per_round=200)
    for r, model in zip(history.rounds, history.models, strict=True):
        counts = r.judged["Hesitant"]
        correct = model.predict(stripes.test.images / np.float32(255)) == stripes.test.labels
        unclear = stripes.test.images[:, 0, 0, 0] > 0.2 * 255
        assert counts.unknown == (correct & unclear).sum() > 0
        assert counts.robust == (correct & ~unclear).sum() > 0
        assert counts.falsified == (~correct).sum()
    second = history.rounds[1]
    assert second.n_undecided > 0
    assert second.n_added + second.n_undecided < second.n_attacked == 200


def test_a_seed_repeats_the_run(stripes, nearest_mean):
    first, again, other = (
        train(
            nearest_mean, NOISE, stripes, eps=0.1, rounds=2, images_per_round=30, random_state=seed
        )
        for seed in (0, np.int64(0), 1)
    )
    assert fingerprint(first) == fingerprint(again)
    assert fingerprint(first) != fingerprint(other)


def test_a_model_is_recreated_or_continued(stripes, nearest_mean):
    recreated = train(nearest_mean, NOISE, stripes, eps=0.1, rounds=2, images_per_round=20)
    assert len({id(model) for model in recreated.models}) == 3
    assert [len(model.fits) for model in recreated.models] == [1, 1, 1]
    continued = train(
        nearest_mean, NOISE, stripes, eps=0.1, rounds=2, images_per_round=20, recreate=False
    )
    assert len({id(model) for model in continued.models}) == 1
    sizes = [len(images) for images, _ in continued.model.fits]
    assert sizes == [r.n_train for r in continued.rounds]
    assert sizes == sorted(sizes)


def test_pool_slices_do_not_repeat(stripes, nearest_mean):
    pool = np.random.default_rng(5).random((70, 1, 4, 4)), np.arange(70) % 2
    history = train(nearest_mean, pool, stripes, eps=0.1, rounds=3, images_per_round=20)
    assert [r.n_added for r in history.rounds] == [0, 20, 20, 20]
    assert [r.judged for r in history.rounds] == [{}] * 4  # nothing to judge with by default
    images, labels = history.pool
    assert (images == pool[0][:60].astype(np.float32)).all()
    assert (labels == pool[1][:60]).all()


def test_the_pool_of_one_run_can_feed_another(stripes, nearest_mean):
    first = train(nearest_mean, NOISE, stripes, eps=0.1, rounds=1, images_per_round=200)
    n = len(first.pool[0])
    second = train(
        nearest_mean, first.pool, stripes, eps=0.1, rounds=1, images_per_round=n, judge=NOISE
    )
    assert second.rounds[-1].n_train == first.rounds[-1].n_train
    assert (second.model.means == first.model.means).all()


def test_a_pool_that_is_used_up_is_refused_before_any_training(stripes, nearest_mean):
    pool = Pool(np.random.default_rng(5).random((50, 1, 4, 4)), np.arange(50) % 2)
    options = {"eps": 0.1, "rounds": 1, "images_per_round": 20}
    for _ in range(2):
        assert train(nearest_mean, pool, stripes, **options).rounds[1].n_added == 20
    with pytest.raises(ValueError, match=r"1 rounds use 20 images .* 10 are left"):
        train(lambda: pytest.fail("a model was made"), pool, stripes, **options)


@pytest.mark.parametrize("form", [lambda *pool: pool, Pool])
def test_pool_labels_must_be_among_the_training_labels(stripes, nearest_mean, form):
    images, labels = np.zeros((10, 1, 4, 4)), np.arange(10) % 2
    labels[3] = 99
    with pytest.raises(ValueError, match="the pool has the label 99, the training labels end at 1"):
        train(nearest_mean, form(images, labels), stripes, eps=0.1, rounds=1, images_per_round=5)


def test_clean_accuracy_of_an_exact_network_is_on_the_images_as_given():
    """Grey values right between two levels, each with its class; float32 has others."""
    bright = Conv2d(np.ones((1, 1, 2, 2)), threshold=[10], sense=[1])  # sum of levels >= 10
    head = Head(np.array([-1, 1]).reshape(2, 1, 1, 1), scale=1, bias=[0, -1])
    network = BinaryNetwork(Quantiser(Fraction(32, 255)), [bright], head, (1, 2, 2))
    rng = np.random.default_rng(0)
    images = rng.choice([16, 48, 80, 112, 240], (100, 1, 2, 2)).astype(np.uint8)
    stand_ins = images / np.float32(255)
    assert (network.predict(stand_ins) != network.predict(images)).any()
    split = SimpleNamespace(images=images, labels=network.predict(images))

    class Ready:
        network_, predict = network, network.predict

        def fit(self, images, labels):
            return self

    data = SimpleNamespace(train=split, test=split)
    for attack in (NOISE, Exact()):
        history = train(Ready, attack, data, eps=0, rounds=1)
        assert [r.clean_accuracy for r in history.rounds] == [1.0, 1.0]
        assert history.rounds[0].judged[type(attack).__name__].robust == 100
        assert history.rounds[1].n_added == 0


def test_a_source_of_ones_own(stripes, nearest_mean):
    class Originals(Source):
        """A control: training images, unchanged, once more."""

        size = 1000

        def draw(self, model, count):
            images = stripes.train.images[:count] / np.float32(255)
            return Drawn(images, stripes.train.labels[:count], count, 0)

    history = train(nearest_mean, Originals(), stripes, eps=0.1, rounds=2, images_per_round=15)
    assert [r.n_train for r in history.rounds] == [200, 215, 230]


def test_the_history_so_far_can_be_saved_before_an_interrupt(stripes, nearest_mean, tmp_path):
    saved = []

    class Interrupted(nearest_mean):
        def fit(self, images, labels):
            if len(saved) == 2:
                raise KeyboardInterrupt
            return super().fit(images, labels)

    def on_round(history):
        history.to_json(tmp_path / "history.json")
        saved.append((history.model, len(history.pool[0])))

    with pytest.raises(KeyboardInterrupt):
        train(
            Interrupted, NOISE, stripes, eps=0.1, rounds=2, images_per_round=20, on_round=on_round
        )
    rounds = json.loads((tmp_path / "history.json").read_text())["rounds"]
    assert [r["index"] for r in rounds] == [0, 1]
    assert [n for _, n in saved] == [0, rounds[1]["n_added"]]
    assert [len(model.fits[0][0]) for model, _ in saved] == [r["n_train"] for r in rounds]


@pytest.mark.parametrize("attack", [RandomNoise(random_state=0), PGD(random_state=0), Exact()])
def test_a_binarized_network_is_hardened(attack):
    from bnnkit import BNNClassifier

    def make():
        return BNNClassifier("16", epochs=10, batch_size=20, random_state=0)

    judges = {"pgd": PGD(random_state=0), "exact": Exact()}
    history = train(make, attack, digits(), eps=0.03, rounds=1, judge=judges)
    assert history.rounds[1].n_added > 0
    for r in history.rounds:
        assert r.clean_accuracy > 0.5
        assert r.judged["pgd"].falsified <= r.judged["exact"].falsified
        assert r.judged["exact"].complete
        assert r.judged["exact"].n == 40


def test_hardening_against_pgd_helps_against_pgd():
    from bnnkit import BNNClassifier

    def make():
        return BNNClassifier("64", epochs=10, random_state=0)

    attack = PGD(random_state=0)
    history = train(make, attack, digits(1400, 100), eps=0.15, rounds=3, images_per_round=450)
    falsified = [r.judged["PGD"].falsified for r in history.rounds]
    assert falsified[-1] < falsified[0] - 5


def test_continuing_needs_a_model_that_goes_on(stripes):
    from bnnkit import BNNClassifier

    def make(warm_start):
        return BNNClassifier("16", epochs=2, warm_start=warm_start, random_state=0)

    with pytest.raises(ValueError, match="make it with warm_start=True"):
        train(lambda: make(False), NOISE, stripes, eps=0.1, rounds=2, recreate=False)
    history = train(lambda: make(True), NOISE, stripes, eps=0.1, rounds=2, recreate=False)
    fresh = train(lambda: make(True), NOISE, stripes, eps=0.1, rounds=2)
    x = stripes.test.images
    assert (history.model.decision_function(x) != fresh.model.decision_function(x)).any()


@pytest.mark.parametrize("attack", [RandomNoise(random_state=0), FGSM(), PGD(random_state=0)])
def test_a_real_valued_network(attack):
    from bnnkit import RealClassifier

    def make():
        return RealClassifier((32,), epochs=5, random_state=0)

    history = train(make, attack, digits(), eps=0.1, rounds=1)
    assert history.rounds[1].n_train == 400 + history.rounds[1].n_added > 400


@pytest.mark.parametrize("premade", [False, True])
def test_a_scikit_learn_classifier(premade):
    linear_model = pytest.importorskip("sklearn.linear_model")
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    def flat(images):
        return images.reshape(len(images), -1)

    def make():
        return make_pipeline(
            FunctionTransformer(flat), linear_model.LogisticRegression(max_iter=1000)
        )

    data, attack = digits(), RandomNoise(5, low=1, random_state=0)
    if premade:
        images, labels = data.train.images, data.train.labels
        attack = attack(make().fit(images / 255, labels), images, labels, 0.3).adversarial, labels
    judge = RandomNoise(5, low=1, random_state=1)
    history = train(make, attack, data, eps=0.3, rounds=2, judge=judge)
    images, labels = history.pool
    assert history.rounds[-1].n_train == 400 + len(images) > 400
    first, *_, last = ((model.predict(images) == labels).mean() for model in history.models)
    assert last > first
    for r in history.rounds:
        counts = r.judged["RandomNoise"]
        assert 0 < counts.robust < counts.n == 40 == counts.robust + counts.falsified


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"eps": 8}, ValueError, "pass 8/255"),
        ({"rounds": 0}, ValueError, "rounds must be a whole number of at least 1, got 0"),
        ({"images_per_round": 0}, ValueError, "images_per_round must be"),
        ({"n_judge": 2.5}, TypeError, "n_judge must be"),
        ({"random_state": -1}, ValueError, "random_state must be"),
        ({"images_per_round": 101}, ValueError, "2 rounds use 202 images .* 200 are left"),
        ({"attack": "pgd"}, TypeError, "attack must be an Attack, a premade pool"),
        ({"attack": (np.zeros((9, 1, 4, 4)), np.zeros(9, int))}, ValueError, "9 are left"),
        ({"attack": (np.zeros((9, 4, 4)), np.zeros(9, int))}, ValueError, r"the pool images"),
        ({"attack": (np.zeros((9, 1, 4, 4)), [0])}, ValueError, "one integer an image"),
        ({"judge": [NOISE]}, TypeError, "judge must be an Attack or a dict"),
        ({"make_model": {}}, TypeError, "function that returns a new model, got dict"),
        ({"make_model": dict}, TypeError, "model with fit, got dict"),
    ],
)
def test_mistakes(stripes, nearest_mean, changes, error, message):
    arguments = {"make_model": nearest_mean, "attack": NOISE, "data": stripes, "eps": 0.1}
    with pytest.raises(error, match=message):
        train(**(arguments | {"rounds": 2} | changes))


def test_mistakes_in_the_data(stripes, nearest_mean):
    empty = SimpleNamespace(images=np.zeros((0, 1, 4, 4)), labels=np.zeros(0, int))
    larger = SimpleNamespace(images=np.zeros((3, 1, 5, 5)), labels=np.zeros(3, int))
    for split, name in (("train", "training data"), ("test", "test data")):
        data = SimpleNamespace(**(vars(stripes) | {split: empty}))
        with pytest.raises(ValueError, match=f"{name}: images is empty"):
            train(nearest_mean, NOISE, data, eps=0.1)
    with pytest.raises(ValueError, match=r"test images have shape \(1, 5, 5\)"):
        train(nearest_mean, NOISE, SimpleNamespace(train=stripes.train, test=larger), eps=0.1)
