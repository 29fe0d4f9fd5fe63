"""The formula of a question, for whoever wants to put it to another solver."""

import numpy as np

from bnnkit.formula import Formula
from bnnkit.verification._question import checked_image, checked_limits, flat
from bnnkit.verification.bounds import possible_rivals, propagate
from bnnkit.verification.circuit import circuit
from bnnkit.verification.encode import Encoded, encode


def encode_question(network, image, label, eps, pixels="real"):
    """Encode the question that `verify` answers, whether or not it needs a solver for it.

    Parameters
    ----------
    network, image, label, eps, pixels
        As for `verify`.

    Returns
    -------
    Encoded
        Its formula is satisfiable exactly if some image of the ball is not given the class
        `label`. Where bounds alone prove that there is none, it is an empty clause.

    Raises
    ------
    TypeError, ValueError
        As `verify`.
    """
    image, label = checked_image(network, image, label)
    eps = checked_limits(image, eps, None, pixels)
    c = circuit(network)
    low, high = map(flat, network.quantiser.ball(image, eps))
    bounds = propagate(c, low, high)
    rivals = possible_rivals(c, label, bounds)
    if len(rivals):
        return encode(c, label, rivals, bounds)
    formula, nothing = Formula(), np.zeros(0, np.int64)
    formula.add_clause([])
    return Encoded(formula, bounds.low[: c.n_inputs], nothing, nothing)
