"""
12. Transfer: one network's adversarial images, shown to another
================================================================

Whoever cannot see into a network can attack another one that was trained on the same data, and
hope that the images **transfer**. This lesson measures how often they do: between binarized
networks, dense and sparse, and a real-valued one.
"""

# %%
# Sources and targets
# -------------------
# For each type of model ``transfer_study`` fits one as a *source*, attacks it, and shows the
# images to a fresh *target* of each type, also of its own: same recipe, another seed. An image
# that the source gets wrong as it is does not count: it is not adversarial.

import matplotlib.pyplot as plt
import numpy as np

import bnnkit
from bnnkit.assess import make_pool, transfer_matrix, transfer_study
from bnnkit.attacks import PGD, Exact

data = bnnkit.datasets.load("digits")
images, labels = data.test.images[:200], data.test.labels[:200]


def binarized(**options):
    """A function that makes a classifier from a seed."""

    def make(seed):
        return bnnkit.BNNClassifier("64", quant_step=0.3, epochs=15, random_state=seed, **options)

    return make


factories = {
    "dense": binarized(),
    "sparse": binarized(mask_decay=1e-3),
    "real-valued": lambda seed: bnnkit.RealClassifier(epochs=15, random_state=seed),
}
transfer, pools = transfer_study(
    factories, PGD(random_state=0), data.train, images, labels, eps=[0.1, 0.2]
)
for pool in pools:
    print(pool)

# %%
# The matrix: each column is what the images were made for, each row who is shown them. Even the
# diagonal is below 1, for the target is another network than the source.

figure, axes = plt.subplots(1, 2, figsize=(13, 4.6), layout="constrained")
for ax, eps in zip(axes, transfer.eps, strict=True):
    bnnkit.plots.heatmap(transfer.matrix(eps), ax=ax)
plt.show()

# %%
# How much of it is the attack?
# -----------------------------
# Some originals are wrong for the target without any change. The table of the result has them in
# the column "wrong as is", and Wilson's interval for the share, which is wide for a small pool.

header, rows = transfer.rows()
print(*(f"{name:>12}" for name in header))
for row in rows[-3:]:
    print(*(f"{value:12.3f}" if isinstance(value, float) else f"{value:>12}" for value in row))

# %%
# Small changes and large ones
# ----------------------------
# An exact solver finds adversarial images where there are any, also those that lie just beyond a
# boundary. PGD goes on to raise the loss until the image is fooled. Which transfer better? The
# same source, the same eps, two attacks:

source = binarized()(0).fit(data.train.images, data.train.labels)
targets = {
    name: make(7).fit(data.train.images, data.train.labels) for name, make in factories.items()
}
exact = make_pool("exact", source, Exact(timeout=0.2), images[:80], labels[:80], 0.2)
pgd = make_pool("PGD", source, PGD(random_state=0), images[:80], labels[:80], 0.2)
result = transfer_matrix(targets, [exact, pgd])

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
for k, name in enumerate(result.sources):
    rates = [result.rate(0.2, target, name) for target in targets]
    share = np.array([rate.share for rate in rates])
    ends = np.abs(np.array([rate.interval for rate in rates]).T - share)
    place = np.arange(len(targets)) + 0.4 * k - 0.2
    hatch = ("", "//")[k]
    left.bar(place, 100 * share, 0.38, yerr=100 * ends, label=name, hatch=hatch, capsize=3)
left.set_xticks(range(len(targets)), targets)
left.set(ylabel="% fooled (95 % interval)", title="Images of a dense network")
left.legend()
for pool, style in ((exact, "-"), (pgd, "--")):
    pixels = bnnkit.assess.changes(pool.originals, pool.images).share
    right.plot(np.sort(100 * pixels), np.linspace(0, 100, len(pool)), style, label=pool.source)
right.set(xlabel="% of the pixels changed", ylabel="% of the images", title="How much they change")
right.legend()
plt.show()

# %%
# Exercises
# ---------
# 1. Attack two sources at once: ``n_models=2`` in ``transfer_study``, with
#    ``bnnkit.attacks.JointExact``. Do images that fool two networks fool a third one more often?
#
#    .. dropdown:: Hint
#
#       Leave the real-valued type out: the exact attacks need networks of integers.
#
# 2. Is a target with another ``quant_step`` harder to reach?
#
#    .. dropdown:: Hint
#
#       Give ``factories`` a type for each step, and compare the rows of the matrix.
#
# 3. Make the study with random noise in place of PGD. What does the column "wrong as is" say now?
#
#    .. dropdown:: Hint
#
#       ``bnnkit.attacks.RandomNoise(tries=20)``: noise that fools the source is often a picture
#       that was near a boundary of every network.
#
# What to try next
# ----------------
# A pool can be saved (``pool.save("pool.npz")``), and ``bnnkit.robust.Pool`` trains on it or
# judges by it. Lesson 13 is about trust in the word "robust" itself.
