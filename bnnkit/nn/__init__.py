"""Training from scratch: latent weights, straight-through gradients, classifiers.

The names below are loaded on first use, so that importing the room costs nothing.
"""

import importlib

# public name -> module that defines it
_NAMES = {
    "ARCHITECTURES": "bnnkit.nn.architectures",
    "BNNClassifier": "bnnkit.nn.classifier",
    "BoundDecay": "bnnkit.nn.bound_decay",
    "Conv": "bnnkit.nn.architectures",
    "Dense": "bnnkit.nn.architectures",
    "PGDTraining": "bnnkit.nn.adversary",
    "RealClassifier": "bnnkit.nn.real",
}

__all__ = sorted(_NAMES)


def __getattr__(name):
    if name in _NAMES:
        return getattr(importlib.import_module(_NAMES[name]), name)
    raise AttributeError(f"module 'bnnkit.nn' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
