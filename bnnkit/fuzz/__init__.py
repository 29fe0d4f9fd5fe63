"""Random formulas and networks, asked about in many ways that must not contradict each other."""

from bnnkit.fuzz.findings import contradictory, load, replay, save
from bnnkit.fuzz.formulas import FormulaCase
from bnnkit.fuzz.networks import NetworkCase
from bnnkit.fuzz.run import Report, run
from bnnkit.fuzz.shrink import shrink

__all__ = [
    "FormulaCase",
    "NetworkCase",
    "Report",
    "contradictory",
    "load",
    "replay",
    "run",
    "save",
    "shrink",
]
