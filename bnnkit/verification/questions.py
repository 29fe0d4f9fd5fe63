"""The formula of a question, for whoever wants to put it to another solver."""

from bnnkit.verification._question import checked_image, checked_limits, flat
from bnnkit.verification.bounds import possible_rivals, propagate
from bnnkit.verification.circuit import circuit
from bnnkit.verification.encode import encode


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

    Examples
    --------
    >>> import bnnkit
    >>> network = bnnkit.zoo.load("mnist-mlp-eps0.1")
    >>> image = np.zeros((1, 28, 28), np.uint8)
    >>> label = network.predict(image[None])[0]
    >>> question = bnnkit.verification.encode_question(network, image, label, eps=0.2)
    >>> print(str(question.formula).splitlines()[0])
    253 variables, 67 clauses, 121 sums
    """
    image, label = checked_image(network, image, label)
    eps = checked_limits(image, eps, None, pixels)
    c = circuit(network)
    low, high = map(flat, network.quantiser.ball(image, eps))
    bounds = propagate(c, low, high)
    return encode(c, label, possible_rivals(c, label, bounds), bounds)
