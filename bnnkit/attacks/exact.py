"""The complete attack: a solver finds an adversarial image or proves that there is none."""

from dataclasses import dataclass

import numpy as np

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
    timeout : float
        Seconds for each image.
    n_jobs : int
        Images at a time.
    """

    solver: str = "minicard"
    timeout: float = 60.0
    n_jobs: int = 1

    complete = True

    def _perturb(self, model, ball, labels):
        from bnnkit.verification import verify_all
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
