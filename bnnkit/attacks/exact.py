"""The complete attacks: a solver finds an adversarial image or proves that there is none."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from bnnkit._checks import unit_floats
from bnnkit._options import check_jobs, check_number, check_range
from bnnkit.attacks.base import Attack
from bnnkit.attacks.models import exact_network, predict
from bnnkit.ensemble import Vote


@dataclass(frozen=True)
class Exact(Attack):
    """Ask `bnnkit.verify_all`: fooled, proved robust, or undecided when time runs out.

    The model must be a BinaryNetwork or keep one as ``network_``.

    Parameters
    ----------
    solver : str
        A name from `bnnkit.solvers.available`.
    timeout : float or None
        Seconds for each image; None for as long as it takes.
    n_jobs : int
        Images at a time, as joblib counts them (-1: one for each core).
    falsify : float
        Seconds of the first search, as for `bnnkit.verify`. Where most images are fooled by a
        large network, a second or two spares building formulas.
    store : path, optional
        A file for the answers, as for `bnnkit.verify_all`: what it has is not asked again.

    Raises
    ------
    TypeError, ValueError
        For a solver that there is not, and for a timeout or n_jobs that makes no sense.

    Examples
    --------
    >>> import bnnkit
    >>> from bnnkit.attacks import Exact
    >>> network = bnnkit.zoo.load("mnist-mlp-eps0.1")
    >>> images = np.zeros((2, 1, 28, 28), np.uint8)
    >>> labels = network.predict(images)
    >>> Exact()(network, images, labels, eps=0.01).withstood.tolist()  # proved
    [True, True]
    """

    solver: str = "native"
    timeout: float | None = 60.0
    n_jobs: int = field(default=1, repr=False)  # no part of what is answered
    falsify: float = 0.002
    store: object = field(default=None, repr=False)  # nor is where the answers are kept

    complete = True
    _question: ClassVar[dict] = {}  # an option of `verify_all`

    def __post_init__(self):
        from bnnkit import solvers

        if not isinstance(self.solver, str):
            raise TypeError(f"solver must be a name, got {self.solver!r}")
        solvers.get(self.solver)
        if self.timeout is not None:
            check_number("timeout", self.timeout)
            if not self.timeout > 0:
                raise ValueError(
                    f"timeout must be a positive number of seconds or None, got {self.timeout}"
                )
        check_jobs(self.n_jobs)
        check_range("falsify", self.falsify, "[0, inf)")

    def _perturb(self, model, ball, labels):
        from bnnkit.campaign import verify_all

        networks = self._networks(model)
        verdicts = verify_all(
            networks,
            ball.images,
            labels,
            ball.eps,
            solver=self.solver,
            timeout=self.timeout,
            n_jobs=self.n_jobs,
            falsify=self.falsify,
            store=self.store,
            **self._question,
        )
        adversarial = self._unchanged(networks, ball)
        for i, verdict in enumerate(verdicts):
            if verdict.adversarial is not None:
                adversarial[i] = unit_floats(verdict.adversarial).reshape(adversarial.shape[1:])
        # A witness is judged by the base class. If it failed there, its image would not be
        # fooled, and not proved robust either: it stays undecided.
        return adversarial, np.array([verdict.status != "robust" for verdict in verdicts])

    def _networks(self, model):
        return exact_network(model)

    def _unchanged(self, network, ball):
        """The images as float32, with the levels that they have as they were given."""
        from bnnkit.verification.witness import to_image

        levels = network.quantiser.levels(ball.images)
        return to_image(network.quantiser, ball.images, levels)


class VoteExact(Exact):
    """Ask `bnnkit.verification.verify_vote`: is there an image that the vote gets wrong?

    The model of a call is a sequence of models, or their `Vote`. Each of them must be a
    BinaryNetwork or keep one as ``network_``. The parameters are those of `Exact`.

    Examples
    --------
    Three networks of one pixel, which are class 0 below 0.05, 0.15 and 0.35. Within 0.1 one of them
    can be fooled, within 0.2 two:

    >>> from bnnkit.attacks import VoteExact
    >>> from bnnkit.network import BinaryNetwork, Conv2d, Head
    >>> from bnnkit.quantiser import Quantiser
    >>> layers = [Conv2d([[[[1]]]], [level], [1]) for level in (1, 2, 4)]
    >>> head = Head([[[[0]]], [[[1]]]], 1, [0, 0])
    >>> networks = [BinaryNetwork(Quantiser(0.1), [layer], head, (1, 1, 1)) for layer in layers]
    >>> [VoteExact()(networks, [[[0.0]]], [0], eps).success.item() for eps in (0.1, 0.2)]
    [False, True]
    """

    _question: ClassVar[dict] = {"question": "vote"}

    def __call__(self, models, images, labels, eps):
        """Attack the vote of some models; see `Attack`."""
        vote = models if isinstance(models, Vote) else Vote(models)
        return super().__call__(vote, images, labels, eps)

    def _networks(self, vote):
        return tuple(map(exact_network, vote.members))

    def _unchanged(self, networks, ball):
        from bnnkit.verification.refinement import refinement_of

        return refinement_of(networks).unchanged(ball.images, ball.eps)


class JointExact(VoteExact):
    """Ask `bnnkit.verification.verify_joint`: does an image make all models choose one wrong class?

    The model of a call is a sequence of models, or their `Vote`, as for `VoteExact`. A success is
    an image for which all of them choose the same class, which is not its label.

    Examples
    --------
    The three networks of `VoteExact`: at 0.2 the last one still stands.

    >>> from bnnkit.attacks import JointExact
    >>> from bnnkit.network import BinaryNetwork, Conv2d, Head
    >>> from bnnkit.quantiser import Quantiser
    >>> layers = [Conv2d([[[[1]]]], [level], [1]) for level in (1, 2, 4)]
    >>> head = Head([[[[0]]], [[[1]]]], 1, [0, 0])
    >>> networks = [BinaryNetwork(Quantiser(0.1), [layer], head, (1, 1, 1)) for layer in layers]
    >>> [JointExact()(networks, [[[0.0]]], [0], eps).success.item() for eps in (0.2, 0.4)]
    [False, True]
    """

    _question: ClassVar[dict] = {"question": "joint"}

    def _is_fooled(self, vote, images, labels):
        choices = np.stack([predict(member, images) for member in vote.members])
        return (choices == choices[0]).all(axis=0) & (choices[0] != labels)
