"""
10. Swapping solvers
====================

One question, one formula, any solver. A fair comparison asks all of them the same questions with
the same time limit, counts what each of them answers, and looks whether they contradict each
other. Its usual picture is the **cactus plot** of the SAT competitions.
"""

# %%
# Four engines
# ------------
# ``native`` is bnnkit's own CDCL solver, with reified sums as constraints of their own;
# ``minicard`` has cardinality constraints; ``cadical`` reads clauses only, so each sum becomes
# many of them, by an **encoding**; ``cp-sat`` combines clause learning with linear relaxations.
# What a solver lacks is translated for it.

import matplotlib.pyplot as plt

import bnnkit
from bnnkit.nn import PGDTraining
from bnnkit.verification import encode_question

data = bnnkit.datasets.load("digits")
classifier = bnnkit.BNNClassifier(
    "64-64",
    quant_step=0.3,
    epochs=15,
    adversary=PGDTraining(eps=0.1, steps=5),
    mask_decay=1e-4,
    random_state=0,
)
network = classifier.fit(data.train.images, data.train.labels).network_
eps, images, labels = 0.1, data.test.images[:16], data.test.labels[:16]
questions = [encode_question(network, *pair, eps) for pair in zip(images, labels, strict=True)]
largest = max(questions, key=lambda question: len(question.formula.sums.lits)).formula
print("the largest formula:", str(largest).splitlines()[0])

# %%
# The run
# -------
# With ``falsify=0`` there is no local search, so each question that bounds do not settle reaches
# the solvers. They take turns in going first: what one leaves in the caches may help the next.

solvers = ["native", "minicard", "cadical", "cp-sat"]
comparison = bnnkit.compare(network, images, labels, eps, solvers, timeout=0.7, falsify=0)
print(comparison)
print("contradictions:", comparison.disagreements)

# %%
# **PAR-2** is the mean time, where a question without an answer counts as twice the limit: a
# solver cannot look better by giving up early. A cactus plot shows more than a mean. Each line
# goes through the answered questions of one solver, the fastest first: further right is more
# answers, further down is less time. (Times are those of the machine that built this page.)

bnnkit.plots.cactus(comparison)
plt.show()

# %%
# Question by question
# --------------------
# Two solvers can have equal means and be good at different questions. Each point below is one
# question; what lies below the diagonal, the solver of the title answers faster than ``native``.

by_solver = {solver: {} for solver in solvers}
for record in comparison.records:
    if record.stage == "solver" or not record.decided:
        by_solver[record.solver][record.question] = record
figure, axes = plt.subplots(1, 3, figsize=(12, 4), layout="constrained", sharey=True)
for ax, solver in zip(axes, solvers[1:], strict=True):
    for status, marker in (("robust", "o"), ("falsified", "x"), ("unknown", "s")):
        pairs = [
            (by_solver["native"][question].seconds, record.seconds)
            for question, record in by_solver[solver].items()
            if question in by_solver["native"] and record.status == status
        ]
        colour = bnnkit.plots.COLOURS[status]
        ax.plot(
            *zip(*pairs, strict=True) if pairs else ((), ()), marker, color=colour, label=status
        )
    ax.plot([1e-4, 2], [1e-4, 2], color="black", linewidth=1)
    ax.set(xscale="log", yscale="log", title=solver, xlabel="native: seconds")
axes[0].set_ylabel("seconds")
axes[0].legend()
plt.show()

# %%
# An encoding is a choice, too
# ----------------------------
# How a sum becomes clauses decides how many there are, and what a solver can conclude from them.

for encoding in ("seqcounter", "totalizer", "cardnetwrk"):
    with bnnkit.solvers.get(f"cadical:{encoding}")(largest) as solver:
        outcome = solver.solve(timeout=5)
    print(f"cadical:{encoding:11} {outcome.status:8} {outcome.seconds:.3f} s")

# %%
# Exercises
# ---------
# 1. Repeat the run with ``timeout=0.05``. Which order do PAR-2 and the number of answers give?
#
#    .. dropdown:: Hint
#
#       ``comparison.summaries`` has all numbers of the table. Some of a solver's time is for
#       starting it: ``cp-sat`` runs in a process of its own.
#
# 2. Give the solvers formulas of another kind: save some with ``formula.save("q1.rcnf")`` and
#    call ``bnnkit.compare_formulas``.
#
#    .. dropdown:: Hint
#
#       Pigeons and holes: n + 1 pigeons, n holes, each pigeon in a hole, at most one in each
#       hole; lesson 14 has a function for it. All that learn clauses find it hard, whether they
#       read sums (``native``, ``minicard``) or not (``cadical``): their proofs get long quickly.
#       It is easy for what may *add up* sums, as ``cp-sat`` does in its linear relaxation.
#       Try n from 5 to 9.
#
# 3. Why is a run on 16 images not enough to say which solver is better?
#
#    .. dropdown:: Hint
#
#       Draw the cactus plot for the first and for the last eight images.
#
# What to try next
# ----------------
# ``bnnkit compare`` does this on the command line, writes the rows while it runs, and names
# solvers that contradict each other. Lesson 14 adds a solver of your own.
