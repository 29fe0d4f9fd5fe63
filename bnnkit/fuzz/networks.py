"""Random questions about networks, and the truth about those with small balls."""

import itertools
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from functools import cached_property

import numpy as np

from bnnkit.fuzz import boxes, network_ways, plain
from bnnkit.fuzz.draw_networks import draw_question
from bnnkit.fuzz.members import network_of
from bnnkit.fuzz.smaller_networks import smaller
from bnnkit.verification._question import checked_image, checked_limits

_MOST_BITS = 10**6  # of a layer in a file


@dataclass(frozen=True)
class NetworkCase:
    """A question about one network, or about several.

    Attributes
    ----------
    members : list of dict
        Of each network its "step" [numerator, denominator], its "layers", which have "weights",
        "threshold", "sense", "stride", "padding" or "pool", "size", "stride", and its "head" with
        "weights", "scale", "bias": what the classes of `bnnkit.network` take.
    question : "one", "vote", "joint"
    image : ndarray of uint8 or float64, shape (C, H, W)
    label : int
    eps : Fraction
    pixels : "real", "uint8"

    Examples
    --------
    >>> from bnnkit.fuzz import NetworkCase
    >>> case = NetworkCase.draw(seed=0, index=0)
    >>> case.question, len(case.networks), case.image.shape
    ('one', 1, (1, 2, 3))
    """

    members: list
    question: str
    image: np.ndarray
    label: int
    eps: Fraction
    pixels: str

    kind = "network"

    @classmethod
    def draw(cls, seed, index):
        """Number `index` of the random cases of a seed."""
        return cls(*draw_question(seed, index))

    @staticmethod
    def ways(solver):
        """The ways to ask a solver, by names: functions that return an answer, or None."""
        return network_ways.of(solver)

    @staticmethod
    def rare_ways():
        """The ways that are not about one solver, by names: `verify_box`."""
        return boxes.WAYS

    def statements(self, ways):
        """What each way says: a list with "robust", "falsified" or "unknown".

        The list of a way that goes wrong has a sentence that says how, that of a way that has
        nothing to say is empty. Ways that answer a second question have None for the first one.
        """
        said = {}
        for name, way in {**ways, "enumeration": NetworkCase.enumerated}.items():
            try:
                answer = way(self)
            except Exception as error:  # of any kind: it is what is looked for
                answer = f"{type(error).__name__}: {error}"
            said[name] = answer if isinstance(answer, list) else [answer]
        return said

    def smaller(self):
        """Yield cases with less of something."""
        for changes in smaller(self):
            case = replace(self, **changes)
            try:
                case.networks  # noqa: B018
            except ValueError:
                continue
            yield case

    @cached_property
    def networks(self):
        """The members as BinaryNetworks; ValueError if they are none."""
        return [network_of(member, self.image.shape) for member in self.members]

    def enumerated(self):
        """The answer by all images of the ball; None if there are too many."""
        steps = [Fraction(*member["step"]) for member in self.members]
        distinct = list(dict.fromkeys(steps))
        kinds = [
            plain.kinds(pixel, self.eps, distinct, self.pixels == "uint8")
            for pixel in self.image.ravel()
        ]
        if np.prod([len(some) for some in kinds], dtype=object) > plain.MOST_IMAGES:
            return None
        every = np.array(list(itertools.product(*kinds)))  # (images, pixels, distinct steps)
        choices = []
        for member, network, step in zip(self.members, self.networks, steps, strict=True):
            levels = every[:, :, distinct.index(step)].reshape(-1, *self.image.shape)
            choices.append(plain.classes(member, levels))
            if not np.array_equal(network.scores_of_levels(levels).argmax(axis=1), choices[-1]):
                return "inference goes wrong"
        return "falsified" if self.fallen(np.array(choices)).any() else "robust"

    def fallen(self, choices):
        """Whether members that choose these classes, (members, images), let the label fall."""
        if self.question == "joint":
            return (choices == choices[0]).all(axis=0) & (choices[0] != self.label)
        votes = (choices[..., None] == np.arange(len(self.members[0]["head"]["bias"]))).sum(axis=0)
        return votes.argmax(axis=1) != self.label

    def is_witness(self, adversarial):
        """Whether an image of the ball lets the label fall, by definition."""
        pixels = [plain.exact(pixel) for pixel in adversarial.ravel()]
        choices = []
        for member in self.members:
            levels = [round(pixel / Fraction(*member["step"])) for pixel in pixels]
            choices.append(plain.classes(member, np.array(levels).reshape(1, *self.image.shape)))
        distances = (
            abs(plain.exact(value) - pixel)
            for value, pixel in zip(self.image.ravel(), pixels, strict=True)
        )
        near = max(distances) <= self.eps + Fraction(6, 10**8)  # of rounding to float32
        return bool(near and all(0 <= p <= 1 for p in pixels) and self.fallen(np.array(choices))[0])

    def to_dict(self):
        """What a file of the case holds."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return _listed(values | {"eps": self.eps.as_integer_ratio()})

    @classmethod
    def from_dict(cls, values):
        """The case that a file holds; an error if it is none."""
        image = np.array(values["image"])
        image = image.astype(np.uint8 if image.dtype.kind == "i" else np.float64)
        members = [
            member
            | {"layers": [_arrays(layer) for layer in member["layers"]]}
            | {"head": _arrays(member["head"])}
            for member in values["members"]
        ]
        eps, names = Fraction(*values["eps"]), ("question", "label", "pixels")
        case = cls(members=members, image=image, eps=eps, **{n: values[n] for n in names})
        case._check()
        return case

    def _check(self):
        if len(self.members) != 1 and (self.question == "one" or not self.members):
            raise ValueError(f"{len(self.members)} members for the question {self.question!r}")
        if self.question not in ("one", "vote", "joint"):
            raise ValueError(f"question {self.question!r}")
        for network in self.networks:
            checked_image(network, self.image, self.label)
            if max(np.prod(shape, dtype=object) for shape in network.shapes) > _MOST_BITS:
                raise ValueError(f"a layer has more than {_MOST_BITS} outputs")
        checked_limits(self.image, self.eps, None, self.pixels)


def _listed(value):
    """Arrays as lists, in whatever they are."""
    if isinstance(value, dict):
        return {name: _listed(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_listed(part) for part in value]
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


def _arrays(values):
    return {n: np.array(v) if isinstance(v, list) else v for n, v in values.items()}
