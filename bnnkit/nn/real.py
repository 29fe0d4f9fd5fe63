"""`RealClassifier`: an ordinary network of real numbers, for comparison."""

import itertools
import math

import numpy as np

from bnnkit._checks import unit_floats
from bnnkit._options import check_count
from bnnkit.nn.architectures import Dense, plan
from bnnkit.nn.estimator import Classifier
from bnnkit.nn.optim import Parameter
from bnnkit.nn.training import divergence


class RealClassifier(Classifier):
    """Multi-layer perceptron with ReLU, in float32.

    Parameters
    ----------
    hidden : list or tuple of int
        Units of the hidden layers.
    epochs, batch_size, learning_rate, schedule, validation, patience
        As for `BNNClassifier`.
    n_classes, warm_start, random_state, verbose
        As for `BNNClassifier`.

    Attributes
    ----------
    model_ : RealNetwork
    history_, best_epoch_, classes_, n_classes_, input_shape_
        As for `BNNClassifier`.

    Examples
    --------
    >>> from bnnkit import RealClassifier, datasets
    >>> train, test = datasets.load("digits").train, datasets.load("digits").test
    >>> classifier = RealClassifier((32,), epochs=40, random_state=0)
    >>> classifier.fit(train.images, train.labels).score(test.images, test.labels) > 0.9
    True
    """

    def __init__(
        self,
        hidden=(512, 512, 100),
        *,
        epochs=20,
        batch_size=100,
        learning_rate=1e-3,
        schedule="cosine",
        validation=0,
        patience=None,
        n_classes=None,
        warm_start=False,
        random_state=None,
        verbose=False,
    ):
        self.hidden = hidden
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.validation = validation
        self.patience = patience
        self.n_classes = n_classes
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def _check_parameters(self):
        super()._check_parameters()
        if not isinstance(self.hidden, (list, tuple)):
            raise TypeError(
                "hidden must be a list or tuple of whole numbers such as (50,), "
                f"got {self.hidden!r}"
            )
        for units in self.hidden:
            check_count("each entry of hidden", units)

    def _build(self, input_shape, n_classes, rng):
        outputs = [int(units) for units in (*self.hidden, n_classes)]
        plan([Dense(units) for units in outputs], input_shape)  # raises if they are too many
        return RealNetwork([math.prod(input_shape), *outputs], rng)

    def _inputs(self, images):
        return unit_floats(images).transpose(0, 2, 3, 1)

    def _input_slope(self):
        return 1

    def _finish(self, inputs, images, labels, sample):
        with np.errstate(over="ignore", invalid="ignore"):
            logits = self.model_.logits(inputs[: self.batch_size])
        if not np.isfinite(logits).all():  # the last step of the optimiser did it
            raise divergence("the trained network's logits are not finite", self.learning_rate)


class RealNetwork:
    """Dense layers with ReLU between them.

    Parameters
    ----------
    sizes : sequence of int
        Features of the input, units of each layer, classes.
    rng : numpy.random.Generator
        Draws the initial weights (He et al., 2015).

    Attributes
    ----------
    weights : list of Parameter, shapes (units, inputs)
    biases : list of Parameter, shapes (units,)
    """

    def __init__(self, sizes, rng):
        pairs = list(itertools.pairwise(sizes))
        self.weights = [
            Parameter(rng.normal(0, math.sqrt(2 / inputs), (units, inputs)))
            for inputs, units in pairs
        ]
        self.biases = [Parameter(np.zeros(units)) for _, units in pairs]

    def parameters(self):
        """What the optimiser moves."""
        return [*self.weights, *self.biases]

    def refresh(self):
        """Nothing is derived from the parameters."""

    def forward(self, x):
        """Logits in training, float32 (N, classes); the activations are remembered."""
        self._activations = self._run(x)
        return self._activations.pop()

    def backward(self, d_logits):
        """Set the gradient of every parameter, given that of the last `forward`'s logits."""
        gradient = d_logits.astype(np.float32)
        for index in reversed(range(len(self.weights))):
            x = self._activations[index]
            self.weights[index].gradient[:] = gradient.T @ x
            self.biases[index].gradient[:] = gradient.sum(axis=0)
            if index:
                gradient = (gradient @ self.weights[index].value) * (x > 0)

    def logits(self, x):
        """Logits at inference, float64 (N, classes)."""
        return self._run(x)[-1].astype(np.float64)

    def input_gradient(self, x, loss):
        """Gradient of a loss with respect to the input; see `LatentNetwork.input_gradient`."""
        *activations, logits = self._run(x)
        losses, gradient = loss(logits, slice(None))
        gradient = gradient.astype(np.float32)
        for index in reversed(range(len(self.weights))):
            gradient = gradient @ self.weights[index].value
            if index:
                gradient *= activations[index] > 0
        return gradient.reshape(x.shape), losses

    def _run(self, x):
        """The input as rows, the output of each hidden layer, the logits."""
        values = [np.ascontiguousarray(x).reshape(len(x), -1)]
        for weight, bias in zip(self.weights, self.biases, strict=True):
            hidden = values[-1] if len(values) == 1 else np.maximum(values[-1], 0)
            values[-1] = hidden
            values.append(hidden @ weight.value.T + bias.value)
        return values
