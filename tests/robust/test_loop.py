import json
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from bnnkit import datasets
from bnnkit.attacks import FGSM, PGD, Attack, Exact, JointExact, RandomNoise, VoteExact
from bnnkit.network import BinaryNetwork, Conv2d, Head
from bnnkit.quantiser import Quantiser
from bnnkit.robust import (
    Drawn,
    Judge,
    Live,
    Mixed,
    Noise,
    Originals,
    Pool,
    Relabelled,
    Source,
    train,
)

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


def test_a_pool_that_is_too_small_is_refused_before_any_training(stripes, nearest_mean):
    pool = Pool(np.random.default_rng(5).random((50, 1, 4, 4)), np.arange(50) % 2)
    options = {"eps": 0.1, "images_per_round": 20}
    for _ in range(2):  # a pool serves many runs
        history = train(nearest_mean, pool, stripes, rounds=2, **options)
        assert (history.pool[0] == pool.images[:40]).all()
    with pytest.raises(ValueError, match=r"3 rounds use 60 images .* 50 are left"):
        train(lambda: pytest.fail("a model was made"), pool, stripes, rounds=3, **options)


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
    class Doubled(Source):
        """Training images, unchanged, once more."""

        def draw(self, models, count, stock):
            images = stock.images[:count] / np.float32(255)
            return Drawn(images, stock.labels[:count], count, 0)

    history = train(nearest_mean, Doubled(), stripes, eps=0.1, rounds=2, images_per_round=15)
    assert [r.n_train for r in history.rounds] == [200, 215, 230]
    assert history.origin.tolist() == [-1] * 30


def test_the_first_images_are_trained_on_and_the_others_attacked(stripes, nearest_mean):
    history = train(nearest_mean, NOISE, stripes, eps=0.1, rounds=2, images_per_round=50, start=90)
    images, labels = history.models[0].fits[0]
    assert (images == stripes.train.images[:90] / np.float32(255)).all()
    assert (labels == stripes.train.labels[:90]).all()
    assert [r.n_train for r in history.rounds] == [90 + n for n in np.cumsum(added(history))]
    assert history.origin.min() >= 90
    assert len(set(history.origin.tolist())) == len(history.origin) > 0


def added(history):
    return [r.n_added for r in history.rounds]


def test_the_start_can_be_drawn(stripes, nearest_mean):
    start = np.random.default_rng(0).permutation(200)[:70]
    history = train(
        nearest_mean, Noise(), stripes, eps=0.1, rounds=2, images_per_round=65, start=start
    )
    images, _ = history.models[0].fits[0]
    assert (images == stripes.train.images[start] / np.float32(255)).all()
    assert sorted([*start, *history.origin]) == list(range(200))


def test_the_control_adds_images_that_are_new(stripes, nearest_mean):
    history = train(
        nearest_mean, Originals(), stripes, eps=0.1, rounds=2, images_per_round=30, start=100
    )
    images, labels = history.model.fits[0]
    everything = stripes.train.images / np.float32(255)
    assert len(images) == 160
    assert (images[100:] == everything[history.origin]).all()
    assert (labels[100:] == stripes.train.labels[history.origin]).all()
    assert len(set(history.origin.tolist())) == 60
    assert history.origin.min() >= 100


def test_in_reverse(stripes, nearest_mean):
    """From adversarial images, with originals added."""
    before = train(nearest_mean, NOISE, stripes, eps=0.3, rounds=1, images_per_round=200)
    pool = Pool(*before.pool, origin=before.origin)
    history = train(
        nearest_mean, Originals(), stripes, eps=0.1, rounds=2, images_per_round=100, start=pool
    )
    images, labels = history.models[0].fits[0]
    assert (images == pool.images).all()
    assert (labels == pool.labels).all()
    assert [r.n_train for r in history.rounds] == [len(pool), len(pool) + 100, len(pool) + 200]
    assert sorted(history.origin) == list(range(200))
    assert history.rounds[0].clean_accuracy < history.rounds[-1].clean_accuracy


def test_premade_and_live(stripes, nearest_mean):
    pool = Pool(np.random.default_rng(5).random((40, 1, 4, 4)), np.arange(40) % 2)
    source = Mixed([pool, Live(NOISE, refill=True)], [0.75, 0.25])
    history = train(nearest_mean, source, stripes, eps=0.1, rounds=2, images_per_round=20)
    assert added(history) == [0, 20, 20]
    for i, drawn in enumerate(history.added[1:]):
        assert (drawn.images[:15] == pool.images[15 * i : 15 * i + 15]).all()
        assert (history.models[i].predict(drawn.images[15:]) != drawn.labels[15:]).all()


@pytest.mark.parametrize("recreate", [True, False])
def test_an_adversarial_class_is_learned_and_counts_as_detection(stripes, nearest_mean, recreate):
    rng = np.random.default_rng(1)
    strange = Pool(rng.choice([0.0, 1.0], (60, 1, 4, 4)), np.arange(60) % 2)
    judged = Pool(rng.choice([0.0, 1.0], (50, 1, 4, 4)), np.arange(50) % 2)

    def make():
        model = nearest_mean()
        model.n_classes = 3
        return model

    history = train(
        *(make, Relabelled(strange, label=2), stripes),
        eps=0.1,
        rounds=1,
        images_per_round=60,
        judge={"strange": judged, "noise": NOISE},
        recreate=recreate,
    )
    assert history.added[1].labels.tolist() == [2] * 60
    first, last = (r.judged["strange"] for r in history.rounds)
    assert first.detected == 0
    assert last.detected == (history.model.predict(judged.images) == 2).sum() > 25
    assert last.share > first.share
    assert history.rounds[1].clean["clean"].detected == 0


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_several_models(stripes, n_jobs):
    from bnnkit import BNNClassifier
    from bnnkit.ensemble import Vote

    def maker(seed):
        return lambda: BNNClassifier("8", epochs=3, random_state=seed)

    pgd = PGD(steps=3, random_state=0)
    judges = {"each": pgd, "vote": Judge(pgd, against="vote"), "exact": Exact()}
    history = train(
        *([maker(seed) for seed in range(3)], pgd, stripes),
        eps=0.1,
        rounds=1,
        images_per_round=60,
        judge=judges,
        n_judge=20,
        n_jobs=n_jobs,
    )
    last, models = history.rounds[1], history.model.members
    images, labels = history.pool
    for i, model in enumerate(models):  # as if it had been trained alone
        alone = maker(i)().fit(
            np.concatenate([stripes.train.images / np.float32(255), images]),
            np.concatenate([stripes.train.labels, labels]),
        )
        assert model.network_ == alone.network_
        accuracy = (model.predict(stripes.test.images) == stripes.test.labels).mean()
        assert last.clean[f"clean[{i}]"].share == accuracy
        exact, each = last.judged[f"exact[{i}]"], last.judged[f"each[{i}]"]
        assert each.falsified <= exact.falsified
        assert exact.complete
    vote = Vote(models).predict(stripes.test.images) == stripes.test.labels
    assert last.clean_accuracy == last.clean["clean"].share == vote.mean()
    assert list(last.judged) == [
        *(f"each[{i}]" for i in range(3)),
        "vote",
        *(f"exact[{i}]" for i in range(3)),
    ]
    result = pgd(Vote(models), stripes.test.images[:20], stripes.test.labels[:20], 0.1)
    assert last.judged["vote"].falsified == result.success.sum()


@pytest.mark.parametrize(("attack", "question"), [(JointExact(), "joint"), (VoteExact(), "vote")])
def test_exact_questions_about_all_models_at_once(stripes, attack, question):
    from bnnkit import BNNClassifier, verify_all
    from bnnkit.ensemble import Vote

    def maker(seed):
        return lambda: BNNClassifier("6", epochs=3, random_state=seed)

    history = train(
        *([maker(seed) for seed in range(3)], Live(attack, refill=True, against="all"), stripes),
        eps=0.1,
        rounds=1,
        images_per_round=20,
        judge={"white-box": Judge(attack, against="all")},
        n_judge=30,
    )
    before, after = history.models
    images, labels = history.pool
    assert len(images) == 20
    assert (Vote(before.members).predict(images) != labels).all()
    for r, vote in zip(history.rounds, (before, after), strict=True):
        networks = [model.network_ for model in vote.members]
        test = stripes.test.images[:30], stripes.test.labels[:30]
        counts = verify_all(networks, *test, 0.1, question=question).counts
        judged = r.judged["white-box"]
        assert (judged.robust, judged.falsified) == (counts["robust"], counts["falsified"])
        assert judged.complete


def test_several_models_are_continued(stripes, nearest_mean):
    makers = [nearest_mean, nearest_mean]
    history = train(makers, NOISE, stripes, eps=0.1, rounds=2, images_per_round=20, recreate=False)
    assert [len(model.fits) for model in history.model.members] == [3, 3]


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
