"""Exact robustness verification: is there an image within eps that is misclassified?"""

from bnnkit.verification.many import iter_verdicts, verify_all
from bnnkit.verification.pipeline import verify
from bnnkit.verification.verdict import Verdict, Verdicts

__all__ = ["Verdict", "Verdicts", "iter_verdicts", "verify", "verify_all"]
