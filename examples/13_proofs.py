"""
13. Proofs
==========

"Falsified" comes with an image that anyone can check. "Robust" comes from a program of some
thousand lines that says it has looked everywhere. A **proof** makes that checkable too: the
solver writes down what it has learnt, and a **checker** follows each step. The checker has 425
lines of code for the proof and 261 for the question, the solver alone about 1,400; they share no
code but the cache of machine code and the reader of archives (:doc:`/results/proofs`).
"""

# %%
# What a proof is
# ---------------
# A step is a clause. It is accepted if it follows by **reverse unit propagation** (RUP [1]_):
# assume that all its literals are false, draw the simple conclusions, and meet a contradiction.
# Every clause that a CDCL solver learns (lesson 5) has this property; so the learnt clauses, in
# their order, are the proof. The last line claims the empty clause, which nothing satisfies. A
# line ``d 1 2 3`` between them deletes the steps 1 to 3: the solver has forgotten them, and what
# comes after must follow without them, so the checker may forget them, too.
#
# .. [1] E. Goldberg, Y. Novikov, *Verification of proofs of unsatisfiability for CNF formulas*,
#    DATE 2003. For sums: J. Yang et al., *Efficient certified reasoning for binarized neural
#    networks*, SAT 2025.
#
# Four pigeons do not fit into three holes:

import gzip
import tempfile
import textwrap
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import bnnkit
from bnnkit.checker import check, check_certificate
from bnnkit.formula import Formula
from bnnkit.nn import PGDTraining

temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name)
formula = Formula(12)
places = np.arange(1, 13).reshape(4, 3)  # variable of pigeon and hole
for pigeon in places:
    formula.add_clause(pigeon)
for hole in places.T:
    formula.add_sum(-hole, 3)  # three of the four pigeons are not there
formula.save(folder / "pigeons.rcnf")

with bnnkit.solvers.get("native")(formula, log=True) as solver:
    outcome = solver.solve()
    proof = solver.proof(outcome)
proof.save(folder / "pigeons.proof", folder / "pigeons.rcnf")
text = (folder / "pigeons.proof").read_text()
print(outcome.status, "-", proof.n_steps, "steps")
print(text)
checked = check(folder / "pigeons.rcnf", folder / "pigeons.proof")
print("verified:", checked.verified)

# %%
# A checker that accepts everything would print the same. So give it something wrong: a proof
# without its steps, and the right proof with another formula.

header, *steps = text.splitlines()
(folder / "cut.proof").write_text(f"{header}\n{steps[-1]}\n")
formula.save(folder / "other.rcnf")
with open(folder / "other.rcnf", "a") as file:
    file.write("c one more line\n")
for files in (("pigeons.rcnf", "cut.proof"), ("other.rcnf", "pigeons.proof")):
    print(files, "->", check(*(folder / name for name in files)).reason)

# %%
# A certificate for an image
# --------------------------
# For a network there is more to check: that the formula really is the question about this network
# and this image. ``verify(..., certificate=FOLDER)`` writes network, image, formula and proof,
# and ``check_certificate`` makes the formula *anew*, from the definition, before it follows the
# proof.

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
proved = {}
for i, (image, label) in enumerate(zip(data.test.images[:16], data.test.labels[:16], strict=True)):
    verdict = bnnkit.verify(network, image, label, 0.1, timeout=5, certificate=folder / str(i))
    if verdict.status == "robust":
        proved[i] = check_certificate(folder / str(i))
print(sum(checked.verified for checked in proved.values()), "of", len(proved), "proofs verified")
print(textwrap.fill(next(iter(proved.values())).claim, 80))

# %%
# A forger who changes the radius in the certificate is found out: the formula is not that of the
# question.

first = folder / str(next(iter(proved)))
claim = (first / "certificate.json").read_text()
(first / "certificate.json").write_text(claim.replace('"1/10"', '"1/5"'))
print(check_certificate(first).reason)

# %%
# What a proof looks like
# -----------------------
# Each row is a step, each column a variable: the pixels to the left, then the neurons of the first
# and of the second layer, then the classes. Vertical stripes are literals that many steps share:
# the solver stays in one part of the search for a while, before it turns to another.


def read_steps(i):
    """The clauses of a proof, without its first and its last line."""
    text = gzip.decompress((folder / str(i) / "proof.gz").read_bytes()).decode()
    lines = text.splitlines()[1:-1]
    return [list(map(int, line.split()))[:-1] for line in lines if not line.startswith("d")]


proofs = {i: read_steps(i) for i in proved}
longest = max(proofs.values(), key=len)
n_vars = max(abs(lit) for clause in longest for lit in clause)
carpet = np.zeros((len(longest), n_vars))
for row, clause in enumerate(longest):
    for lit in clause:
        carpet[row, abs(lit) - 1] = np.sign(lit)
figure, (left, right) = plt.subplots(1, 2, figsize=(13, 5), layout="constrained")
left.imshow(carpet, cmap="PuOr", aspect="auto", interpolation="nearest")
left.set(title=f"The longest proof: {len(longest)} steps", xlabel="variable", ylabel="step")
sizes = sorted(len(steps) for steps in proofs.values())
right.bar(range(1, len(sizes) + 1), sizes, color="#0072B2")
right.set(title="Steps of all proofs", xlabel="robust image (sorted)", yscale="symlog")
plt.show()
temporary.cleanup()

# %%
# A proof with no step at all is one in which the definition of the network is enough: unit
# propagation on sums is interval arithmetic, the same that ``verify`` calls "bounds".
#
# Exercises
# ---------
# 1. Take the proof of the pigeons, and check its first step by hand: assume that its literals are
#    false, and follow the conclusions.
#
#    .. dropdown:: Hint
#
#       Number the pigeons 0 to 3 and the holes 0 to 2: variable v is pigeon (v - 1) // 3 in hole
#       (v - 1) % 3. A pigeon with one hole left must go there; in a full hole there is no other.
#
# 2. Leave out a single step of the longest proof. Is it still accepted? For which steps?
#
#    .. dropdown:: Hint
#
#       A step that no later one needs can go. (Proof trimmers remove such steps, from the end
#       on.) A line ``d`` names steps by their numbers, so leave out those lines as well, or the
#       numbers of all later steps are one too large. Read the files before ``cleanup()`` above
#       removes them, or put a folder of your own in place of ``temporary``.
#
# 3. What does a verified certificate *not* say about the network on your desk?
#
#    .. dropdown:: Hint
#
#       Compare the SHA-256 in the claim with ``network.digest``. And what is between the camera
#       and the array of pixels?
#
# What to try next
# ----------------
# ``bnnkit check FOLDER`` does it on the command line, and ``--veripb`` writes a proof for a
# checker from elsewhere.
