"""Random small networks, ensembles, and questions about them."""

from fractions import Fraction

import numpy as np

from bnnkit.fuzz import plain
from bnnkit.kernels import output_size

_SHAPES = ((1, 1, 1), (1, 1, 4), (1, 2, 2), (2, 2, 1), (1, 2, 3), (3, 1, 2), (1, 3, 3), (2, 2, 2))
_LAYERS = ("", "d", "dd", "ddd", "cd", "cpd", "ccd", "cc", "cpcd", "dcd")
_STEPS = ((1, 10), (1, 5), (1, 4), (3, 10), (1, 3), (1, 2), (61, 100), (1, 1))
_EPS = ((0, 1), (1, 20), (1, 10), (3, 20), (8, 255), (1, 4), (1, 3), (1, 2), (1, 1))
_FAR = 2**31 - 1  # a threshold that no sum reaches


def draw_question(seed, index):
    """Number `index` of the random questions of a seed: the fields of a `NetworkCase`."""
    rng = np.random.default_rng([seed, index])
    question = str(rng.choice(["one", "vote", "joint"], p=[0.8, 0.1, 0.1]))
    shape = _SHAPES[rng.integers(len(_SHAPES))]
    n_classes, n_members = int(rng.integers(2, 5)), 1 if question == "one" else rng.integers(1, 4)
    image, grey = _image(rng, shape)
    steps = rng.integers(len(_STEPS), size=n_members if rng.random() < 0.5 else 1)
    members = [
        _uncertain(rng, image, n_classes, _STEPS[steps[i % len(steps)]]) for i in range(n_members)
    ]
    label = _classes_near(rng, members[0], image, 0)[0][0]
    if rng.random() < 0.1:
        label = rng.integers(n_classes)
    eps = _radius(rng, members, image, label)
    pixels = "uint8" if grey and rng.random() < 0.2 else "real"
    return members, question, image, int(label), eps, pixels


def _uncertain(rng, image, n_classes, step):
    """A member, mostly one that makes a difference between images near a given one."""
    for _ in range(6):
        member = _member(rng, image.shape, n_classes, step)
        if rng.random() < 0.1 or len({*_classes_near(rng, member, image, 2)[0].tolist()}) > 1:
            break
    return member


def _radius(rng, members, image, label):
    """A radius, mostly one about which the first misclassified images are to be expected."""
    member = members[rng.integers(len(members))]
    classes, distances = _classes_near(rng, member, image, 3, 64)
    wrong = distances[classes != label]
    if len(wrong) == 0 or rng.random() < 0.2:
        return Fraction(*_EPS[rng.integers(0 if len(wrong) else 4, len(_EPS))])
    levels = int(wrong.min()) - Fraction(int(rng.integers(0, 4)), 4)
    return min(max(levels * Fraction(*member["step"]), Fraction(0)), Fraction(1))


def _classes_near(rng, member, image, reach, n=32):
    """Classes of random images whose levels differ from those of one, and by how much at most."""
    step = Fraction(*member["step"])
    levels = np.array([round(plain.exact(pixel) / step) for pixel in image.ravel()])
    moved = levels + rng.integers(-reach, reach + 1, (n, len(levels)))
    moved = np.clip(moved, 0, round(1 / step))
    distances = np.abs(moved - levels).max(axis=1)
    return plain.classes(member, moved.reshape(n, *image.shape)), distances


def _image(rng, shape):
    """An image with pixels on and between the stairs, and whether it is an 8-bit one."""
    if rng.random() < 0.7:
        image = rng.integers(0, 256, shape).astype(np.uint8)
        odd = rng.random(shape) < 0.3
        image[odd] = rng.choice([0, 51, 153, 255], odd.sum())
        return image, True
    return (rng.integers(0, 41, shape) / 40 if rng.random() < 0.5 else rng.random(shape)), False


def _member(rng, shape, n_classes, step):
    largest, layers = round(1 / Fraction(*step)), []
    for kind in _LAYERS[rng.integers(len(_LAYERS))]:
        if kind == "p":
            size, stride = min(2, *shape[1:]), int(rng.integers(1, 3))
            layers.append({"pool": str(rng.choice(["or", "and"])), "size": size, "stride": stride})
            shape = (shape[0], *(output_size(side, size, stride, 0) for side in shape[1:]))
            continue
        layers.append(_conv(rng, kind, shape, largest))
        kernel, stride, padding = (layers[-1][key] for key in ("weights", "stride", "padding"))
        shape = (
            len(kernel),
            *(
                output_size(side, size, stride, padding)
                for side, size in zip(shape[1:], kernel.shape[2:], strict=True)
            ),
        )
        largest = 1
    if layers and "pool" not in layers[-1] and rng.random() < 0.5:
        head = _among_twins(rng, layers, shape, n_classes)
    else:
        head = _head(rng, shape, n_classes)
    return {"step": list(step), "layers": layers, "head": head}


def _conv(rng, kind, shape, largest):
    channels, kernel, stride, padding = int(rng.integers(1, 9)), shape[1:], 1, 0
    if kind == "c":
        kernel = [int(rng.integers(1, min(side, 3) + 1)) for side in shape[1:]]
        stride, padding = int(rng.integers(1, 3)), int(rng.integers(0, 3))
    weights = _weights(rng, channels, shape[0], *kernel)
    places = (output_size(n, k, stride, padding) for n, k in zip(shape[1:], kernel, strict=True))
    by_position = tuple(places) if rng.random() < 0.3 else ()
    threshold = _threshold(rng, weights, largest, (channels, *by_position))
    sense = rng.choice([-1, 1], channels)
    layer = {"weights": weights, "threshold": threshold, "sense": sense}
    return layer | {"stride": stride, "padding": padding}


def _weights(rng, *shape):
    """Ternary weights, at times with an empty row, or with two equal or opposite ones."""
    weights = rng.integers(-1, 2, shape).astype(np.int8)
    odd = rng.random()
    if odd < 0.15:
        weights[rng.integers(shape[0])] = 0
    elif odd < 0.3:
        weights[-1] = weights[0] * rng.choice([-1, 1])
    return weights


def _threshold(rng, weights, largest, shape):
    """Thresholds about the middle of the sums that occur; some neurons are constant."""
    rows = weights.reshape(len(weights), -1).astype(int)
    centre = (rows.sum(axis=1) * largest // 2).reshape(-1, *[1] * (len(shape) - 1))
    spread = max(1, np.abs(rows).sum(axis=1).max() * largest // 4)
    threshold = centre + rng.integers(-spread, spread + 1, shape)
    if rng.random() < 0.15:
        threshold[rng.integers(shape[0])] = rng.choice([-_FAR, _FAR])
    return threshold


def _among_twins(rng, layers, shape, n_classes):
    """Double the last neurons; a head for which classes differ in which twin they count.

    All scores are equal then, but for a weight or two. Bounds do not see this, only solvers do.
    """
    doubled = {n: np.concatenate([layers[-1][n]] * 2) for n in ("weights", "threshold", "sense")}
    layers[-1] = layers[-1] | doubled
    one, other = _weights(rng, 1, *shape)[0], _weights(rng, 1, *shape)[0]
    pairs = [one, other], [other, one]
    weights = np.stack([np.concatenate(pairs[c % 2]) for c in range(n_classes)])
    if rng.random() < 0.5:
        weights.flat[rng.integers(weights.size, size=2)] = rng.integers(-1, 2, 2)
    bias = np.where(rng.random(n_classes) < 0.8, 0, rng.integers(-2, 3, n_classes))
    return {"weights": weights, "scale": int(rng.choice([-1, 1, 3])), "bias": bias}


def _head(rng, shape, n_classes):
    """Scores that often tie; at times of two classes that always do."""
    weights = _weights(rng, n_classes, *shape)
    scale = int(rng.choice([-3, -1, 1, 2, 1024]))
    bias = rng.integers(-2, 3, n_classes) * abs(scale) + rng.integers(-1, 2, n_classes)
    if rng.random() < 0.1:
        weights[-1], bias[-1] = weights[0], bias[0]
    return {"weights": weights, "scale": scale, "bias": bias}
