"""Exact verification of networks that read real pixels, over boxes of real numbers."""

from bnnkit.verification.real.condition import Condition
from bnnkit.verification.real.pipeline import BoxVerdict, verify_box

__all__ = ["BoxVerdict", "Condition", "verify_box"]
