"""Pictures. Each function takes the data object and returns matplotlib Axes.

They work without a display and never call ``show``. `save` writes a picture and, beside it, the
numbers that it shows; in a script, the caller closes the figure.
"""

import matplotlib.pyplot as plt

from bnnkit.plots.images import adversarial_sheet, eps_strip, quantisation_strip, weights
from bnnkit.plots.loop import round_times, rounds, runs
from bnnkit.plots.robustness import minimal_epsilons, resistance, times
from bnnkit.plots.solvers import cactus
from bnnkit.plots.style import COLOURS, save
from bnnkit.plots.tables import by_class, heatmap, quantisation, verdicts

__all__ = [
    "COLOURS",
    "adversarial_sheet",
    "by_class",
    "cactus",
    "eps_strip",
    "heatmap",
    "minimal_epsilons",
    "plt",
    "quantisation",
    "quantisation_strip",
    "resistance",
    "round_times",
    "rounds",
    "runs",
    "save",
    "times",
    "verdicts",
    "weights",
]
