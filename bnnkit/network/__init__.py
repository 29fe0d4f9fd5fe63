"""The exact network: integers and bits, with one meaning for inference and verification."""

from bnnkit.network.binary_network import BinaryNetwork
from bnnkit.network.folding import fold_batch_norm, fold_head, fold_threshold
from bnnkit.network.layers import Conv2d, Head, Pool2d
from bnnkit.network.real import Margins, RealConv2d, RealNetwork

__all__ = [
    "BinaryNetwork",
    "Conv2d",
    "Head",
    "Margins",
    "Pool2d",
    "RealConv2d",
    "RealNetwork",
    "fold_batch_norm",
    "fold_head",
    "fold_threshold",
]
