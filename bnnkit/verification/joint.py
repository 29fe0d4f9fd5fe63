"""The two questions about several networks at once: the joint attack, and the vote."""

import functools
from dataclasses import dataclass, replace

from bnnkit import solvers
from bnnkit.ensemble import Vote
from bnnkit.network import BinaryNetwork
from bnnkit.verification import pipeline, witness
from bnnkit.verification._question import checked_image, checked_limits, flat
from bnnkit.verification.bounds import possible_classes, propagate
from bnnkit.verification.joint_circuit import joint_circuit
from bnnkit.verification.joint_encode import add_usable, encode_joint
from bnnkit.verification.joint_search import JointSearch
from bnnkit.verification.refinement import refinement_of
from bnnkit.verification.rules import rule
from bnnkit.verification.verdict import Verdict

_BETWEEN = "only images that float32 cannot write down: a pixel lies right between two levels"


@dataclass(frozen=True)
class EnsembleVerdict(Verdict):
    """The answer to `verify_vote` or `verify_joint`.

    Beside what a `Verdict` has; its ``clean`` and ``predicted`` are what the ensemble makes of the
    image and of `adversarial`: the class of the vote, or the class that all members choose,
    where they do not the label.

    Attributes
    ----------
    choices : tuple of int
        The class that each member gives to `adversarial`, or to the image where there is none.

    Examples
    --------
    >>> from bnnkit.verification import EnsembleVerdict
    >>> verdict = EnsembleVerdict(
    ...     "falsified", label=3, eps=0.1, clean=3, predicted=8, stage="solver", choices=(8, 3, 8)
    ... )
    >>> verdict.predicted, verdict.choices  # two of three
    (8, (8, 3, 8))
    """

    choices: tuple = ()


def verify_vote(
    networks,
    image,
    label,
    eps,
    solver="native",
    timeout=60.0,
    pixels="real",
    falsify=0.002,
    fallback=None,
):
    """Is the plurality vote of some networks `label` for every image within `eps`? Exactly.

    The vote goes to the class that most networks choose, and to the lowest one of several with
    as many votes; a network chooses as it predicts. With one network this is `verify`.

    Parameters
    ----------
    networks : sequence of BinaryNetwork, or Vote of such
        At least one. They may differ in all but their input shape and their classes, in their
        quantisation steps too: a pixel is one real number for all of them.
    image, label, eps, solver, timeout, pixels, falsify, fallback
        As for `verify`.

    Returns
    -------
    EnsembleVerdict
        ``status`` is "robust" (proved), "falsified" (with an image that all members have
        classified by integer inference, in ``adversarial``) or "unknown".

    Raises
    ------
    TypeError, ValueError
        As for `verify`, and for networks that do not go together.

    Notes
    -----
    Where two steps differ, a single real number may lie between two of their levels, such as 0.15
    with the steps 0.1 and 0.3. If the vote falls at such numbers only, which no float32 is, it is
    not robust, but there is no image to show either: "unknown", and the reason says so. With
    ``pixels="uint8"`` there are no such numbers.

    Examples
    --------
    Three networks that see one pixel, and choose class 1 from some level on:

    >>> from bnnkit import BinaryNetwork, verify_vote
    >>> from bnnkit.network import Conv2d, Head
    >>> from bnnkit.quantiser import Quantiser
    >>> layers = [Conv2d([[[[1]]]], [level], [1]) for level in (1, 2, 4)]
    >>> head = Head([[[[0]]], [[[1]]]], 1, [0, 0])
    >>> networks = [BinaryNetwork(Quantiser(0.1), [layer], head, (1, 1, 1)) for layer in layers]
    >>> verify_vote(networks, [0.0], 0, 0.1).status
    'robust'
    >>> verify_vote(networks, [0.0], 0, 0.2).choices
    (1, 1, 0)
    """
    options = (solver, timeout, pixels, falsify, fallback)
    return _verify("vote", networks, image, label, eps, *options)


def verify_joint(
    networks,
    image,
    label,
    eps,
    solver="native",
    timeout=60.0,
    pixels="real",
    falsify=0.002,
    fallback=None,
):
    """Is there no image within `eps` for which all networks choose the same wrong class? Exactly.

    "falsified" is a joint attack: one image, one class that is not `label`, chosen by all
    networks (as they predict, ties to the lowest class). "robust" says that there is none, not
    that every network is right. With one network this is `verify`. Whatever `verify_joint`
    falsifies, `verify_vote` does.

    Parameters
    ----------
    networks, image, label, eps, solver, timeout, pixels, falsify, fallback
        As for `verify_vote`.

    Returns
    -------
    EnsembleVerdict
        With "unknown" as `verify_vote` has it, see its notes.

    Raises
    ------
    TypeError, ValueError
        As `verify_vote` does.

    Examples
    --------
    >>> import bnnkit
    >>> network = bnnkit.zoo.load("mnist-mlp-eps0.1")
    >>> image = np.zeros((1, 28, 28), np.uint8)
    >>> label = network.predict(image[None])[0]
    >>> bnnkit.verify_joint([network, network], image, label, eps=0.01).status
    'robust'
    """
    options = (solver, timeout, pixels, falsify, fallback)
    return _verify("joint", networks, image, label, eps, *options)


def checked_networks(networks):
    """The networks of an ensemble as a tuple, or an error that says why they are none."""
    if isinstance(networks, Vote):
        networks = networks.members
    if isinstance(networks, BinaryNetwork) or not hasattr(networks, "__iter__"):
        raise TypeError(_not_networks(networks))
    networks = tuple(networks)
    if not networks:
        raise ValueError("networks is empty; an ensemble needs at least one")
    for network in networks:
        if not isinstance(network, BinaryNetwork):
            raise TypeError(_not_networks(network))
    kinds = {(network.input_shape, network.n_classes) for network in networks}
    if len(kinds) > 1:
        raise ValueError(
            "networks must all have the same input shape and number of classes, got "
            + " and ".join(f"{shape} with {n} classes" for shape, n in sorted(kinds))
        )
    return networks


def _not_networks(given):
    return (
        f"networks must be a sequence of BinaryNetwork, got {type(given).__name__}; "
        "of a trained BNNClassifier pass its network_"
    )


def _verify(name, networks, image, label, eps, solver, timeout, pixels, falsify, fallback):
    networks = checked_networks(networks)
    image, label = checked_image(networks[0], image, label)
    eps = checked_limits(image, eps, timeout, pixels)
    engine, other = pipeline.checked_engines(solver, timeout, fallback, falsify)
    for each in filter(None, (solver, fallback)):
        _warm_up(each)
    joint_circuit(networks)  # once for all images, so before the clock of this one starts
    refinement_of(networks, pixels == "uint8")
    question = _Question(name, networks, image, label, eps, timeout, pixels == "uint8", other)
    return question.answer(engine, falsify)


@functools.cache
def _warm_up(solver):
    """Load and compile what the first image would have to wait for."""
    pipeline._warm_up(solver)
    network, *rest = pipeline.small_question()
    _Question("vote", (network,), *rest).answer(solvers.get(solver), 1e-4)


class _Question(pipeline.Question):
    """A question about an ensemble; the network of the base class are several."""

    def __init__(self, name, networks, *arguments):
        super().__init__(networks, *arguments)
        self.rule = rule(name, len(networks), self.label, networks[0].n_classes)
        self.refinement = refinement_of(networks, self.as_uint8)

    def answer(self, engine, falsify):
        cells = flat(self.refinement.cells(self.image))
        self.choices = tuple(int(net.predict(self.image[None])[0]) for net in self.network)
        self.clean = self.rule.outcome(self.choices)
        self.clock.end_stage("clean")
        if self.clean != self.label:
            # the image as it is given, if float32 cannot write it down
            given = self._verdict("falsified", "clean", adversarial=self.image)
            return self._falsified("clean", cells) or given
        c = joint_circuit(self.network)
        box = [flat(end) for end in self.refinement.box(self.image, self.eps)]
        bounds = propagate(c, *(self.refinement.level[:, end].ravel() for end in box))
        possible = possible_classes(c, len(self.network), bounds)
        targets = self.rule.open_classes(possible)
        self.clock.end_stage("bounds")
        if len(targets) == 0:
            return self._verdict("robust", "bounds")
        start = self.refinement.nearest_usable(cells, *box)
        if not self.refinement.usable[start].all():
            falsify = 0  # nothing that a search could find
        search = JointSearch(c, self.refinement, box, start, self.rule, targets)
        found = self._search(search, falsify)
        if found is not None:
            return self._falsified("falsify", found)
        question = encode_joint(c, self.refinement, box, start, self.rule, possible, bounds)
        self.clock.end_stage("encode")
        verdict = self._decide(engine, question, search, falsify)
        if verdict is None:
            verdict = self._decide_usable(engine, question, box, search, falsify)
        return verdict

    def _decide_usable(self, engine, question, box, search, falsify):
        """Look for an image that float32 can write down: the solver's first one is none."""
        question = replace(question, formula=add_usable(question, self.refinement, box))
        self.clock.end_stage("encode")
        verdict = self._decide(engine, question, search, falsify)
        if verdict.status == "robust":
            return replace(verdict, status="unknown", reason=_BETWEEN)
        return verdict

    def _falsified(self, stage, cells):
        """None if float32 cannot write down an image in these cells."""
        adversarial = self._image_in(cells)
        if adversarial is None:
            return None
        choices = tuple(witness.predict_one(net, adversarial) for net in self.network)
        predicted = self.rule.outcome(choices)
        witness.check_class_and_place(predicted, self.image, adversarial, self.label, self.eps)
        return replace(self._verdict("falsified", stage, predicted, adversarial), choices=choices)

    def _image_in(self, cells):
        """The image nearest to the given one in some cells (n_pixels,), None if there is none."""
        c, h, w = self.image.shape
        cells = cells.reshape(h, w, c).transpose(2, 0, 1)
        if not self.refinement.usable[cells].all():
            return None
        return self.refinement.images_in(cells, self.image)

    def _verdict(self, *arguments, **options):
        verdict = super()._verdict(*arguments, **options)
        return EnsembleVerdict(**vars(verdict), choices=self.choices)
