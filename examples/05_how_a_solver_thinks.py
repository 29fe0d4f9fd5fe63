"""
5. How a solver thinks
======================

The solver of bnnkit is a **CDCL** solver: conflict-driven clause learning [1]_. It guesses, draws
the conclusions, and when they contradict each other, it learns a clause that forbids the reason
for the contradiction, and goes back. This lesson looks at one such conflict, and then makes the
whole search with a short loop around the solver's own steps.

.. [1] J. Marques-Silva, K. Sakallah, *GRASP*, IEEE Trans. Computers 48, 1999; N. Eén,
   N. Sörensson, *An extensible SAT-solver*, SAT 2003.
"""

# %%
# A question
# ----------
# Six neurons look at nine pixels of two levels. Is there a misclassified image within eps = 0.2?
# The last pixel cannot change its level, so eight are open. (There is none: the answer will be
# "unsatisfiable", and the solver has to prove it.)

import matplotlib.pyplot as plt
import numpy as np

from bnnkit.network import BinaryNetwork, Conv2d, Head
from bnnkit.quantiser import Quantiser
from bnnkit.solvers.native.steps import trace
from bnnkit.verification import encode_question

neurons = np.array(
    [
        [-1, 1, 1, -1, -1, 1, 0, 1, 1],
        [-1, -1, 1, 0, -1, 1, -1, 1, 1],
        [-1, -1, -1, 0, -1, -1, 1, 0, 0],
        [1, 0, -1, 0, -1, 0, -1, 1, -1],
        [1, -1, -1, 0, 1, 1, -1, -1, 0],
        [1, -1, 0, 1, 1, 1, -1, 0, -1],
    ]
)
hidden = Conv2d(neurons.reshape(6, 1, 3, 3), threshold=[0, 2, 0, 0, 1, 0], sense=[1] * 6)
classes = np.array([[0, 0, 0, -1, 1, 1], [-1, 1, 1, 1, 0, 0]])
head = Head(classes.reshape(2, 6, 1, 1), scale=1, bias=[2, 0])
network = BinaryNetwork(Quantiser(1.0), [hidden], head, input_shape=(1, 3, 3))
image = [0.4, 0.6, 0.4, 0.6, 0.4, 0.6, 0.4, 0.6, 0.1]
encoded = encode_question(network, image, label=0, eps=0.2)
print(encoded.formula)

# %%
# The trail
# ---------
# The solver keeps a **trail**: the literals that are true at the moment, in the order in which
# they became true. Each is a **decision** or follows from others by one constraint, its
# **reason**. **Propagation** adds all that follows: here a sum is watched by two counters, and
# when it can no longer (or must) reach its bound, its literals or its output follow. A decision
# begins a new **decision level**, level for short.
#
# We decide that pixels are dark, one after another, until the conclusions contradict each other.
# In words and pictures the variables have names: x1 is the pixel p0, x2 is p1, and so on to x8; x9
# is the first neuron, n0, and the last variable is "wrong", that the other class wins.

names = [f"p{pixel}" for pixel in encoded.owner]
names += [f"n{k}" for k in range(len(encoded.depth) - len(names) - 1)] + ["wrong"]


def name(lit):
    """A literal in words."""
    return ("" if lit > 0 else "not ") + names[abs(lit) - 1]


def next_decision(formula, walk):
    """The first variable that is open yet, as false; None if all have a value."""
    known = {abs(step.lit) for step in walk.trail}
    return next((-v for v in range(1, formula.n_vars + 1) if v not in known), None)


walk = trace(encoded.formula, [])
decisions = []
while walk.conflict is None:
    decisions.append(next_decision(encoded.formula, walk))
    walk = trace(encoded.formula, decisions)
print("decisions:", *map(name, decisions), sep="  ")
print("cannot all be true:", *map(name, walk.conflict), sep="  ")
print("learnt: ", " or ".join(map(name, walk.learnt)), f"   back to level {walk.back}")

# %%
# Below, each row is a level and each box a literal of the trail; arrows come from the reasons.
# Going back along the arrows from the contradiction, every path from the last decision passes
# through one literal: the **first unique implication point** (first UIP; thick frame). It and the
# literals of earlier levels that the contradiction also needs (grey) cannot be true together.
# That is what is learnt, as a clause: one of them is false.


def draw(walk):
    """The trail of a conflict as a picture."""
    ax = plt.subplots(figsize=(13, 5.2), layout="constrained")[1]
    place = {step.lit: (x, -step.level) for x, step in enumerate(walk.trail)}
    top = max(step.level for step in walk.trail)
    place["conflict"] = (len(walk.trail), -top)
    arrows = [(source, step.lit) for step in walk.trail for source in step.reason or ()]
    arrows += [(source, "conflict") for source in walk.conflict]
    for source, target in arrows:
        bend = -0.2 - 0.7 / (place[target][0] - place[source][0])  # over the boxes of neighbours
        style = {"arrowstyle": "->", "connectionstyle": f"arc3,rad={bend}", "shrinkB": 12}
        style["color"] = "#D55E00" if target == "conflict" else "#999999"
        ax.annotate("", place[target], place[source], arrowprops=style)
    for step in walk.trail:
        box = {"boxstyle": "square" if step.reason is None else "round"}
        box["facecolor"] = "#DDDDDD" if -step.lit in walk.learnt else "white"
        box["linewidth"] = 3 if -step.lit == walk.learnt[0] else 1
        ax.text(*place[step.lit], name(step.lit), ha="center", va="center", bbox=box, fontsize=9)
    ax.plot(*place["conflict"], "X", color="#D55E00", markersize=18)
    ax.set(xlim=(-0.7, len(walk.trail) + 0.6), ylim=(-top - 0.7, 0.7), xlabel="place on the trail")
    ax.set_title("learnt: " + " or ".join(map(name, walk.learnt)))
    ax.set_yticks(range(0, -top - 1, -1), [f"level {k}" for k in range(top + 1)])
    plt.show()


draw(walk)

# %%
# The whole search
# ----------------
# A solver adds the learnt clause to its formula, takes back the levels above ``back``, where the
# clause then makes its first literal true, and goes on. It ends when all variables have values,
# or with a contradiction that needs no decision: the empty clause.

formula, decisions, walks = encoded.formula.copy(), [], []
while not walks or walks[-1].learnt != ():
    walks.append(trace(formula, decisions))
    if walks[-1].conflict is None:
        decisions.append(next_decision(formula, walks[-1]))
    elif walks[-1].learnt:
        print("learnt: ", " or ".join(map(name, walks[-1].learnt)))
        formula.add_clause(walks[-1].learnt)
        decisions = decisions[: walks[-1].back]
print("the empty clause: no image within eps is misclassified")

# %%
# Each bar is the trail after a step of that loop, its levels in shades from dark (level 0: what
# holds for ever) to bright.

figure, ax = plt.subplots(figsize=(9, 3.8), layout="constrained")
for x, each in enumerate(walks):
    levels = [step.level for step in each.trail]
    for y, level in enumerate(levels):
        ax.bar(x, 1, bottom=y, color=plt.cm.cividis(level / 6), edgecolor="white")
    if each.conflict is not None:
        ax.text(x, len(levels), "×", color="#D55E00", ha="center", fontsize=20)
ax.set(xlabel="step", ylabel="literals on the trail", ylim=(0, 17.5), title="Conflicts are ×")
plt.show()

# %%
# Exercises
# ---------
# 1. Follow the arrows of the first picture backwards from the conflict. Why is the thick literal
#    the first UIP, and what would be learnt if the search went on to the decision of that level?
#
#    .. dropdown:: Hint
#
#       Replace a literal of the clause by the negations of its reasons: that is **resolution**,
#       and every clause that comes up on the way is true in all models.
#
# 2. Decide on pixels from the last to the first, or on bright instead of dark. How many conflicts
#    does the proof take then?
#
#    .. dropdown:: Hint
#
#       Only ``next_decision`` changes. The solver itself decides on the variable that took part
#       in the most recent conflicts (the VSIDS heuristic).
#
# 3. How many images would a program try that knows nothing of conflicts?
#
#    .. dropdown:: Hint
#
#       Every open pixel doubles the number. Compare with the number of ``walks``.
#
# What to try next
# ----------------
# ``bnnkit.solvers.get("native")(formula)`` has ``statistics`` after ``solve()``: compare the
# numbers of conflicts and decisions for larger networks. The learnt clauses are also a *proof*;
# lesson 13 checks one.
