import pickle

import numpy as np
import pytest

from bnnkit.datasets import load
from bnnkit.nn import (
    ARCHITECTURES,
    BNNClassifier,
    BoundDecay,
    Conv,
    Dense,
    PGDTraining,
)
from bnnkit.nn.loss import cross_entropy


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def same_network(first, second):
    """Whether two classifiers hold the same numbers, bit for bit."""
    return all(
        np.array_equal(a.value, b.value)
        for a, b in zip(first.model_.parameters(), second.model_.parameters(), strict=True)
    ) and np.array_equal(first.network_.head.bias, second.network_.head.bias)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_named_architecture_learns_and_folds(architecture, blobs):
    images, labels = blobs
    classifier = BNNClassifier(architecture, epochs=1, batch_size=20, random_state=0)
    classifier.fit(images, labels)
    floats = classifier.decision_function(images).argmax(axis=1)
    np.testing.assert_array_equal(classifier.network_.predict(images), floats)
    assert classifier.score(images, labels) > 0.5  # chance is 0.25


@pytest.mark.parametrize(
    "architecture",
    [
        *sorted(set(ARCHITECTURES) - {"conv-large"}),
        pytest.param("conv-large", marks=pytest.mark.slow),
    ],
)
def test_folding_agrees_on_every_test_image_of_mnist(architecture, data_home):
    mnist = load("mnist", data_home=data_home)
    classifier = BNNClassifier(architecture, epochs=1, random_state=0)
    classifier.fit(mnist.train.images[:1000], mnist.train.labels[:1000])
    images = mnist.test.images
    assert len(images) == 10_000
    floats = classifier.decision_function(images).argmax(axis=1)
    np.testing.assert_array_equal(classifier.network_.predict(images), floats)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"weights": "binary"},
        {"surrogate": "hardtanh"},
        {"schedule": "constant", "learning_rate": 1e-3, "mask_scale": 0.01},
        {"quant_step": 0.61},
        {"quant_step": 1.0},  # two levels: the first layer reads bits as well
        {"architecture": [Conv(8, 3, stride=2, padding=1), Dense(40)]},
    ],
    ids=str,
)
def test_defaults_need_no_tuning_on_digits(options, digits):
    classifier = BNNClassifier(**{"random_state": 0} | options)
    classifier.fit(digits.train.images, digits.train.labels)
    assert classifier.score(digits.test.images, digits.test.labels) > 0.9


def test_the_same_seed_gives_the_same_network(digits):
    images, labels = digits.train.images[:400], digits.train.labels[:400]
    settings = {"architecture": "conv8k3p1-30", "epochs": 2, "mask_decay": 1e-4}
    first, second, other = (
        BNNClassifier(**settings, random_state=seed).fit(images, labels) for seed in (4, 4, 5)
    )
    assert same_network(first, second)
    assert not same_network(first, other)


def test_masks_that_start_nearer_to_zero_make_sparser_networks(digits):
    networks = [
        BNNClassifier("64", epochs=5, mask_scale=scale, random_state=0)
        .fit(digits.train.images, digits.train.labels)
        .network_
        for scale in (0.003, 0.03, 0.3)
    ]
    sparsities = [network.layers[0].sparsity for network in networks]
    assert sparsities == sorted(sparsities, reverse=True)
    assert sparsities[0] > 2 * sparsities[2]


def test_the_schedule_is_the_one_that_is_asked_for(digits):
    settings = {"architecture": "20", "batch_size": 500, "random_state": 0}
    arguments = (digits.train.images[:500], digits.train.labels[:500])
    # a single step has the full rate either way, the second of two does not
    for epochs, same in ((1, True), (2, False)):
        first, second = (
            BNNClassifier(**settings | {"epochs": epochs, "schedule": name}).fit(*arguments)
            for name in ("cosine", "constant")
        )
        assert same_network(first, second) == same


def test_floats_train_as_their_grey_levels_do(digits):
    images, labels = digits.train.images[:300], digits.train.labels[:300]
    grey, real = (
        BNNClassifier("20", epochs=2, random_state=0).fit(x, labels) for x in (images, images / 255)
    )
    assert same_network(grey, real)


def test_attributes_after_fit(blobs):
    images, labels = blobs
    classifier = BNNClassifier("10", epochs=2, n_classes=6)
    assert classifier.fit(images, labels) is classifier
    assert classifier.input_shape_ == (1, 28, 28)
    assert classifier.n_classes_ == classifier.network_.n_classes == 6
    np.testing.assert_array_equal(classifier.classes_, range(6))
    assert [record["epoch"] for record in classifier.history_] == [1, 2]
    assert classifier.decision_function(images).shape == (160, 6)


@pytest.mark.parametrize("shape", [(160, 1, 28, 28), (160, 28, 28), (160, 784)])
def test_loss_gradient_has_the_shape_of_the_images_and_points_uphill(shape, blobs):
    images, labels = blobs[0].reshape(shape), blobs[1]
    classifier = BNNClassifier("30-20", epochs=5, random_state=0).fit(images, labels)
    gradient, loss = classifier.loss_gradient(images, labels)
    assert gradient.shape == shape
    assert gradient.dtype == np.float32
    moved = np.clip(images / 255 + 0.3 * np.sign(gradient), 0, 1)
    _, moved_loss = classifier.loss_gradient(moved, labels)
    assert moved_loss.mean() > 2 * loss.mean()


def test_pixels_count_in_steps_of_the_quantiser(blobs):
    images, labels = blobs
    classifier = BNNClassifier("30", quant_step=0.25, epochs=1, random_state=0).fit(images, labels)
    by_level, _ = classifier.model_.input_gradient(
        classifier._inputs(images), lambda logits, part: cross_entropy(logits, labels[part])
    )
    by_pixel, _ = classifier.loss_gradient(images, labels)
    assert by_level.any()
    np.testing.assert_array_equal(by_pixel, 4 * by_level.transpose(0, 3, 1, 2))


def test_statistics_are_not_those_of_the_first_classes(digits):
    """Images sorted by class, and more of them than the statistics are taken from."""
    order = np.argsort(digits.train.labels)
    images, labels = (
        np.repeat(part[order], 12, axis=0) for part in (digits.train.images, digits.train.labels)
    )
    classifier = BNNClassifier("30", epochs=1, random_state=0).fit(images, labels)
    layer, levels = classifier.model_.layers[0], classifier._inputs(images)
    z = layer.product(layer.lanes(levels), len(levels))[:, 0].transpose(0, 2, 1)
    z = z.reshape(-1, z.shape[2])[: len(levels)]
    error = (classifier.model_.norms[0].mean - z.mean(axis=0)) / z.std(axis=0)
    assert np.abs(error).max() < 0.05


def test_warm_start_goes_on(digits):
    images, labels = digits.train.images, digits.train.labels
    classifier = BNNClassifier("30", epochs=2, warm_start=True, random_state=0).fit(images, labels)
    before = classifier.history_[-1]["loss"]
    copy = pickle.loads(pickle.dumps(classifier))
    classifier.fit(images, labels)
    assert classifier.history_[0]["loss"] < 1.5 * before
    assert classifier.history_[-1]["loss"] < before
    assert same_network(copy.fit(images, labels), classifier)
    fresh = BNNClassifier("30", epochs=2, random_state=0).fit(images, labels)
    assert not same_network(fresh, classifier)
    assert same_network(
        fresh.fit(images, labels), BNNClassifier("30", epochs=2, random_state=0).fit(images, labels)
    )


def test_warm_start_refuses_another_network(blobs):
    classifier = BNNClassifier("10", epochs=1, warm_start=True).fit(*blobs)
    classifier.set_params(epochs=2, learning_rate=1e-4, schedule="constant").fit(*blobs)
    with pytest.raises(ValueError, match="but architecture, quant_step changed"):
        classifier.set_params(architecture="12", quant_step=0.2).fit(*blobs)


def test_a_constant_network_is_announced(blobs):
    images, labels = blobs
    message = "learned nothing.* 25% are of one class and hidden layer 1 is constant; lower"
    with pytest.warns(UserWarning, match=message) as caught:
        BNNClassifier("10", epochs=1, random_state=0).fit(np.zeros_like(images), labels)
    assert caught[0].filename == __file__  # the line that called fit


def test_an_emptied_layer_ends_fit_and_leaves_the_last_network(blobs):
    classifier = BNNClassifier("10", epochs=1, mask_decay=0.0, random_state=0).fit(*blobs)
    network = classifier.network_
    classifier.set_params(epochs=20, learning_rate=0.1, mask_decay=100.0)
    with pytest.raises(ValueError, match=r"no weights left: all of its .* mask_decay=100; lower"):
        classifier.fit(*blobs)
    assert classifier.network_ is network


def test_folding_that_disagrees_is_an_error(blobs):
    images, labels = blobs
    classifier = BNNClassifier("10", epochs=1).fit(images, labels)
    inputs, classes = classifier._inputs(images), classifier.predict(images)
    classifier._check_folding(inputs, classes)
    classes[:3] = (classes[:3] + 1) % 4
    with pytest.raises(RuntimeError, match="on 3 of 160 training images"):
        classifier._check_folding(inputs, classes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"architecture": "mlp-smal"}, "did you mean 'mlp-small'"),
        ({"quant_step": 0}, "quant_step must be in"),
        ({"surrogate": "relu"}, "surrogate must be one of"),
        ({"surrogate_scale": 0}, "surrogate_scale must be above 0"),
        ({"weights": "binary", "mask_decay": 1e-4}, "binary weights have no 0; set mask_decay=0"),
        ({"surrogate_scale": "adaptive"}, "needs an adversary; pass one, or a number"),
        ({"bound_decay": BoundDecay(1e-3), "architecture": "9"}, "there is none; leave it out"),
        ({"interval_loss": 0.1}, "there is none; pass one, such as PGDTraining"),
        ({"interval_loss": -1}, r"interval_loss must be in \[0, 1000\], got -1"),
        ({"interval_loss": 1000.1}, r"interval_loss must be in \[0, 1000\], got 1000.1"),
        ({"interval_loss": np.nan}, r"interval_loss must be in \[0, 1000\], got nan"),
        ({"monitor": print}, "judges held-out images, and validation=0 holds out none"),
        ({"weights": "real"}, "weights must be one of binmask, ternary, binary, got 'real'"),
        ({"surrogate": ["tanh"]}, r"surrogate must be one of .*, got \['tanh'\]"),
        ({"mask_scale": 0}, "mask_scale must be above 0"),
        ({"schedule": "linear"}, "schedule must be one of cosine, constant, got 'linear'"),
        ({"mask_decay": -1}, "mask_decay must be at least 0"),
        ({"mask_decay": 1e39}, r"mask_decay must be at least 0 and at most 3.4e\+38"),
        ({"mask_decay": (0.0, -1.0), "architecture": "9"}, "mask_decay must be at least 0"),
        (
            {"mask_decay": (1e-4,) * 3, "architecture": "9"},
            "3 values, but the network has 2 layers",
        ),
        ({"mask_decay": (0.0, 1e-4), "architecture": "9", "weights": "binary"}, "have no 0; set"),
        ({"architecture": "1000000000"}, "would have 788000000000 weights, the limit is 268435456"),
    ],
)
def test_bad_parameters(options, message, blobs):
    with pytest.raises(ValueError, match=message):
        BNNClassifier(**options).fit(*blobs)


@pytest.mark.parametrize("options", [{"schedule": "linear"}, {"mask_scale": -1}], ids=str)
def test_parameters_are_checked_before_the_images(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        BNNClassifier(**options).fit(None, None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"architecture": 8}, "an architecture must be a name, .* got 8"),
        ({"surrogate_scale": None}, "surrogate_scale must be a number, got None"),
        ({"mask_decay": "0"}, "mask_decay must be a number, got '0'"),
        ({"mask_decay": [0.0, 0.0], "architecture": "9"}, "number or a tuple of them, got a list"),
        ({"mask_decay": (0.0, "0"), "architecture": "9"}, "mask_decay must be a number, got '0'"),
        ({"adversary": PGDTraining}, "adversary must be a PGDTraining, .*class"),
        ({"adversary": 0.1}, "adversary must be a PGDTraining, an ExactTraining or None, got 0.1"),
        ({"bound_decay": 1e-3}, "bound_decay must be a BoundDecay or None, got 0.001"),
        ({"interval_loss": None}, "interval_loss must be a number, got None"),
        ({"surrogate_scale": np.ones(2)}, "surrogate_scale must be a number"),
        ({"monitor": "accuracy", "validation": 9}, "monitor must be a function"),
    ],
)
def test_parameters_of_a_wrong_type(options, message, blobs):
    with pytest.raises(TypeError, match=message):
        BNNClassifier(**options).fit(*blobs)


def test_a_mask_decay_for_each_layer(blobs):
    def weights(decay):
        classifier = BNNClassifier("30-30", epochs=3, mask_decay=decay, random_state=0).fit(*blobs)
        model = classifier.model_
        return [layer.weights for layer in [*model.layers, model.head.layer]]

    for one, other in zip(weights(1e-3), weights((1e-3,) * 3), strict=True):
        np.testing.assert_array_equal(one, other)
    zeros = [
        [np.mean(w == 0) for w in weights(tuple(1e-2 * (np.arange(3) == i)))] for i in range(3)
    ]
    assert np.argmax(zeros, axis=0).tolist() == [0, 1, 2]


def test_gradients_too_large_to_square(blobs):
    message = r"squares of gradients are not finite after epoch 1; lower .*, mask_decay, "
    with pytest.raises(FloatingPointError, match=message):
        BNNClassifier("10", epochs=2, mask_decay=1e30, random_state=0).fit(*blobs)


def test_a_warm_start_that_fails_can_go_on_as_if_it_had_not(blobs):
    settings = {"epochs": 1, "warm_start": True, "random_state": 0}
    straight, troubled = (BNNClassifier("10", **settings).fit(*blobs) for _ in range(2))
    with pytest.raises(FloatingPointError, match="training diverged"):
        troubled.set_params(learning_rate=1e38).fit(*blobs)
    troubled.set_params(learning_rate=straight.learning_rate)
    assert same_network(troubled, straight)
    assert same_network(troubled.fit(*blobs), straight.fit(*blobs))


def monitored(score, digits, **options):
    options = {"epochs": 3, "validation": 50, "random_state": 0} | options
    images, labels = digits.train.images[:400], digits.train.labels[:400]
    return BNNClassifier("16", monitor=score, **options).fit(images, labels)


@pytest.mark.parametrize(
    ("score", "error", "message"),
    [
        (float("nan"), ValueError, "the score of monitor must be in .*, got nan"),
        (None, TypeError, "the score of monitor must be a number, got None"),
    ],
)
def test_a_monitor_that_gives_no_number_is_an_error_at_once(score, error, message, digits):
    calls = []
    with pytest.raises(error, match=message):
        monitored(lambda *question: calls.append(question) or score, digits)
    assert len(calls) == 1


def test_a_monitor_judges_the_network_that_is_taken_and_cannot_harm_the_images(digits):
    seen = []

    def spoil(network, images, labels):
        seen.append((network.digest, images.copy(), len(labels)))
        images[:] = 0
        return -len(seen)  # the first is the best

    classifier = monitored(spoil, digits)
    assert classifier.best_epoch_ == 1
    assert classifier.network_.digest == seen[0][0] != seen[1][0]
    np.testing.assert_array_equal(seen[0][1], seen[2][1])
    assert seen[0][2] == 50


def test_a_layer_that_is_constant_is_told_after_the_epoch(blobs):
    images, labels = blobs
    message = "hidden layer 1 gives the same bits for all 140 training images"
    nothing, same = (pytest.warns(UserWarning, match=m) for m in ("learned nothing", message))
    with nothing, same as caught:
        BNNClassifier("10", epochs=2, validation=20, random_state=0).fit(0 * images, labels)
    assert caught[0].filename == __file__
