"""How a radius is written where people read it."""

import math
from fractions import Fraction

_LARGEST_DENOMINATOR = 10**6


def eps_text(eps, digits=6):
    """A radius with so many digits, but for one that a rounding would confuse with its neighbour.

    Where an eps does not suffice and any larger one does, the smallest one is the next float (see
    `minimal_epsilon`). Rounded, it would claim what is false.

    >>> eps_text(8 / 255), eps_text(0.05), eps_text(0.05000000000000001)
    ('0.0313725', '0.05', 'just above 0.05')
    """
    value = float(eps)
    if not math.isfinite(value):
        return f"{value:.{digits}g}"
    near = float(Fraction(value).limit_denominator(_LARGEST_DENOMINATOR))
    above = "just above " if value == math.nextafter(near, math.inf) else ""
    return f"{above}{value:.{digits}g}"
