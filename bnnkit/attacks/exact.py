"""The complete attack: a solver finds an adversarial image or proves that there is none."""

from dataclasses import dataclass

import numpy as np

from bnnkit._options import check_number, check_whole
from bnnkit.attacks.base import Attack
from bnnkit.attacks.models import exact_network


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

    Raises
    ------
    TypeError, ValueError
        For a solver that there is not, and for a timeout or n_jobs that makes no sense.
    """

    solver: str = "native"
    timeout: float | None = 60.0
    n_jobs: int = 1

    complete = True

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
        check_whole("n_jobs", self.n_jobs)
        if self.n_jobs == 0:
            raise ValueError("n_jobs must be at least 1, or -1 for one on each core, got 0")

    def _perturb(self, model, ball, labels):
        from bnnkit.campaign import verify_all
        from bnnkit.verification.witness import to_image

        network = exact_network(model)
        verdicts = verify_all(
            network,
            ball.images,
            labels,
            ball.eps,
            solver=self.solver,
            timeout=self.timeout,
            n_jobs=self.n_jobs,
        )
        adversarial = to_image(
            network.quantiser, ball.images, network.quantiser.levels(ball.images)
        )
        for i, verdict in enumerate(verdicts):
            if verdict.adversarial is not None:
                adversarial[i] = verdict.adversarial.reshape(adversarial.shape[1:])
        # A witness is judged by the base class. If it failed there, its image would not be
        # fooled, and not proved robust either: it stays undecided.
        return adversarial, np.array([verdict.status != "robust" for verdict in verdicts])
