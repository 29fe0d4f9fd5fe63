"""Questions about networks as questions about boxes of real pixels; see `verify_box`.

A pixel's level is how many stairs it has reached. So a first layer on real pixels with a bit for
each stair, before a network that adds up these bits, is the same network: *stairs*. Another one is
the network without its quantiser, whose first layer adds up pixels. It says something else, which
elimination finds out: a *second question*.
"""

import itertools
from fractions import Fraction
from functools import partial

import numpy as np

from bnnkit.fuzz import plain, plain_boxes
from bnnkit.fuzz.members import network_of
from bnnkit.fuzz.native_ways import TIMEOUT
from bnnkit.fuzz.smaller_networks import without_channel
from bnnkit.network import RealConv2d, RealNetwork
from bnnkit.verification.real import Condition
from bnnkit.verification.real.box import Box
from bnnkit.verification.real.pipeline import Question

SEARCH = 0.005  # seconds of the first search; these questions are tiny
NO_SEARCH = 0  # so that proofs find what there is
MOST_PIXELS, MOST_BITS = 4, 4  # of what elimination is asked about


def as_box(case, search=SEARCH):
    """The answer to a case by `verify_box`; None if it is not about one network and real pixels."""
    if case.question != "one" or case.pixels != "real" or case.networks[0].n_classes == 1:
        return None
    member, label = case.members[0], case.label
    network = RealNetwork(*stairs(member, label, case.image.shape), case.image.shape, 0, 1)
    pixels = _exact(case.image)
    low, high = np.maximum(pixels - case.eps, 0), np.minimum(pixels + case.eps, 1)
    verdict = _answer(network, low, high, Condition.not_class(label, network.n_classes), search)
    if verdict.status == "falsified" and not (
        _inside(low, verdict.witness, high) and case.is_witness(verdict.witness)
    ):
        return "the witness is none"
    return verdict.status


def stairs(member, label, shape):
    """Front and tail of the same network on real pixels; ties of the label with others are broken.

    In a condition on boxes a tie is enough for every class, but in a network for lower ones only.
    So scores are doubled, and those of classes above the label are less by one.
    """
    step, channels = Fraction(*member["step"]), shape[0]
    n = round(1 / step)
    weights = np.zeros((channels * n, channels, 1, 1), np.int8)
    weights[np.arange(channels * n), np.repeat(np.arange(channels), n)] = 1
    threshold = [(k + Fraction(1, 2)) * step for k in range(n)] * channels
    strict = [k % 2 == 0 for k in range(n)] * channels  # half-way values go to the even level
    front = RealConv2d(weights, threshold, np.ones(channels * n, int), np.array(strict))
    head = member["head"]
    bias = 2 * head["bias"] - (np.arange(len(head["bias"])) > label)
    head = head | {"scale": 2 * head["scale"], "bias": bias}
    tail = _repeated(member["layers"], head, n)
    return front, _tail(*tail, (channels * n, *shape[1:]))


def _repeated(layers, head, n):
    """Layers and head of which the first with weights reads n bits for each level."""
    parts = [*layers, head]
    first = next(i for i, part in enumerate(parts) if "weights" in part)
    parts[first] = parts[first] | {"weights": np.repeat(parts[first]["weights"], n, axis=1)}
    return parts[:-1], parts[-1]


def _tail(layers, head, shape):
    return network_of({"step": (1, 1), "layers": layers, "head": head}, shape)


def without_quantiser(case):
    """The second question: (front, tail as a member, low, high, Condition); None if it is large.

    Its box is about pixels in the middle of their levels, so that sums often reach a threshold
    exactly. Half of the conditions ask for one class that has the greatest score.
    """
    member, shape = case.members[0], case.image.shape
    if not member["layers"] or "pool" in member["layers"][0] or case.image.size > MOST_PIXELS:
        return None
    n, (channels, *size) = case.networks[0].n_classes, case.networks[0].shapes[1]
    most = MOST_BITS // int(np.prod(size))
    if most == 0 or n == 1:
        return None
    for channel in range(channels - 1, most - 1, -1):
        member = without_channel(member, 0, channel)
    layer, step = member["layers"][0], Fraction(*member["step"])
    strict = np.arange(len(layer["weights"])) % 2 == case.label % 2
    changes = {"threshold": layer["threshold"].astype(object) * step, "strict": strict}
    front = RealConv2d(**layer | changes)
    levels = np.array([round(pixel / step) for pixel in _exact(case.image).ravel()], object)
    centre = levels.reshape(shape) * step
    tail = {"layers": member["layers"][1:], "head": member["head"]}
    clean = plain.scores(tail, plain_boxes.bits(front, centre)[None])[0]
    label = int(clean.argmax())
    condition = Condition.not_class(label, n)
    if case.label % 2:
        winners = [j for j in range(n) if j != label]
        condition = Condition([[(j, k) for k in range(n) if k != j] for j in winners])
    return front, tail, centre - case.eps, centre + case.eps, condition


def second_answer(case, search=SEARCH):
    """[None, answer]: what `verify_box` says to the second question; None if there is none."""
    question = without_quantiser(case)
    if question is None:
        return None
    front, tail, low, high, condition = question
    made = _tail(tail["layers"], tail["head"], front.output_shape(low.shape))
    network = RealNetwork(front, made, low.shape, 0, 1)
    verdict = _answer(network, low, high, condition, search)
    if verdict.status == "falsified":
        scores = plain.scores(tail, plain_boxes.bits(front, verdict.witness)[None])
        if not (_inside(low, verdict.witness, high) and _holds(condition, scores)):
            return "the witness is none"
    return [None, verdict.status]


def eliminated(case):
    """[None, answer]: the truth about the second question; None if there is none."""
    question = without_quantiser(case)
    if question is None:
        return None
    front, tail, low, high, condition = question
    scores = plain.scores(tail, np.stack(plain_boxes.patterns(front, low, high)))
    return [None, "falsified" if _holds(condition, scores) else "robust"]


def _holds(condition, scores):
    """Whether some row of scores (N, classes) is that of a counterexample."""
    return any(
        all(row[a] >= row[b] for a, b in case)
        for row, case in itertools.product(scores.tolist(), condition.cases)
    )


def _answer(network, low, high, condition, search):
    return Question(network, Box(low, high), condition, TIMEOUT, 0, search).answer()


def _exact(image):
    exact = np.empty(image.size, object)
    exact[:] = [plain.exact(pixel) for pixel in image.ravel()]
    return exact.reshape(image.shape)


def _inside(low, x, high):
    return bool((low <= x).all() and (x <= high).all())


WAYS = {
    "box of pixels": as_box,
    "box of pixels, proof": partial(as_box, search=NO_SEARCH),
    "real pixels": second_answer,
    "real pixels, proof": partial(second_answer, search=NO_SEARCH),
    "real pixels, elimination": eliminated,
}
