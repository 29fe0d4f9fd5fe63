"""What the classifiers have in common: scikit-learn's interface, checks, the fit loop."""

import copy
import inspect

import numpy as np
from threadpoolctl import threadpool_limits

from bnnkit._checks import MOST_CLASSES, as_images, as_labels
from bnnkit._options import check_count, check_number, check_seed
from bnnkit.nn import optim
from bnnkit.nn.loss import cross_entropy
from bnnkit.nn.training import train

# what a warm start may change: it concerns the training and not the network
_FREE_PARAMETERS = {
    "epochs",
    "batch_size",
    "learning_rate",
    "schedule",
    "warm_start",
    "random_state",
    "verbose",
}

_LARGEST = float(np.finfo(np.float32).max)


class Classifier:
    """Base of the classifiers.

    A subclass stores its constructor's arguments under their own names and provides

    - ``_build(input_shape, n_classes, rng)``: a new network,
    - ``_inputs(images)``: what the network takes, for checked images (N, C, H, W),
    - ``_finish(inputs, images)``: what is left to do after training,
    - ``_input_slope()``: derivative of an input value with respect to its pixel.
    """

    def get_params(self, deep=True):
        """Constructor arguments by name, as scikit-learn wants them; `deep` has no effect."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **params):
        """Change constructor arguments; they are checked by the next `fit`."""
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise ValueError(
                    f"{type(self).__name__} has no parameter {name!r}; it has {', '.join(known)}"
                )
            setattr(self, name, value)
        return self

    def __repr__(self):
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({arguments})"

    def fit(self, images, labels):
        """Train on images.

        A `fit` that does not finish leaves the classifier as it was: untrained, or with
        the network, history and random state of the last `fit` that did.

        Parameters
        ----------
        images : array_like
            uint8 in 0..255 or floats in [0, 1]; (N, C, H, W), (N, H, W) or (N, features).
        labels : array_like of int, shape (N,)
            0 .. n_classes - 1.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            A parameter, an image or a label is out of its range.
        FloatingPointError
            The loss became infinite or NaN, or a parameter too large.
        """
        self._check_parameters()
        goes_on = self.warm_start and hasattr(self, "model_")
        if goes_on:
            self._check_unchanged()
        images = as_images(images, self.input_shape_ if goes_on else None)
        n_classes = self.n_classes_ if goes_on else self.n_classes
        labels = as_labels(labels, len(images), n_classes)
        if len(np.unique(labels)) < 2:
            raise ValueError(f"labels hold a single class, {labels[0]}; at least 2 are needed")
        trained = copy.copy(self)  # what fails does so there
        if goes_on:
            trained.model_, trained._rng = copy.deepcopy((self.model_, self._rng))
        else:
            trained._start(images.shape[1:], n_classes or int(labels.max()) + 1)
        # one BLAS thread: batches are too small for more to gain, and these wait for each other
        # as soon as anything else runs; a seed then means the same on any number of cores
        with threadpool_limits(limits=1, user_api="blas"):
            trained._train(images, labels)
        self.__dict__ = trained.__dict__
        return self

    def decision_function(self, images):
        """Logits: float64 (N, classes)."""
        images = self._checked(images)
        return self.model_.logits(self._inputs(images))

    def predict(self, images):
        """Classes: int64 (N,)."""
        return self.decision_function(images).argmax(axis=1)

    def score(self, images, labels):
        """Share of the images that are classified as their label."""
        images = self._checked(images)
        labels = as_labels(labels, len(images), self.n_classes_)
        return float(np.mean(self.predict(images) == labels))

    def loss_gradient(self, images, labels):
        """Cross-entropy of each image and its gradient with respect to the pixels.

        Parameters
        ----------
        images : array_like
            As for `fit`.
        labels : array_like of int, shape (N,)

        Returns
        -------
        gradient : ndarray of float32, the shape of `images`
            For pixels on the [0, 1] scale.
        loss : ndarray of float64, shape (N,)
            In nats.
        """
        checked = self._checked(images)
        labels = as_labels(labels, len(checked), self.n_classes_)
        gradient, loss = self.model_.input_gradient(
            self._inputs(checked), lambda logits, part: cross_entropy(logits, labels[part])
        )
        gradient = gradient.transpose(0, 3, 1, 2) * np.float32(self._input_slope())
        return gradient.reshape(np.shape(images)), loss

    def _start(self, input_shape, n_classes):
        self._rng = np.random.default_rng(self.random_state)
        self._built_with = self.get_params()
        self.model_ = self._build(input_shape, n_classes, self._rng)
        self.input_shape_ = input_shape
        self.n_classes_ = n_classes
        self.classes_ = np.arange(n_classes)

    def _train(self, images, labels):
        inputs = self._inputs(images)
        self.history_ = train(
            self.model_,
            inputs,
            labels,
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            schedule=optim.get_schedule(self.schedule),
            rng=self._rng,
            verbose=self.verbose,
        )
        self._finish(inputs, images)

    def _check_unchanged(self):
        changed = [
            name
            for name, value in self.get_params().items()
            if name not in _FREE_PARAMETERS and value != self._built_with[name]
        ]
        if changed:
            raise ValueError(
                f"warm_start goes on with the network as it was built, but {', '.join(changed)} "
                "changed since; set warm_start=False to build a new one"
            )

    def _checked(self, images):
        if not hasattr(self, "model_"):
            raise RuntimeError(f"this {type(self).__name__} is not trained yet; call fit first")
        return as_images(images, self.input_shape_)

    def _check_parameters(self):
        check_count("epochs", self.epochs)
        check_count("batch_size", self.batch_size, least=2)
        check_positive("learning_rate", self.learning_rate)
        optim.get_schedule(self.schedule)
        if self.n_classes is not None:
            check_count("n_classes", self.n_classes, least=2, most=MOST_CLASSES)
        check_seed("random_state", self.random_state)


def check_positive(name, value, zero=False):
    """Raise unless `value` is a number above 0 (0 too with `zero`) that float32 can hold."""
    check_number(name, value)
    if not 0 <= value <= _LARGEST or (value == 0 and not zero):
        least = "at least" if zero else "above"
        raise ValueError(f"{name} must be {least} 0 and at most {_LARGEST:.1e}, got {value}")
