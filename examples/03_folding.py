"""
3. From batch-norm to an integer threshold
==========================================

While it is trained, a neuron's sum goes through a **batch-norm** [1]_, four real numbers for each
neuron, before the step. All of it together only asks whether an integer is large enough.
**Folding** finds the integer **threshold**; what is left has no real number in it, and so "the
network says 7" has one meaning for those who run it and those who prove something about it.

.. [1] S. Ioffe, C. Szegedy, *Batch normalization*, ICML 2015.
"""

# %%
# One neuron
# ----------
# The sum z of bits and weights is an integer. In training the output bit is
#
# .. math:: \left[\gamma\,\frac{z - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta \ge 0\right]
#           = [a z + b \ge 0], \quad
#           a = \frac{\gamma}{\sqrt{\sigma^2 + \epsilon}},\; b = \beta - a\mu.
#
# For a > 0 this is z >= -b/a, and since z is an integer, z >= ceil(-b/a). For a < 0 the direction
# turns: z <= floor(-b/a). bnnkit calls the direction the ``sense`` of a neuron, +1 or -1.

import matplotlib.pyplot as plt
import numpy as np

import bnnkit
from bnnkit.network import fold_threshold

a, b = np.array([0.31, -0.22]), np.array([-1.0, 0.8])
threshold, sense = fold_threshold(a, b)
z = np.arange(-6, 13)
figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained", sharey=True)
for ax, a_i, b_i, t, s in zip(axes, a, b, threshold, sense, strict=True):
    fires = z >= t if s > 0 else z <= t
    ax.axhline(0, color="black", linewidth=1)
    ax.axvline(-b_i / a_i, color="#D55E00", linestyle="--", label=f"-b/a = {-b_i / a_i:.2f}")
    ax.plot(z, a_i * z + b_i, color="#999999")
    ax.plot(z[fires], (a_i * z + b_i)[fires], "o", color="#0072B2", label="fires")
    ax.plot(z[~fires], (a_i * z + b_i)[~fires], "o", mfc="white", color="#0072B2", label="does not")
    ax.set(title=f"bit = [z {'>=' if s > 0 else '<='} {t}]", xlabel="sum z", ylabel="a z + b")
    ax.legend()
plt.show()

# %%
# Why it is exact
# ---------------
# The quotient -b/a is a real number, and a computer rounds. Where it is close to an integer, the
# rounded quotient may be on the wrong side of it, and the folded neuron would differ from the
# trained one for one sum. So bnnkit divides *fractions*: a float is one, exactly. Then it tries
# the neighbours, as the trained network computes a*z + b in float64, where a sum just short of 0
# may round to 0. What was trained is what is folded, rounding included.
#
# Below are 2000 neurons whose -b/a is at or near an integer k, as it happens by chance in large
# networks. For the sums k - 1, k and k + 1 the bits of three ways to fold are compared with those
# of the trained neuron.

rng = np.random.default_rng(0)
slopes = rng.uniform(0.1, 2, 2000)
k = rng.integers(1, 800, 2000)
offsets = -slopes * k * (1 + rng.choice([-1, 0, 1], 2000) * 2.0**-40)


def wrong(thresholds):
    """Neurons whose threshold gives another bit than training does for one of three sums."""
    z = np.stack([k - 1, k, k + 1])
    return np.count_nonzero(((z >= thresholds) != (slopes * z + offsets >= 0)).any(axis=0))


for name, kind in (("float32", np.float32), ("float64", np.float64)):
    print(
        "division in", name, "- wrong:", wrong(np.ceil(-offsets.astype(kind) / slopes.astype(kind)))
    )
print("fold_threshold      - wrong:", wrong(fold_threshold(slopes, offsets)[0]))

# %%
# A whole network
# ---------------
# After training, ``network_`` is folded: weights in {-1, 0, +1}, thresholds, and for the classes
# integer **scores**. The first layer reads **levels**, integers too: the quantiser turns a pixel
# x into round(x / step). Every ``fit`` ends with a comparison of both networks on training
# images.

data = bnnkit.datasets.load("digits")
classifier = bnnkit.BNNClassifier("32", quant_step=0.3, epochs=10, random_state=0)
network = classifier.fit(data.train.images, data.train.labels).network_
print(network.summary())
layer = network.layers[0]

image = data.test.images[:1]
levels = network.quantiser.levels(image)
sums = np.tensordot(layer.weights[:, 0].astype(int), levels[0, 0].astype(int), 2)
bits = np.where(layer.sense > 0, sums >= layer.threshold, sums <= layer.threshold)
scores = network.head.scale * (network.head.weights[:, :, 0, 0].astype(int) @ bits)
scores = scores + network.head.bias
assert np.array_equal(scores, network.scores(image)[0])

figure, axes = plt.subplots(
    1, 3, figsize=(12, 3.8), layout="constrained", gridspec_kw={"width_ratios": (1, 2, 2)}
)
axes[0].imshow(levels[0, 0], cmap="gray")
axes[0].set(title=f"levels 0 to {network.quantiser.n_levels - 1}", xticks=[], yticks=[])
neuron = np.arange(32)
axes[1].vlines(neuron, layer.threshold, sums, color="#999999")
for sign, marker in ((1, "^"), (-1, "v")):
    some = layer.sense == sign
    axes[1].plot(neuron[some], layer.threshold[some], "_", color="black", markersize=9)
    axes[1].plot(neuron[some & bits], sums[some & bits], marker, color="#0072B2")
    axes[1].plot(neuron[some & ~bits], sums[some & ~bits], marker, color="#0072B2", mfc="white")
axes[1].set(title="sums (filled: fires) and thresholds (-)", xlabel="neuron", ylabel="sum")
axes[2].bar(range(10), scores / abs(network.head.scale), color="#0072B2")
axes[2].set(title=f"scores; the class is {scores.argmax()}", xlabel="class", xticks=range(10))
axes[2].set_ylabel("score in units of one weight")
plt.show()

# %%
# Exercises
# ---------
# 1. What are threshold and sense of a neuron with a = 0? What does ``fold_threshold`` give?
#
#    .. dropdown:: Hint
#
#       The bit no longer depends on z. A threshold far out of reach can say both "always" and
#       "never".
#
# 2. Rewrite a neuron with sense -1 as one with sense +1 by changing its weights and its
#    threshold.
#
#    .. dropdown:: Hint
#
#       z <= t is the same as -z >= -t, and -z is the sum with negated weights.
#
# 3. How near to an integer must -b/a be for a division in float32 to go wrong? Count for
#    2.0**-20, 2.0**-24, 2.0**-30 in place of 2.0**-40.
#
#    .. dropdown:: Hint
#
#       A float32 has 24 binary digits, so 1 and 1 + 2**-24 are the same to it.
#
# What to try next
# ----------------
# A neuron is now a comparison of a count with an integer. Lesson 4 writes it down as a formula
# that a solver understands.
