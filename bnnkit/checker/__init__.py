"""An independent checker: that a proof follows from a formula, and a formula from a network.

It shares no code with what it checks (solvers, formulas, verification), and believes nothing but
the definitions in docs/formats.md. There are two parts, each with one question:

- The proof: does it refute the formula? Text of a formula and of a proof in, accepted or not out;
  ``proof.py``, to be read first, with ``text.py`` and ``rup.py``, 425 lines of code. It knows
  nothing of networks, and imports nothing of the other part.
- The question: is it the formula of this network and image? The formula is made anew, by
  definition, and compared; ``certificate.py``, with ``network.py`` and ``question.py``,
  261 lines of code.
"""

from bnnkit.checker.certificate import check_certificate
from bnnkit.checker.proof import Checked, check

__all__ = ["Checked", "check", "check_certificate"]
