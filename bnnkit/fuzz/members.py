"""Members of a case, as a file holds them, made into networks."""

from fractions import Fraction

from bnnkit.network import BinaryNetwork, Conv2d, Head, Pool2d
from bnnkit.quantiser import Quantiser


def network_of(member, shape):
    """The BinaryNetwork of a member, see `NetworkCase`; ValueError if it is none."""
    layers = [
        Pool2d(layer["pool"], layer["size"], layer["stride"])
        if "pool" in layer
        else Conv2d(**layer)
        for layer in member["layers"]
    ]
    quantiser, head = Quantiser(Fraction(*member["step"])), Head(**member["head"])
    return BinaryNetwork(quantiser, layers, head, shape)
