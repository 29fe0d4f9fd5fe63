"""Interval training: a loss for what interval bounds cannot exclude.

Each sum of weights and inputs lies between two ends if the inputs do. With positive weights W+,
negative ones W- (both as 0 and 1) and inputs between l and h, the ends are

    low = W+ l - W- h,    high = W+ h - W- l.

Their sum is W (l + h) with W = W+ - W-, and their difference |W| (h - l) with |W| = W+ + W-: three
products of a `TernaryLayer`, W l, W h and |W| (h - l), and the same the other way back.
The batch-norm and the step are monotone, so their ends come from these ends. What is minimised is
the cross-entropy of the worst logits: that of the label at its low end and all others at their
high ends.

An attack in training sees a deep network through its surrogate gradients, and the network learns
to look robust to them. Bounds cannot be deceived, but they are loose: too large a weight takes
accuracy. docs/results/training.md has figures.

References
----------
Gowal et al. Scalable verified training for provably robust image classification. ICCV 2019.
"""

import numpy as np

from bnnkit.kernels import training
from bnnkit.nn.lanes import FLOATS, Workspace
from bnnkit.nn.loss import cross_entropy


class IntervalPass:
    """Forward and backward through a network whose inputs lie between two ends.

    Parameters
    ----------
    network : LatentNetwork
    """

    def __init__(self, network):
        self._network = network
        self._stages = [_Stage(layer) for layer in network.linear_layers()]

    def backward(self, d_logits, low, high, labels, weight):
        """Set the gradients of a batch and of the loss term, in place of `network.backward`.

        The sums of intervals are normalised by the statistics of the batch, so what the term says
        of these passes on through the batch.

        Parameters
        ----------
        d_logits : ndarray, shape (N, classes)
            As for `network.backward`.
        low, high : ndarray of uint8, shape (n, H, W, C)
            Ends of the levels.
        labels : ndarray of int64, shape (n,)
        weight : float
            Of the term.

        Returns
        -------
        float
            The term: `weight` times the mean of the losses, in nats.
        """
        term, of_head = self._find(low, high, labels, weight)
        self._network.backward(d_logits)
        for stage in self._stages:
            stage.add_weight_gradient()
        head, (scale, bias) = self._network.head, of_head
        head.scale.gradient += np.float32(scale)
        head.bias.gradient += bias.astype(np.float32)
        return term

    def _find(self, low, high, labels, weight):
        """The term, and its gradients of scale and bias; stages and norms keep the others."""
        n, stages, norms = len(labels), self._stages, self._network.norms
        for stage in stages:
            stage.renew()
        x = stages[0].lanes(low, high)
        for stage, norm in zip(stages[:-1], norms, strict=True):
            stage.forward(x, n)
            x = stage.bits(norm, n)
        stages[-1].forward(x, n)
        term, of_head, dz = self._worst(stages[-1].sums, labels, weight)
        for index in reversed(range(1, len(stages))):
            stages[index].find_weight_gradient(*dz)
            ends, window = stages[index].input_gradient(*dz, n), self._network.window(index - 1)
            dz = stages[index - 1].through_step(norms[index - 1], window, ends)
        stages[0].find_weight_gradient(*dz)
        return term, of_head

    def _worst(self, sums, labels, weight):
        """The term, its gradients of scale and bias, and those of low and high ends of the sums."""
        n, head = len(labels), self._network.head
        low, high = (head.rows(z, n) for z in sums)
        own = np.arange(low.shape[1]) == labels[:, None]
        at_low = own == (head.scale.value[0] >= 0)  # a negative scale turns sums round
        worst = np.where(at_low, low, high)
        losses, d_logits = cross_entropy(head.logits(worst), labels)
        d_logits *= weight / n
        of_head = np.sum(d_logits * worst), d_logits.sum(axis=0)
        ends = np.where(at_low, d_logits, 0), np.where(at_low, 0, d_logits)
        return weight * float(losses.mean()), of_head, [head.z_gradient(end) for end in ends]


class _Stage:
    """A layer that meets intervals: the low ends of inputs, the high ends, and the widths."""

    def __init__(self, layer):
        self._layer, self._spaces = layer, [Workspace() for _ in range(3)]

    def renew(self):
        """Take the weights as they are now."""
        absolute = False, False, True
        self._parts = [self._layer.twin(*how) for how in zip(self._spaces, absolute, strict=True)]

    def lanes(self, low, high):
        """Ends of the levels, and their widths, in lanes."""
        levels = low, high, high - low
        return [part.lanes(x) for part, x in zip(self._parts, levels, strict=True)]

    def forward(self, x, n):
        """Set `sums`, the ends of the sums of `n` images."""
        self._x = x
        low, high, width = (part.product(a, n) for part, a in zip(self._parts, x, strict=True))
        training.ends_of_sums(*(z.reshape(-1) for z in (low, high, width)))
        self.sums = low, high

    def bits(self, norm, n):
        """Low and high bits of the sums, and where they differ."""
        shape = self.sums[0].shape[1:3]
        low, high, width = (part.space.lanes("bits", n, *shape, np.int8) for part in self._parts)
        for z, end in zip(self.sums, (low, high), strict=True):
            training.step(z, *norm.affine(), n, end)
        np.bitwise_xor(low, high, out=width)
        np.bitwise_and(low, high, out=low)
        np.bitwise_or(low, width, out=high)
        return low, high, width

    def through_step(self, norm, window, ends):
        """Gradients of the ends of the sums from those of low and high bits, which are changed."""
        low, high = (end.reshape(-1, *self.sums[0].shape[1:3], FLOATS) for end in ends)
        falling = norm.gamma.value < 0  # there the low end makes the high bit
        low[:, :, falling], high[:, :, falling] = high[:, :, falling], low[:, :, falling]
        for z, end in zip(self.sums, (low, high), strict=True):
            norm.through_same_statistics(z, end, window)
        return low, high

    def find_weight_gradient(self, low, high):
        """Find the gradient of the weights from those of the ends of the sums.

        A weight above 0 takes the low end of its input to the low end of the sum and the high
        one, which is greater by the width, to the high end; one below 0 the other way round.
        """
        layer, space, (x, _, width) = self._parts[0], self._spaces[0], self._x
        gradient, negative, positive = (
            space.array(name, layer.weights.shape, np.float32) for name in ("w", "w-", "w+")
        )
        layer.outer(x, low + high, gradient)
        layer.outer(width, low, negative)
        layer.outer(width, high, positive)
        gradient += np.where(layer.latent.value >= 0, positive, negative)
        self._gradient = gradient

    def add_weight_gradient(self):
        """Add what was found to the gradients of the layer's parameters."""
        self._layer.add_weight_gradient(self._gradient)

    def input_gradient(self, low, high, n):
        """Gradients of the low and the high ends of the input."""
        both = self._parts[0].input_gradient(low + high, n)
        apart = self._parts[2].input_gradient(high - low, n)
        both -= apart
        both /= 2
        apart += both
        return both, apart
