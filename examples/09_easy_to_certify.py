"""
9. Making networks that are easy to certify
===========================================

Whether an image can be certified depends on two things: whether the network *is* robust there,
and whether a solver can *show* it in time. Training can work on both. **PGD training** replaces
each batch by an adversarial one [1]_; **mask decay** makes most weights 0, so that a neuron
depends on few others; **bound decay** asks for neurons that few inputs decide [2]_; an
**interval loss** punishes what bounds leave possible in the ball [3]_.

.. [1] A. Madry et al., *Towards deep learning models resistant to adversarial attacks*, ICLR
   2018.
.. [2] K. Jia, M. Rinard, *Efficient exact verification of binarized neural networks*,
   NeurIPS 2020.
.. [3] S. Gowal et al., *Scalable verified training for provably robust image classification*,
   ICCV 2019.
"""

# %%
# Six recipes
# -----------
# One architecture, two hidden layers of 100 neurons, trained in six ways.

import matplotlib.pyplot as plt
import numpy as np

import bnnkit
from bnnkit.nn import BoundDecay, PGDTraining
from bnnkit.verification import encode_question

data = bnnkit.datasets.load("digits")
eps = 0.1
pgd = PGDTraining(eps=eps, steps=5)
recipes = {
    "plain": {},
    "sparse": {"mask_decay": 1e-3},
    "PGD": {"adversary": pgd},
    "PGD, sparse": {"adversary": pgd, "mask_decay": 1e-3},
    "PGD, sparse, bounds": {
        "adversary": pgd,
        "mask_decay": 1e-3,
        "bound_decay": BoundDecay(1e-4),
    },
    "PGD, sparse, intervals": {
        "adversary": pgd,
        "mask_decay": 1e-3,
        "interval_loss": 0.3,
    },
}
networks = {
    name: bnnkit.BNNClassifier("100-100", quant_step=0.3, epochs=25, random_state=0, **recipe)
    .fit(data.train.images, data.train.labels)
    .network_
    for name, recipe in recipes.items()
}

# %%
# What they are like
# ------------------
# Forty questions of eps = 0.1 about each, with at most half a second for one. The size of a
# question is the number of **terms** in the sums of its formula, after bound propagation has
# removed what is constant in the ball.

images, labels = data.test.images[:40], data.test.labels[:40]
verdicts, terms = {}, {}
print(f"{'':22} clean  zeros  terms  robust falsified unknown")
for name, network in networks.items():
    verdicts[name] = bnnkit.verify_all(network, images, labels, eps, timeout=0.5)
    questions = [encode_question(network, *pair, eps) for pair in zip(images, labels, strict=True)]
    terms[name] = np.mean([len(question.formula.sums.lits) for question in questions])
    clean = np.mean(network.predict(data.test.images) == data.test.labels)
    zeros = np.mean([layer.sparsity for layer in network.layers])
    counts = "  ".join(f"{n:7}" for n in verdicts[name].counts.values())
    print(f"{name:22} {clean:5.1%}  {zeros:4.0%} {terms[name]:7.0f}  {counts}")

bnnkit.plots.verdicts(verdicts)
plt.show()

figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
for (name, each), marker in zip(verdicts.items(), "os^DvP", strict=True):
    ax.plot(terms[name], each.seconds / len(each), marker, markersize=11, label=name)
ax.set(xscale="log", yscale="log", xlabel="mean number of terms of a formula")
ax.set(title="Small formulas, short times", ylabel="mean seconds of a question")
ax.legend()
plt.show()

# %%
# What sparse neurons look at
# ---------------------------
# The weights of the first layer of the plain network and of a sparse one: grey is 0. A neuron
# that looks at eight pixels of 64 can be changed through eight pixels only.

for name in ("plain", "PGD, sparse"):
    axes = bnnkit.plots.weights(networks[name])
    axes[0, 0].figure.suptitle(f"{name}: weights of the first layer")
    plt.show()

# %%
# Here sparsity takes away the unknown answers, as its formulas are small, and also many of the
# adversarial images: what does not depend on a pixel cannot be changed through it. PGD makes more
# images robust, but of the dense network many stay open. Together they give most proofs. Bounds
# and intervals make the formulas smaller still. A small difference 40 images cannot show, and which
# of the open questions end in time depends on the machine.
#
# The interval loss sees what PGD in training cannot: its gradient passes through surrogates, and a
# network can learn to look robust to them. In a deep network that is most of what it learns. So
# all networks of the zoo were trained with intervals.
#
# Exercises
# ---------
# 1. Double ``mask_decay`` until the clean accuracy falls below 90 %. How does the number of
#    proofs change on the way?
#
#    .. dropdown:: Hint
#
#       Plot certified against clean accuracy, one point for each decay.
#
# 2. Train with ``PGDTraining(eps=0.15)`` and verify with 0.1. Why may a larger radius in training
#    help?
#
#    .. dropdown:: Hint
#
#       PGD finds not every adversarial image (lesson 6), so what it trains against is a little
#       less than its eps.
#
# 3. Choose the epoch by proofs: ``validation=0.1, monitor=bnnkit.robust.Certified(eps=0.1)``.
#
#    .. dropdown:: Hint
#
#       ``classifier.best_epoch_`` and the entries "validation" of ``classifier.history_`` tell
#       which epoch won. Held-out images choose, test images never.
#
# What to try next
# ----------------
# ``bnnkit.zoo`` has networks for MNIST and CIFAR-10 that were trained so, each with a card of
# what is proved about it: ``print(bnnkit.zoo.card(bnnkit.zoo.names()[0]))``.
