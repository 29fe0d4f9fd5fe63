"""What the classifiers have in common: scikit-learn's interface, checks, the fit loop."""

import copy
import inspect
import numbers
import os

import numpy as np
from threadpoolctl import threadpool_limits

from bnnkit._checks import MOST_CLASSES, as_images, as_labels
from bnnkit._options import check_count, check_number, check_range, check_seed
from bnnkit._version import __version__
from bnnkit.nn import optim
from bnnkit.nn.checkpoint import RunFolder, fingerprint
from bnnkit.nn.loss import cross_entropy
from bnnkit.nn.objective import Objective
from bnnkit.nn.training import Trainer

# what a warm start may change: it concerns the training and not the network
_FREE_PARAMETERS = {
    "epochs",
    "batch_size",
    "learning_rate",
    "schedule",
    "validation",
    "patience",
    "adversary",
    "bound_decay",
    "interval_loss",
    "monitor",
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
    - ``_finish(inputs, images, labels, sample)``: what is left to do after training,
    - ``_input_slope()``: derivative of an input value with respect to its pixel,

    and, where the plain ones are not enough, ``_sample``, ``_objective`` and ``_validate``.
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

    def fit(self, images, labels, folder=None):
        """Train on images.

        A `fit` that does not finish leaves the classifier as it was: untrained, or with
        the network, history and random state of the last `fit` that did.

        With a `folder`, each epoch is written down there as soon as it is done. When the same
        `fit` is called again after a crash or a kill, by a new process or not, it goes on
        after the last epoch that was done, and ends in the network that it would have ended
        in, bit for bit. After the last epoch it just returns the trained network again.

        Parameters
        ----------
        images : array_like
            uint8 in 0..255 or floats in [0, 1]; (N, C, H, W), (N, H, W) or (N, features).
        labels : array_like of int, shape (N,)
            0 .. n_classes - 1.
        folder : path, optional
            For `checkpoint.npz`, which the training goes on from, and `log.jsonl`, which has a
            record of `history_` a line. For one run, and one process at a time. Every
            parameter but `verbose` has to stay as it was; they are compared as printed.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            A parameter, an image or a label is out of its range. Or the folder holds a run
            with other parameters or data, or a damaged one; or a warm start is to be written
            to a folder. Or the mask decay left a layer without weights.
        FloatingPointError
            The loss became infinite or NaN, or a parameter or the square of a gradient too large.
        """
        self._check_parameters()
        if folder is not None and not os.fspath(folder):
            raise ValueError("folder is empty; name one, or leave it out")
        if folder is not None and self.warm_start:
            raise ValueError(
                "a warm start depends on the fit before it, which no folder holds; set "
                "warm_start=False, or leave folder out"
            )
        goes_on = self.warm_start and hasattr(self, "model_")
        if goes_on:
            self._check_unchanged()
        images = as_images(images, self.input_shape_ if goes_on else None)
        n_classes = self.n_classes_ if goes_on else self.n_classes
        labels = as_labels(labels, len(images), n_classes)
        if len(np.unique(labels)) < 2:
            raise ValueError(f"labels hold a single class, {labels[0]}; at least 2 are needed")
        trained = copy.copy(self)  # what fails does so there
        run = self._run_folder(folder, images, labels)
        if goes_on:
            trained.model_, trained._rng = copy.deepcopy((self.model_, self._rng))
        else:
            seed = self.random_state if run is None else run.seed
            trained._start(images.shape[1:], n_classes or int(labels.max()) + 1, seed)
        # one BLAS thread: batches are too small for more to gain, and these wait for each other
        # as soon as anything else runs; a seed then means the same on any number of cores
        with threadpool_limits(limits=1, user_api="blas"):
            trained._train(images, labels, run)
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

    def _start(self, input_shape, n_classes, seed):
        self._rng = np.random.default_rng(seed)
        self._built_with = self.get_params()
        self.model_ = self._build(input_shape, n_classes, self._rng)
        self.input_shape_ = input_shape
        self.n_classes_ = n_classes
        self.classes_ = np.arange(n_classes)

    def _train(self, images, labels, run):
        picked, rest = self._split(labels)
        held_out = self._inputs(images[picked]), images[picked], labels[picked]
        images, labels = images[rest], labels[rest]
        inputs = self._inputs(images)
        sample = self._sample(inputs)

        def validate():
            return self._validate(*held_out, inputs[sample])

        trainer = Trainer(
            self.model_,
            self._objective(inputs, images, labels),
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            schedule=optim.get_schedule(self.schedule),
            rng=self._rng,
            validate=validate if self.validation else None,
            patience=self.patience,
        )
        if run is not None:
            run.resume(trainer)
        trainer.run(None if run is None else run.save, self.verbose)
        self.history_, self.best_epoch_ = trainer.history, trainer.best_epoch
        trainer.take_best()
        self._finish(inputs, images, labels, sample)

    def _sample(self, inputs):
        """Indices of the training inputs that `_validate` and `_finish` get; none here."""
        return slice(0)

    def _objective(self, inputs, images, labels):
        """What is minimised; all three are those of the training images."""
        return Objective(inputs, labels)

    def _validate(self, inputs, images, labels, sample):
        """Judge the network after an epoch by images that are held out.

        Parameters
        ----------
        inputs, images, labels : ndarray
            Of the held-out images.
        sample : ndarray
            The training inputs of `_sample`, the same ones each time.

        Returns
        -------
        dict
            For the log; "score" (larger is better) tells the best epoch.
        """
        return {"score": self._share_right(inputs, labels)}

    def _share_right(self, inputs, labels):
        return float(np.mean(self.model_.logits(inputs).argmax(axis=1) == labels))

    def _split(self, labels):
        """What picks the held-out and what the training images."""
        if not self.validation:
            return slice(0), slice(None)
        n_held_out = self.validation
        if not isinstance(n_held_out, numbers.Integral):
            n_held_out = max(1, round(n_held_out * len(labels)))
        order = self._rng.permutation(len(labels))
        if len(np.unique(labels[order[n_held_out:]])) < 2:
            raise ValueError(
                f"validation={self.validation} holds out {n_held_out} of {len(labels)} images "
                "and leaves fewer than 2 classes to train on; hold out fewer"
            )
        return order[:n_held_out], order[n_held_out:]

    def _run_folder(self, folder, images, labels):
        """The run in `folder`, begun or not, of the parameters as they are; None without one."""
        if folder is None:
            return None
        parameters = self.get_params()
        del parameters["verbose"]  # changes nothing
        identity = {name: repr(_plain(value)) for name, value in parameters.items()}
        identity |= {"bnnkit": __version__, "classifier": type(self).__name__}
        identity |= {"images": fingerprint(images), "labels": fingerprint(labels)}
        seed = self.random_state
        if seed is None:
            seed = np.random.SeedSequence().entropy  # as NumPy would draw it, but known
        return RunFolder(folder, identity, int(seed))

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
        _check_validation(self.validation, self.patience)
        if self.warm_start and self.validation:
            raise ValueError(
                "a warm start would be judged by images that the fit before it was trained on; "
                "set warm_start=False or validation=0"
            )


def check_positive(name, value, zero=False):
    """Raise unless `value` is a number above 0 (0 too with `zero`) that float32 can hold."""
    check_number(name, value)
    if not 0 <= value <= _LARGEST or (value == 0 and not zero):
        least = "at least" if zero else "above"
        raise ValueError(f"{name} must be {least} 0 and at most {_LARGEST:.1e}, got {value}")


def _check_validation(validation, patience):
    if isinstance(validation, numbers.Integral):
        check_count("validation", validation, least=0)
    else:
        hint = "; or pass a number of images as a whole number"
        check_range("validation", validation, "[0, 1)", hint)
    if patience is not None:
        check_count("patience", patience)
        if not validation:
            raise ValueError(
                f"patience={patience} waits for a better validation score, and validation=0 "
                "gives none; hold out images, such as validation=0.1"
            )


def _plain(value):
    """What is printed alike by all releases and processes, for NumPy's numbers and functions."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    if inspect.isroutine(value):
        return f"{value.__module__}.{value.__qualname__}"
    return value
