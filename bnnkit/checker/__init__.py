"""An independent checker: that a proof follows from a formula, and a formula from a network.

It shares no code with what it checks (solvers, formulas, verification), and believes nothing but
the definitions in docs/formats.md.
"""

from bnnkit.checker.certificate import check_certificate
from bnnkit.checker.proof import Checked, check

__all__ = ["Checked", "check", "check_certificate"]
