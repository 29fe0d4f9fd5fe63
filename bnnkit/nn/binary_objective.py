"""What the training of a binarized network minimises, and the attack that it is judged by."""

import numpy as np

from bnnkit.nn.bound_decay import bounds
from bnnkit.nn.interval import IntervalPass
from bnnkit.nn.objective import Objective
from bnnkit.nn.scales import tune_scales

_BATCH = 128  # of attacks outside of training
_TUNING_IMAGES = 1024  # attacked once for each scale that is tried
_TUNING_START = 0.1  # share of the training before which surrogates stay as they are


class BinaryObjective(Objective):
    """Cross-entropy of images, adversarial ones if asked for, interval loss and bound decay.

    Parameters
    ----------
    inputs, labels : ndarray
        Levels (N, H, W, C), and labels (N,).
    balls : LevelBalls or None
        Around the images that the levels are of; without an adversary None.
    adversary : PGDTraining or ExactTraining, optional
        Without one, images are trained on as they are.
    bound_decay : BoundDecay, optional
    interval_loss : float
        Weight of the loss term of `IntervalPass` at full eps, for the adversary's balls.
    tune : bool
        Tune the scales of the surrogates after each epoch (`tune_scales`).
    """

    def __init__(
        self,
        inputs,
        labels,
        balls,
        adversary=None,
        bound_decay=None,
        interval_loss=0.0,
        tune=False,
    ):
        super().__init__(inputs, labels)
        order = np.random.default_rng(0).permutation(len(labels))  # the labels may be sorted
        self._probe = order[:_TUNING_IMAGES]
        self._balls, self._adversary = balls, adversary
        self._bound_decay, self._tune = bound_decay, tune
        self._interval_loss = interval_loss
        self._terms = {}

    def start_epoch(self, network, epoch, epochs, rng):
        """Plan the attack; epochs count for validation once eps is full."""
        self._share, self._terms = (epoch + 1) / epochs, {}
        if self._adversary is None:
            return {}
        self._plan = self._adversary.at(self._share)
        if self._interval_loss:
            self._pass = IntervalPass(network)
        eps, full = self._plan.eps, self._adversary.at(1).eps
        self._weight = self._interval_loss * eps / full
        return {**self._plan._asdict(), "eligible": eps == full}

    def end_epoch(self, network, rng):
        """Tune the surrogates; note loss terms, sparsity, scales, and cardinality bounds."""
        if self._tune and self._share > _TUNING_START:
            tune_scales(network, lambda: self._attacked_accuracy(network))
        return {
            "terms": {name: float(np.mean(terms)) for name, terms in self._terms.items()},
            "sparsity": network.sparsities(),
            "surrogate_scales": list(network.surrogate_scales),
            "bounds": bounds(network),
        }

    def state(self, network):
        """The scales of the surrogates."""
        return {"surrogate_scales": list(network.surrogate_scales)}

    def restore(self, network, state):
        """Bring the scales back."""
        network.surrogate_scales[:] = state["surrogate_scales"]

    def batch_inputs(self, network, batch, rng):
        """Levels that the adversary found."""
        if self._adversary is None:
            return super().batch_inputs(network, batch, rng)
        self._ball = self._balls.of(batch, self._plan.eps)
        return self._adversary.batch(network, self._ball, self.labels[batch], self._plan, rng)

    def backward(self, network, batch, d_logits):
        """Set the gradients, with those of interval loss and bound decay."""
        terms = {}
        if self._interval_loss:
            ends, labels = self._ball.ends, self.labels[batch]
            terms["interval_loss"] = self._pass.backward(d_logits, *ends, labels, self._weight)
        else:
            network.backward(d_logits)
        if self._bound_decay is not None:
            terms["bound_decay"] = self._bound_decay.add_gradients(network)
        for name, term in terms.items():
            self._terms.setdefault(name, []).append(term)
        return sum(terms.values())

    def _attacked_accuracy(self, network):
        """How many of the images to tune by a full attack leaves correct."""
        correct = 0
        for batch, levels in full_attack(
            network, self._adversary, self._balls, self.labels, self._probe, batch_statistics=True
        ):
            classes = network.forward(levels).argmax(axis=1)
            correct += int(np.count_nonzero(classes == self.labels[batch]))
        return correct


def full_attack(network, adversary, balls, labels, chosen, batch_statistics):
    """Attack images as hard as at the end of the training.

    Parameters
    ----------
    network : LatentNetwork
    adversary : PGDTraining or ExactTraining
    balls : LevelBalls
    labels : ndarray of int64, shape (N,)
    chosen : ndarray of int, shape (n,)
        Indices of the images to attack.
    batch_statistics : bool
        Normalised by the statistics of each batch, as in training, or by those that the
        network has, as at inference.

    Yields
    ------
    batch : ndarray of int
        The next of `chosen`.
    levels : ndarray of uint8, shape (len(batch), H, W, C)
        The same ones for a network, since the attack has a seed of its own.
    """
    adversary, rng = adversary.full, np.random.default_rng(0)
    plan = adversary.at(1)
    for batch in np.array_split(chosen, -(-len(chosen) // _BATCH)):
        ball = balls.of(batch, plan.eps)
        yield batch, adversary.batch(network, ball, labels[batch], plan, rng, batch_statistics)
