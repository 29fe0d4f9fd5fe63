"""How robust models are, and how sure one can be: measures, curves, transfer, quantisation.

Functions that measure take predictions, verdicts or scores where they can, so that nothing is
computed twice; functions that ask (`resistance_curve`, `transfer_matrix`, ...) return data
objects that can be saved, loaded, written as CSV, and drawn by `bnnkit.plots`.
"""

from bnnkit.assess.changes import Changes, changes, differences
from bnnkit.assess.classes import ByClass, by_class
from bnnkit.assess.epsilons import MinimalEpsilons, iter_minimal_epsilons, minimal_epsilons
from bnnkit.assess.matrix import Matrix
from bnnkit.assess.measures import (
    SoftmaxRobustness,
    WhiteBox,
    accuracy,
    logits,
    softmax_robustness,
)
from bnnkit.assess.overview import Overview, measure, whitebox_measures
from bnnkit.assess.quantisation import QuantisationStudy, quantisation_study
from bnnkit.assess.rates import Between, Mean, Rate, wilson
from bnnkit.assess.resistance import (
    ResistanceCurve,
    certified_matrix,
    curve_of,
    resistance_curve,
)
from bnnkit.assess.strips import Strip, eps_strip
from bnnkit.assess.transfer import (
    AdversarialPool,
    Transfer,
    make_pool,
    transfer_matrix,
    transfer_study,
)

__all__ = [
    "AdversarialPool",
    "Between",
    "ByClass",
    "Changes",
    "Matrix",
    "Mean",
    "MinimalEpsilons",
    "Overview",
    "QuantisationStudy",
    "Rate",
    "ResistanceCurve",
    "SoftmaxRobustness",
    "Strip",
    "Transfer",
    "WhiteBox",
    "accuracy",
    "by_class",
    "certified_matrix",
    "changes",
    "curve_of",
    "differences",
    "eps_strip",
    "iter_minimal_epsilons",
    "logits",
    "make_pool",
    "measure",
    "minimal_epsilons",
    "quantisation_study",
    "resistance_curve",
    "softmax_robustness",
    "transfer_matrix",
    "transfer_study",
    "whitebox_measures",
    "wilson",
]
