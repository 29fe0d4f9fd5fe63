"""
4. A network as a formula
=========================

A network of integers and bits can be written as a **formula**: constraints over variables that
are true or false. "Some image near this one is misclassified" is then "this formula is
satisfiable", which is what **SAT solvers** decide. This lesson does it for a network of three
neurons that is small enough to print, and asks four solvers.
"""

# %%
# Three neurons
# -------------
# Four pixels of two levels, dark (0) and bright (1): the quantiser with step 1 rounds. Three
# neurons read them, and two classes read the neurons. A neuron compares its sum with a
# **threshold**.

import itertools

import matplotlib.pyplot as plt
import numpy as np

import bnnkit
from bnnkit.network import BinaryNetwork, Conv2d, Head
from bnnkit.quantiser import Quantiser
from bnnkit.verification import encode_question

weights = np.array([[1, 1, 0, 1], [1, -1, 1, 0], [0, 1, -1, -1]])
hidden = Conv2d(weights.reshape(3, 1, 2, 2), threshold=[2, 1, 0], sense=[1, 1, -1])
votes = np.array([[1, 1, -1], [-1, 0, 1]])
head = Head(votes.reshape(2, 3, 1, 1), scale=1, bias=[0, 0])
network = BinaryNetwork(Quantiser(1.0), [hidden], head, input_shape=(1, 2, 2))

image = np.array([0.9, 0.6, 0.4, 0.7])
label = int(network.predict(image[None])[0])
print("scores", network.scores(image[None])[0].tolist(), "so class", label, "(lowest of a tie)")

# %%
# The question
# ------------
# Let each pixel change by at most eps = 0.2, on a scale from 0 to 1. The set of these images is
# the **ball** around the image (in the maximum norm: a cube). Pixel 0 stays bright and is a
# constant; the other pixels can be dark or bright, so each is a variable.
#
# A neuron with weights in {-1, 0, +1} is one **reified cardinality constraint**
#
# .. math:: y \leftrightarrow \ell_1 + \dots + \ell_k \ge t,
#
# where a literal is x for the weight +1 and *not* x for the weight -1. (A weight -1 counts
# -x = (1 - x) - 1, so each one raises the bound by 1.) "Reified" says that the truth of the
# comparison is itself a variable, the output of the neuron. Constants go into the bound.

eps = 0.2
encoded = encode_question(network, image, label, eps)
print(encoded.formula)

# %%
# x1 to x3 are the pixels, then come the neurons, then "class 1 wins", which a clause demands. A
# model of the formula is an image that the network gets wrong; no model is a proof that there is
# none.

finders = {}  # levels of the pixels -> names of the solvers that found them
for name in ("native", "minicard", "cadical", "cp-sat"):  # of bnnkit.solvers.available()
    with bnnkit.solvers.get(name)(encoded.formula) as solver:
        outcome = solver.solve()
    levels = tuple(encoded.levels(outcome.model).tolist()) if outcome.status == "sat" else ()
    finders.setdefault(levels, []).append(name)
print({levels: f"{len(names)} solvers" for levels, names in finders.items()})

# %%
# With so few pixels, all images can be tried: 2**3 of them are in the ball. Whatever the solvers
# have found must be one of the wrong ones.


def is_wrong(levels):
    """Whether an image of these levels is misclassified."""
    return network.predict(np.array([levels], dtype=float))[0] != label


inside = [(1, *rest) for rest in itertools.product((0, 1), repeat=3)]
figure, axes = plt.subplots(1, 8, figsize=(12, 2.2), layout="constrained")
for ax, levels in zip(axes, inside, strict=True):
    wrong = is_wrong(levels)
    ax.imshow(np.reshape(levels, (2, 2)), cmap="gray", vmin=-0.3, vmax=1.3)
    ax.set_title("wrong" if wrong else "right", color="#D55E00" if wrong else "#0072B2")
    if levels in finders:
        ax.set_xlabel(f"{len(finders[levels])} solvers")
    ax.set(xticks=[], yticks=[])
figure.suptitle("All images within eps")
plt.show()

# %%
# The network as a picture: a solid line is a weight of +1, a dashed one of -1.

figure, ax = plt.subplots(figsize=(9, 4.8), layout="constrained")
columns = [(0, 4, "pixel"), (1, 3, "neuron"), (2, 2, "class")]
for (x, n, _), layer in zip(columns, (weights, votes), strict=False):
    for (target, source), weight in np.ndenumerate(layer):
        ends = [(n - 1) / 2 - source, (len(layer) - 1) / 2 - target]
        if weight:
            ax.plot([x, x + 1], ends, "C0-" if weight > 0 else "C1--", linewidth=2, zorder=1)
signs = {1: ">=", -1: "<="}
tests = [f"{signs[s]} {t}" for s, t in zip(hidden.sense, hidden.threshold, strict=True)]
for x, n, name in columns:
    for i in range(n):
        y = (n - 1) / 2 - i
        ax.scatter(x, y, s=3400, color="white", edgecolor="black", zorder=2)
        text = f"{name} {i}" + (f"\nz {tests[i]}" if name == "neuron" else "")
        ax.text(x, y, text, ha="center", va="center", fontsize=9, zorder=3)
ax.set(xlim=(-0.3, 2.3), ylim=(-2.1, 2.1))
ax.set_axis_off()
plt.show()

# %%
# The same question about a trained network of the digits: still one sum for each neuron.

data = bnnkit.datasets.load("digits")
classifier = bnnkit.BNNClassifier("32", quant_step=0.3, epochs=8, random_state=0)
trained = classifier.fit(data.train.images, data.train.labels).network_
encoded = encode_question(trained, data.test.images[0], data.test.labels[0], eps=0.1)
print(str(encoded.formula).splitlines()[0])

# %%
# Exercises
# ---------
# 1. Which neuron of the printed formula is which? Check its bound by hand.
#
#    .. dropdown:: Hint
#
#       Neuron 2 asks for z <= 0. Negate its weights, and it asks for -z >= 0; then write the
#       pixel with weight -1 as a negated literal, and add 1 to the bound for it.
#
# 2. Print the formula for eps = 0.05 and for eps = 0.15. Why are they shorter?
#
#    .. dropdown:: Hint
#
#       A pixel is a variable only if it can pass 0.5. With 0.05 none can, and the empty clause is
#       a formula that nothing satisfies.
#
# 3. Write the formula to a file with ``bnnkit.interop.write_formula(encoded.formula, "q.cnf")``,
#    and count its clauses. What became of a sum?
#
#    .. dropdown:: Hint
#
#       A file of clauses has no sums, so each is spelled out with more variables. Compare with
#       ``"q.rcnf"``, in which a sum is one line.
#
# What to try next
# ----------------
# Lesson 5 watches a solver at work on such a formula. ``help(bnnkit.formula.Formula)`` tells how
# to write formulas of your own.
