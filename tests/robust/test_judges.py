"""Every verdict against a count by hand from the models' own answers."""

import numpy as np
import pytest

from bnnkit.attacks import FGSM, Attack, RandomNoise
from bnnkit.ensemble import Vote
from bnnkit.robust import Judge, Pool
from bnnkit.robust.judges import Examination, as_judges

NOISE = RandomNoise(tries=10, low=1, random_state=0)
DETECTOR = 2


@pytest.fixture
def test(stripes):
    return stripes.test.images, stripes.test.labels


@pytest.fixture
def models(stripes, nearest_mean):
    images, labels = stripes.train.images / np.float32(255), stripes.train.labels
    return [nearest_mean().fit(images[i::9], labels[i::9]) for i in range(3)]


@pytest.fixture
def pool(test):
    """What fools some models and not others."""
    images, labels = test
    rng = np.random.default_rng(1)
    moved = np.clip(images / 255 + rng.choice([-0.15, 0.15], images.shape), 0, 1)
    return Pool(moved, labels, split="test")


def examine(test, judges, models, detector=None, n_judge=25):
    return Examination(*test, as_judges(judges, None), n_judge, 0.1, detector).of(models)


def by_class(labels, answer):
    return [int((answer & (labels == c)).sum()) for c in range(labels.max() + 1)]


def test_clean_images_and_pools_are_counted_for_each_model_and_their_vote(test, models, pool):
    clean, judged = examine(test, {"transfer": pool}, models)
    whole = test[0] / np.float32(255), test[1]
    for name, counts, (images, labels) in (
        ("clean", clean, whole),
        ("transfer", judged, (pool.images, pool.labels)),
    ):
        names = [name, f"{name}[0]", f"{name}[1]", f"{name}[2]"]
        assert list(counts) == names
        for each, model in zip(names, [Vote(models), *models], strict=True):
            right = model.predict(images) == labels
            assert counts[each].robust == right.sum()
            assert counts[each].falsified == (~right).sum()
            assert counts[each].per_class["robust"] == by_class(labels, right)
            assert counts[each].share == right.mean()
            assert not counts[each].complete
    assert len({counts.robust for counts in judged.values()}) > 1


def test_a_single_model_has_plain_names(test, models, pool):
    clean, judged = examine(test, {"transfer": pool, "noise": NOISE}, models[:1])
    assert list(clean) == ["clean"]
    assert list(judged) == ["transfer", "noise"]


def test_an_attack_judges_each_model_by_itself(test, models):
    _, judged = examine(test, {"noise": NOISE}, models)
    assert list(judged) == ["noise[0]", "noise[1]", "noise[2]"]
    images, labels = test[0][:25], test[1][:25]
    for counts, model in zip(judged.values(), models, strict=True):
        result = NOISE(model, images, labels, 0.1)
        assert (counts.robust, counts.falsified) == (result.withstood.sum(), result.success.sum())
        assert counts.per_class["falsified"] == by_class(labels, result.success)
        assert counts.n == 25


def test_an_attack_judges_the_vote_with_its_own_eps(test, models):
    judges = {"vote": Judge(NOISE, eps=0.2, against="vote")}
    _, judged = examine(test, judges, models)
    result = NOISE(Vote(models), test[0][:25], test[1][:25], 0.2)
    assert judged["vote"].falsified == result.success.sum()
    assert (
        judged["vote"].falsified > NOISE(Vote(models), test[0][:25], test[1][:25], 0).success.sum()
    )


def test_an_attack_on_all_gets_the_list(test, models):
    class Joint(Attack):
        complete = True

        def __call__(self, models, images, labels, eps):
            assert isinstance(models, list)
            return NOISE(Vote(models), images, labels, eps)

        def _perturb(self, model, ball, labels):
            raise AssertionError

    _, judged = examine(test, {"joint": Judge(Joint(), against="all")}, models)
    result = NOISE(Vote(models), test[0][:25], test[1][:25], 0.1)
    assert list(judged) == ["joint"]
    assert judged["joint"].falsified == result.success.sum()
    assert judged["joint"].complete


class Suspicious:
    """Another model, but what is unlike its data is called adversarial."""

    def __init__(self, model, limit):
        self.model, self.limit = model, limit

    def predict(self, images):
        rows = images.reshape(len(images), -1)
        far = np.abs(rows - rows.mean(axis=1, keepdims=True)).mean(axis=1) > self.limit
        return np.where(far, DETECTOR, self.model.predict(images))


@pytest.mark.parametrize("limit", [0.0, 0.16, 0.17, 1.0])
def test_what_is_detected_is_neither_robust_nor_falsified(test, models, pool, limit):
    model = Suspicious(models[0], limit)
    clean, judged = examine(test, {"pool": pool, "noise": NOISE}, [model], DETECTOR, n_judge=60)
    images, labels = test
    said = model.predict(images / np.float32(255))
    assert clean["clean"].detected == 0  # a false alarm is an error
    assert clean["clean"].robust == (said == labels).sum()
    found = model.predict(pool.images)
    counts = judged["pool"]
    assert counts.detected == (found == DETECTOR).sum()
    assert counts.robust == (found == pool.labels).sum()
    assert counts.falsified == counts.n - counts.detected - counts.robust
    assert counts.share == ((found == DETECTOR) | (found == pool.labels)).mean()
    result = NOISE(model, images, labels, 0.1)
    caught = (model.predict(result.adversarial) == DETECTOR) & (said == labels)
    counts = judged["noise"]
    assert counts.detected == 0  # another image may evade the model
    assert counts.unknown == caught.sum()
    assert counts.falsified == (result.success & ~caught).sum()
    assert counts.robust == result.withstood.sum()
    assert counts.n == 60


def test_detection_happens_in_the_cases_above(test, models, pool):
    model = Suspicious(models[0], 0.16)
    clean, judged = examine(test, {"pool": pool, "noise": NOISE}, [model], DETECTOR, n_judge=60)
    assert judged["noise"].unknown > 0
    assert judged["noise"].falsified > 0
    assert 0 < judged["pool"].detected < judged["pool"].n
    assert clean["clean"].falsified > 0


def test_as_judges(pool):
    assert as_judges(None, NOISE) == {"RandomNoise": Judge(NOISE)}
    assert as_judges(None, pool) == {}
    assert as_judges(NOISE, FGSM()) == {"RandomNoise": Judge(NOISE)}
    own = Judge(FGSM(), eps=0.2)
    assert as_judges(own, None) == {"FGSM": own}
    assert as_judges({"a": own, "b": pool, "c": NOISE}, None) == {
        "a": own,
        "b": pool,
        "c": Judge(NOISE),
    }


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: as_judges([NOISE], None), TypeError, "judge must be an Attack or a dict"),
        (lambda: as_judges({"a": "pgd"}, None), TypeError, "judge must be an Attack or a dict"),
        (lambda: as_judges({"a": FGSM}, None), TypeError, "judge must be an Attack or a dict"),
        (lambda: as_judges({1: NOISE}, None), ValueError, r"named by texts .* got \[1\]"),
        (lambda: as_judges({"clean": NOISE}, None), ValueError, "other than 'clean'"),
        (lambda: Judge(FGSM), TypeError, "attack must be an Attack"),
        (lambda: Judge(FGSM(), eps=8), ValueError, "pass 8/255"),
        (lambda: Judge(FGSM(), against="one"), ValueError, "each, all, vote, got 'one'"),
    ],
)
def test_mistakes(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_names_are_those_of_the_verdicts(test, models, pool):
    judges = {"p": pool, "n": NOISE, "v": Judge(NOISE, against="vote")}
    for k in (1, 3):
        examination = Examination(*test, as_judges(judges, None), 5, 0.1, None)
        clean, judged = examination.of(models[:k])
        assert examination.names(k) == [*clean, *judged]


def test_counts_know_the_eps_that_was_judged_with(test, models, pool):
    judges = {"own": Judge(NOISE, eps=8 / 255), "default": NOISE, "pool": pool}
    clean, judged = examine(test, judges, models[:1])
    assert {name: counts.eps for name, counts in judged.items()} == {
        "own": 8 / 255,
        "default": 0.1,
        "pool": None,
    }
    assert clean["clean"].eps is None
