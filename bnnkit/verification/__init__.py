"""Exact robustness verification: is there an image within eps that is misclassified?"""

from bnnkit.verification.epsilon import MinimalEpsilon, minimal_epsilon
from bnnkit.verification.joint import EnsembleVerdict, verify_joint, verify_vote
from bnnkit.verification.pipeline import verify
from bnnkit.verification.questions import encode_question
from bnnkit.verification.verdict import Verdict, Verdicts, combine

__all__ = [
    "EnsembleVerdict",
    "MinimalEpsilon",
    "Verdict",
    "Verdicts",
    "combine",
    "encode_question",
    "minimal_epsilon",
    "verify",
    "verify_joint",
    "verify_vote",
]
