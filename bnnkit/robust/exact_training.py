"""The verifier in the loop of training: counterexamples where the gradient finds none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bnnkit._options import ROUNDING, check_count, check_range

if TYPE_CHECKING:  # it loads numba
    from bnnkit.nn.adversary import PGDTraining


@dataclass(frozen=True)
class ExactTraining:
    """An adversary of training that asks, late in the training, for what PGD does not find.

    Each batch is attacked by PGD. From `start` on, the images that withstand are asked about
    exactly: bound propagation, a short local search and the native solver look for levels in the
    ball that the network, folded with the statistics of the batch, misclassifies. What they find
    takes the place of what PGD left; what they cannot decide stays.

    Parameters
    ----------
    adversary : PGDTraining
    start : float
        Share of the training, in [0, 1), after which the solver is asked.
    conflicts : int
        After so many conflicts the solver gives up on an image.
    share : float
        Of the images of a batch this share is asked about at most, in (0, 1]: those with the
        greatest losses under PGD.
    searches : int
        Runs of the local search before the solver is asked. On a dense network a run finds more
        than the solver, and sooner; a sparse one is decided as soon without: 0.

    Raises
    ------
    TypeError, ValueError
        For a parameter out of its range.

    Notes
    -----
    All limits are counts, none is a time: a training with the verifier in its loop is repeated
    by its seed to the bit, on a busy machine too. For a network that is sparse by then a batch
    takes about as long as PGD once more; for a dense one many times that, and few images are
    decided.

    References
    ----------
    Jia, Rinard. Efficient exact verification of binarized neural networks. NeurIPS 2020.

    Examples
    --------
    >>> from bnnkit.nn.adversary import PGDTraining
    >>> from bnnkit.robust import ExactTraining
    >>> adversary = ExactTraining(PGDTraining(eps=0.3), start=0.9)
    >>> adversary.at(0.9), adversary.at(0.91)
    (Plan(eps=0.3, steps=10, exact=False), Plan(eps=0.3, steps=10, exact=True))
    """

    adversary: PGDTraining
    start: float = 0.9
    conflicts: int = 50
    share: float = 1.0
    searches: int = 1

    def __post_init__(self):
        from bnnkit.nn.adversary import PGDTraining

        if not isinstance(self.adversary, PGDTraining):
            raise TypeError(f"adversary must be a PGDTraining, got {self.adversary!r}")
        check_range("start", self.start, "[0, 1)", "; at 1 the training is over")
        check_count("conflicts", self.conflicts)
        check_range("share", self.share, "(0, 1]")
        check_count("searches", self.searches, least=0)

    @property
    def full(self):
        """The adversary that attacks every image of a batch, by PGD alone."""
        return self.adversary.full

    def at(self, share):
        """The plan for an epoch; see `PGDTraining.at`."""
        return self.adversary.at(share)._replace(exact=share > self.start)

    def batch(self, network, ball, labels, plan, rng):
        """The levels that a batch is trained on; see `PGDTraining.batch`."""
        levels = self.adversary.batch(network, ball, labels, plan, rng)
        if plan.exact:
            self._replace_withstanding(network, ball, labels, levels)
        return levels

    def _replace_withstanding(self, network, ball, labels, levels):
        """Put counterexamples into `levels` where there are some."""
        chosen = self._choose(network, labels, levels)
        if len(chosen) == 0:
            return
        questions = _Questions(network, ball, self.conflicts, self.searches)
        for i in chosen:
            found = questions.counterexample(i, labels[i], levels[i])
            if found is not None:
                levels[i] = found

    def _choose(self, network, labels, levels):
        """The attacked images that are classified as their label, the greatest loss first."""
        from bnnkit.nn.loss import cross_entropy

        logits = network.forward(levels)  # takes the statistics that the training step will have
        losses, _ = cross_entropy(logits, labels)
        withstand = logits.argmax(axis=1) == labels
        withstand[: self.adversary.n_clean(len(labels))] = False
        order = np.argsort(-losses, kind="stable")
        return order[withstand[order]][: math.ceil(self.share * len(labels) - ROUNDING)]


class _Questions:
    """The exact questions about the images of one batch."""

    def __init__(self, network, ball, conflicts, searches):
        from bnnkit.verification.circuit import circuit

        height, width, channels = ball.pixels.shape[1:]
        folded = network.fold(ball.quantiser, (channels, height, width))
        self._circuit, self._conflicts, self._searches = circuit(folded), conflicts, searches
        self._low, self._high = (end.reshape(len(end), -1).astype(np.int32) for end in ball.ends)

    def counterexample(self, index, label, levels):
        """Levels (H, W, C) in the ball of image `index` that are not given `label`, or None.

        The search sets out from `levels`.
        """
        from bnnkit.verification.bounds import possible_rivals, propagate
        from bnnkit.verification.falsify import Search

        bounds = propagate(self._circuit, self._low[index], self._high[index])
        rivals = possible_rivals(self._circuit, label, bounds)
        if len(rivals) == 0:
            return None
        found = None
        if self._searches:
            search = Search(self._circuit, bounds, levels.ravel(), label)
            found = search.run(math.inf, self._searches)
        if found is None:
            found = self._solve(label, rivals, bounds)
        return None if found is None else found.reshape(levels.shape)

    def _solve(self, label, rivals, bounds):
        from bnnkit import solvers
        from bnnkit.verification.encode import encode

        question = encode(self._circuit, label, rivals, bounds)
        native = solvers.get("native", conflict_limit=self._conflicts)
        with native(question.formula) as solver:
            outcome = solver.solve()
        return question.levels(outcome.model) if outcome.status == "sat" else None
