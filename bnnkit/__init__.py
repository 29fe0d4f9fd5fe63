"""bnnkit: train, attack and exactly verify binarized neural networks.

The public names below are loaded on first use, so that ``import bnnkit`` costs
next to nothing and loads neither numba nor a solver nor matplotlib.
"""

import importlib

from bnnkit._version import __version__

# public name -> module that defines it
_NAMES = {
    "BNNClassifier": "bnnkit.nn",
    "RealClassifier": "bnnkit.nn",
    "BinaryNetwork": "bnnkit.network",
    "RealNetwork": "bnnkit.network",
    "get_threads": "bnnkit.kernels.threads",
    "minimal_epsilon": "bnnkit.verification",
    "set_threads": "bnnkit.kernels.threads",
    "verify": "bnnkit.verification",
    "verify_all": "bnnkit.campaign",
    "verify_joint": "bnnkit.verification",
    "verify_vote": "bnnkit.verification",
    "compare": "bnnkit.comparison",
    "compare_formulas": "bnnkit.comparison",
}
_ROOMS = (
    "assess",
    "attacks",
    "campaign",
    "checker",
    "datasets",
    "ensemble",
    "formula",
    "fuzz",
    "interop",
    "kernels",
    "nn",
    "plots",
    "robust",
    "solvers",
    "study",
    "zoo",
)

__all__ = ["__version__", *_NAMES, *_ROOMS]


def __getattr__(name):
    if name in _NAMES:
        return getattr(importlib.import_module(_NAMES[name]), name)
    if name in _ROOMS:
        return importlib.import_module(f"bnnkit.{name}")
    raise AttributeError(f"module 'bnnkit' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
