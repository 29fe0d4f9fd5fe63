"""`BNNClassifier`: train a binarized network, get the exact integer network."""

import warnings

import numpy as np

from bnnkit._options import check_range
from bnnkit.nn.adversary import LevelBalls
from bnnkit.nn.architectures import parse_architecture
from bnnkit.nn.binary_objective import BinaryObjective, full_attack
from bnnkit.nn.bound_decay import BoundDecay, for_layers
from bnnkit.nn.estimator import Classifier, check_positive
from bnnkit.nn.latent import LatentNetwork
from bnnkit.nn.layers import WEIGHTS
from bnnkit.nn.surrogate import window
from bnnkit.quantiser import Quantiser

_STATISTICS_IMAGES = 10_000  # for the final batch-norm statistics
_CHECKED_IMAGES = 1_000  # on which the folded network is compared with the float one
_FEWEST_JUDGED = 100  # training images, for a network to be called dead


class BNNClassifier(Classifier):
    """Binarized neural network: weights in {-1, 0, +1}, activations of one bit.

    Parameters
    ----------
    architecture : str, list or tuple
        A name of `bnnkit.nn.ARCHITECTURES`, a specification such as "512-512-100" or
        "conv16k4s2p1-100", or a list or tuple of `Dense`, `Conv` and numbers of units.
    quant_step : float
        Width of an input level on the [0, 1] scale.
    epochs : int
    batch_size : int
    learning_rate : float
        Of Adam at the start.
    schedule : "cosine" or "constant"
        Let the learning rate decay to 0 along half a cosine, or leave it as it is.
    validation : int or float
        How many of the images given to `fit` are held out, as a number or as a share below 1.
        They judge the network after each epoch, and that of the best one is taken (of equals
        the latest); 0 takes the last. With an adversary only epochs of full eps are judged.
        Copies of an image, such as adversarial ones, should be held out or trained on together.
    patience : int, optional
        Stop after that many judged epochs without a better score.
    surrogate : "tanh" or "hardtanh"
        What stands in for the derivative of the step (`bnnkit.nn.surrogate`).
    surrogate_scale : float or "adaptive"
        Its argument is multiplied by this: larger is narrower. "adaptive" gives each layer
        one of its own, and moves it after each epoch to where the `adversary` is strongest
        (`bnnkit.nn.scales`).
    weights : "binmask", "ternary" or "binary"
        "binmask" learns a mask of zeros beside the signs. "ternary", for comparison, makes
        the weights of small latents 0, and "binary" has no zeros.
    mask_scale : float
        Standard deviation of the initial masks, in absolute value; in steps of Adam, this
        over `learning_rate` is how far a weight is from 0. Smaller makes ternary networks
        sparser.
    mask_decay : float or tuple of float
        Added to the gradient of the mask of each weight in use; makes ternary networks
        sparser. A tuple has one for each hidden layer, then one for the head: the gradients of
        a large dense layer are small, and what thins out convolutions can empty it.
    adversary : PGDTraining or bnnkit.robust.ExactTraining, optional
        Makes each batch adversarial before the network learns it.
    bound_decay : BoundDecay, optional
        Penalty on large cardinality bounds.
    interval_loss : float
        0 for none, at most 1000: the weight of a loss term, the cross-entropy of the worst
        logits that interval bounds allow in the balls of the `adversary`, for one more pass
        forward and backward (`bnnkit.nn.interval`). It grows in proportion to the radius of the
        balls, up to this; images that are left clean have balls, too.
    monitor : callable, optional
        ``monitor(network, images, labels)`` is the validation score, a finite number, from the
        exact network of an epoch and the held-out images (N, C, H, W), uint8 or float64 as
        they were given to `fit`; such as `bnnkit.robust.Certified`. By default the score is
        the accuracy under the `adversary`, and without one the clean accuracy.
    n_classes : int, optional
        One more than the largest label, unless given; at most 10,000.
    warm_start : bool
        Let `fit` go on from the latent weights of the last `fit`; optimiser and learning
        rate start anew.
    random_state : int, optional
        Seed of the initial weights and the shuffling. The same seed gives the same
        network, bit for bit, on one machine.
    verbose : bool
        Print a line an epoch, in place of a progress bar.

    Attributes
    ----------
    network_ : BinaryNetwork
        The exact network; `predict` and `score` run it.
    model_ : LatentNetwork
        The real-valued latents behind it; `decision_function` and `loss_gradient` use it.
    history_ : list of dict
        Of each epoch of the last `fit`: epoch, learning_rate (at its start), loss and
        accuracy (while training), terms (means of what interval_loss and bound_decay added to
        the loss), sparsity of each layer and of the head, surrogate_scales,
        bounds (largest and mean cardinality bound of each layer after the first), validation
        (a dict with the score, if images are held out) and seconds; with an adversary eps,
        steps, exact (whether the solver was asked) and eligible (whether eps was full).
    best_epoch_ : int
        The epoch whose network was taken, from 1.
    classes_ : ndarray of int, one for each class
    n_classes_ : int
    input_shape_ : tuple of int
        (C, H, W).

    Notes
    -----
    Latent weights with straight-through gradients: Courbariaux et al., "Binarized Neural
    Networks" (2016). Masks and the soft tanh surrogate: Jia & Rinard, "Efficient Exact
    Verification of Binarized Neural Networks" (NeurIPS 2020). Batch-norm statistics are
    estimated anew at the end, layer by layer, from at most 10,000 training images.

    Examples
    --------
    >>> from bnnkit import BNNClassifier
    >>> rng = np.random.default_rng(0)
    >>> images = rng.integers(0, 256, (200, 4, 4), dtype=np.uint8)
    >>> labels = (images[:, :, :2].mean(axis=(1, 2)) > images[:, :, 2:].mean(axis=(1, 2))) * 1
    >>> classifier = BNNClassifier("32", epochs=20, random_state=0).fit(images, labels)
    >>> classifier.score(images, labels) > 0.9
    True
    >>> classifier.network_.input_shape
    (1, 4, 4)
    """

    def __init__(
        self,
        architecture="mlp-small",
        *,
        quant_step=0.1,
        epochs=20,
        batch_size=100,
        learning_rate=3e-3,
        schedule="cosine",
        validation=0,
        patience=None,
        surrogate="tanh",
        surrogate_scale=1.0,
        weights="binmask",
        mask_scale=0.03,
        mask_decay=0.0,
        adversary=None,
        bound_decay=None,
        interval_loss=0.0,
        monitor=None,
        n_classes=None,
        warm_start=False,
        random_state=None,
        verbose=False,
    ):
        self.architecture = architecture
        self.quant_step = quant_step
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.validation = validation
        self.patience = patience
        self.surrogate = surrogate
        self.surrogate_scale = surrogate_scale
        self.weights = weights
        self.mask_scale = mask_scale
        self.mask_decay = mask_decay
        self.adversary = adversary
        self.bound_decay = bound_decay
        self.interval_loss = interval_loss
        self.monitor = monitor
        self.n_classes = n_classes
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def predict(self, images):
        """Classes by the exact network: int64 (N,)."""
        images = self._checked(images)
        return self.network_.predict(images)

    def _check_parameters(self):
        super()._check_parameters()
        layers = parse_architecture(self.architecture)
        self._check_surrogate()
        check_positive("mask_scale", self.mask_scale)
        self._check_mask_decay(len(layers) + 1)
        if not isinstance(self.weights, str) or self.weights not in WEIGHTS:
            raise ValueError(f"weights must be one of {', '.join(WEIGHTS)}, got {self.weights!r}")
        if self.weights == "binary" and np.any(self.mask_decay):
            raise ValueError(
                f"mask_decay={self.mask_decay} makes weights 0, and binary weights have no 0; "
                'set mask_decay=0 or weights="binmask"'
            )
        self._check_robust_training(len(layers))

    def _check_mask_decay(self, n_layers):
        decays = self.mask_decay
        if isinstance(decays, list | np.ndarray):
            kind = type(decays).__name__
            raise TypeError(f"mask_decay must be a number or a tuple of them, got a {kind}")
        decays = for_layers(decays, n_layers)
        if len(decays) != n_layers:
            raise ValueError(
                f"mask_decay has {len(decays)} values, but the network has {n_layers} layers, "
                "the head among them; pass one for each, or a number"
            )
        for decay in decays:
            check_positive("mask_decay", decay, zero=True)

    def _check_surrogate(self):
        if not isinstance(self.surrogate_scale, str) or self.surrogate_scale != "adaptive":
            check_positive("surrogate_scale", self.surrogate_scale)
        elif self.adversary is None:
            raise ValueError(
                'surrogate_scale="adaptive" looks for the strongest attack and needs an '
                "adversary; pass one, or a number"
            )
        window(self.surrogate, self._first_scale())

    def _check_robust_training(self, n_layers):
        needed = ("at", "batch", "full")
        if self.adversary is not None and (
            isinstance(self.adversary, type)
            or not all(hasattr(self.adversary, name) for name in needed)
        ):
            raise TypeError(
                f"adversary must be a PGDTraining, an ExactTraining or None, got {self.adversary!r}"
            )
        if self.bound_decay is not None:
            if not isinstance(self.bound_decay, BoundDecay):
                raise TypeError(
                    f"bound_decay must be a BoundDecay or None, got {self.bound_decay!r}"
                )
            self.bound_decay.check(n_layers)
        check_range("interval_loss", self.interval_loss, "[0, 1000]", "; 0 is for none")
        if self.interval_loss and self.adversary is None:
            raise ValueError(
                "interval_loss is about the balls of the adversary, and there is none; pass one, "
                "such as PGDTraining(eps, steps=1)"
            )
        if self.monitor is None:
            return
        if not callable(self.monitor):
            raise TypeError(
                "monitor must be a function of a network, images and labels, "
                f"got {type(self.monitor).__name__}"
            )
        if not self.validation:
            raise ValueError(
                "monitor judges held-out images, and validation=0 holds out none; pass a "
                "number of images, such as validation=0.1"
            )

    def _first_scale(self):
        return 1.0 if isinstance(self.surrogate_scale, str) else self.surrogate_scale

    def _build(self, input_shape, n_classes, rng):
        self._quantiser = Quantiser(self.quant_step)
        return LatentNetwork(
            parse_architecture(self.architecture),
            input_shape,
            n_classes,
            n_levels=self._quantiser.n_levels,
            surrogate=self.surrogate,
            surrogate_scale=self._first_scale(),
            weights=self.weights,
            mask_scale=self.mask_scale,
            mask_decay=self.mask_decay,
            rng=rng,
        )

    def _inputs(self, images):
        return _channels_last(self._quantiser.levels(images))

    def _input_slope(self):
        return 1 / self._quantiser.step

    def _objective(self, inputs, images, labels):
        return BinaryObjective(
            inputs,
            labels,
            None if self.adversary is None else self._balls(images),
            self.adversary,
            self.bound_decay,
            float(self.interval_loss),
            tune=isinstance(self.surrogate_scale, str),
        )

    def _balls(self, images):
        return LevelBalls(_channels_last(images), self._quantiser)

    def _sample(self, inputs):
        """Those that the statistics are estimated from, drawn once for a training."""
        return np.sort(self._rng.permutation(len(inputs))[:_STATISTICS_IMAGES])

    def _validate(self, inputs, images, labels, sample):
        constant = self.model_.estimate_statistics(sample)
        if constant:
            warnings.warn(
                f"hidden layer {constant[0]} gives the same bits for all {len(sample)} training "
                "images that were looked at; lower mask_decay or learning_rate",
                UserWarning,
                stacklevel=7,  # the caller of fit
            )
        scores = {"accuracy": self._share_right(inputs, labels)}
        if self.adversary is not None:
            everything = np.arange(len(labels))
            attack = full_attack(
                *(self.model_, self.adversary, self._balls(images), labels, everything),
                batch_statistics=False,
            )
            attacked = np.concatenate([levels for _, levels in attack])
            scores["attacked"] = self._share_right(attacked, labels)
        if self.monitor is not None:
            scores["monitor"] = self._monitored(images, labels)
        return scores | {"score": list(scores.values())[-1]}

    def _monitored(self, images, labels):
        network = self.model_.fold(self._quantiser, self.input_shape_)
        images, labels = images.copy(), labels.copy()  # they serve again, whatever it does
        score = self.monitor(network, images, labels)
        check_range("the score of monitor", score, "(-inf, inf)")
        return float(score)

    def _finish(self, inputs, images, labels, sample):
        constant = self.model_.estimate_statistics(inputs[sample])
        self.network_ = self.model_.fold(self._quantiser, self.input_shape_)
        checked = sample[:: -(-len(sample) // _CHECKED_IMAGES)]
        classes = self.network_.predict(images[checked])
        self._check_folding(inputs[checked], classes)
        self.model_.release()
        self._warn_if_dead(classes, labels[checked], constant)

    def _warn_if_dead(self, classes, labels, constant):
        """Warn of a network that does hardly better than to name the most frequent class."""
        right, chance = np.mean(classes == labels), np.bincount(labels).max() / len(labels)
        if right > chance + (1 - chance) / 10 or len(labels) < _FEWEST_JUDGED:
            return
        reason = f" and hidden layer {constant[0]} is constant" if constant else ""
        smaller = "mask_decay or learning_rate" + (" or eps" if self.adversary else "")
        if self.interval_loss:
            smaller += " or interval_loss"
        warnings.warn(
            f"the network has learned nothing: it classifies {right:.0%} of {len(labels)} training "
            f"images correctly, of which {chance:.0%} are of one class{reason}; lower {smaller}, "
            "or train for more epochs",
            UserWarning,
            stacklevel=5,  # the caller of fit
        )

    def _check_folding(self, inputs, classes):
        """Raise RuntimeError where the integer network picked a class of a smaller logit."""
        logits = self.model_.logits(inputs)
        picked = logits[np.arange(len(classes)), classes]
        # folding rounds the biases of the head, so logits may tie up to that rounding
        tolerance = 1e-5 * abs(float(self.model_.head.scale.value[0]))
        wrong = np.count_nonzero(logits.max(axis=1) - picked > tolerance)
        if wrong:
            raise RuntimeError(
                f"the folded network disagrees with the trained one on {wrong} of "
                f"{len(classes)} training images; please report this with the data"
            )


def _channels_last(images):
    return np.ascontiguousarray(images.transpose(0, 2, 3, 1))
