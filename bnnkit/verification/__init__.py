"""Exact robustness verification: is there an image within eps that is misclassified?"""

from bnnkit.verification.epsilon import MinimalEpsilon, minimal_epsilon
from bnnkit.verification.pipeline import verify
from bnnkit.verification.verdict import Verdict, Verdicts, combine

__all__ = [
    "MinimalEpsilon",
    "Verdict",
    "Verdicts",
    "combine",
    "minimal_epsilon",
    "verify",
]
