"""
1. A neuron that counts bits
============================

A neuron of a **binarized neural network** (BNN) has weights in {-1, +1} and reads bits. Its
weighted sum is a count, so it needs no multiplication: an XNOR and a *popcount*, the number of
ones in a word, do [1]_. This lesson computes such a sum by hand, then with the kernels of bnnkit,
and shows a neuron at work on a picture.

.. [1] M. Courbariaux et al., *Binarized Neural Networks*, 2016; M. Rastegari et al.,
   *XNOR-Net*, ECCV 2016.
"""

# %%
# By hand
# -------
# Eight inputs and eight weights. In the textbooks a binary input is -1 or +1. A product of two
# such numbers is +1 if they agree and -1 if they differ, so with n inputs
#
# .. math:: \sum_i w_i x_i
#           = (\text{agreements}) - (\text{differences}) = 2\,(\text{agreements}) - n.

import matplotlib.pyplot as plt
import numpy as np

import bnnkit

x = np.array([+1, -1, +1, +1, -1, -1, +1, -1])
w = np.array([+1, +1, +1, -1, -1, +1, +1, +1])
agreements = np.count_nonzero(x == w)
print("sum of products", w @ x, "  twice the agreements less n", 2 * agreements - len(x))

# %%
# Now write one bit for each number, 1 for +1 and 0 for -1. "Agree" is the XNOR of two bits, and
# one machine instruction makes it for 64 of them. Another one counts the ones in the result.

x_word, w_word = (int("".join("1" if v > 0 else "0" for v in values), 2) for values in (x, w))
xnor = ~(x_word ^ w_word) & 0xFF
print(f"x     {x_word:08b}\nw     {w_word:08b}\nXNOR  {xnor:08b}  popcount {xnor.bit_count()}")

# %%
# Bits that are 0 and 1
# ---------------------
# In bnnkit a bit is 0 or 1, not -1 or +1. Then a positive weight gives 1 unless the bit is
# missing, and a negative one takes 1 away if the bit is there:
#
# .. math:: \sum_i w_i b_i = (\text{positive weights}) - \operatorname{popcount}(b \oplus s),
#
# where bit i of s says whether weight i is positive. Still, only a count depends on the input.
# The kernel packs rows of bits into octets, and also takes weights that are 0.

bits = (x > 0).astype(np.uint8)
octets = bnnkit.kernels.pack_bits(bits[None, None])
weights = bnnkit.kernels.pack_ternary(w[None, None].astype(np.int8))
by_hand = np.count_nonzero(w > 0) - np.count_nonzero(bits != (w > 0))
print(by_hand, w @ bits, bnnkit.kernels.ternary_product(octets, weights).item())

# %%
# The same for 1,000 inputs to 500 neurons of 784 weights: NumPy's integer product and the kernel
# agree on every sum, and the packed weights need 2 bits each (one for the sign, one that says
# whether the weight is 0) where float32 needs 32.

rng = np.random.default_rng(0)
bits = rng.integers(0, 2, (1000, 1, 784), dtype=np.uint8)
ternary = rng.integers(-1, 2, (500, 1, 784), dtype=np.int8)
packed = bnnkit.kernels.pack_ternary(ternary)
counted = bnnkit.kernels.ternary_product(bnnkit.kernels.pack_bits(bits), packed)
print("all equal:", np.array_equal(counted, bits[:, 0].astype(int) @ ternary[:, 0].T))
print("bytes of weights:", packed.sign.nbytes + packed.mask.nbytes, "instead of", ternary.size * 4)

# %%
# A neuron that looks at pictures
# -------------------------------
# A neuron **fires**, its output bit is 1, if the sum reaches a **threshold**. Here the weights
# are made by hand: +1 where more than half of the training images of class 0 have ink, -1
# elsewhere. The sum then counts pixels that fit.

data = bnnkit.datasets.load("digits")
ink = (data.train.images.reshape(-1, 64) > 127).astype(np.int8)
zeros = ink[data.train.labels == 0]
template = np.where(zeros.mean(axis=0) > 0.5, 1, -1).astype(np.int8)
sums = ink.astype(int) @ template
most = np.count_nonzero(template > 0)

figure, axes = plt.subplots(2, 4, figsize=(11, 5.4), layout="constrained")
shown = [int(np.flatnonzero(data.train.labels == label)[0]) for label in (0, 3, 1)]
axes[0, 0].imshow(template.reshape(8, 8), cmap="cividis", vmin=-1, vmax=1)
axes[0, 0].set_title("weights: +1 bright, -1 dark")
axes[1, 0].hist(
    [sums[data.train.labels == 0], sums[data.train.labels != 0]],
    bins=np.arange(sums.min(), most + 3, 2),
    label=["class 0", "others"],
    color=["#0072B2", "#E69F00"],
    stacked=True,
)
axes[1, 0].set(title="sums of all training images", xlabel="sum", ylabel="images")
axes[1, 0].legend()
for column, index in enumerate(shown, start=1):
    axes[0, column].imshow(ink[index].reshape(8, 8), cmap="gray")
    axes[0, column].set_title(f"input bits, class {data.train.labels[index]}")
    differ = ink[index] != (template > 0)
    axes[1, column].imshow(differ.reshape(8, 8), cmap="Reds", vmin=0, vmax=1.4)
    axes[1, column].set_title(f"{differ.sum()} differ: {most} - {differ.sum()} = {sums[index]}")
for ax in [*axes[0], *axes[1, 1:]]:
    ax.set(xticks=[], yticks=[])
plt.show()

# %%
# Exercises
# ---------
# 1. Which sums can a neuron with n inputs of -1 and +1 have, and which can one with bits 0 and 1
#    have? Why do two neighbouring thresholds always mean the same for one of the two?
#
#    .. dropdown:: Hint
#
#       Flip one input and see by how much the sum changes: 2 in the first case, 1 in the second.
#
# 2. Find the threshold at which the neuron above tells class 0 from the others with the fewest
#    errors on the training images. How many errors are there on the test images?
#
#    .. dropdown:: Hint
#
#       Count ``(sums >= t) != (data.train.labels == 0)`` for every integer t between
#       ``sums.min()`` and ``sums.max() + 1``.
#
# 3. A weight that is 0 ignores its input. Which bits of the XOR must then be left out of the
#    count, and with which operation?
#
#    .. dropdown:: Hint
#
#       ``bnnkit/kernels/plain.py`` has it as three lines of loops; look for ``mask``.
#
# What to try next
# ----------------
# The weights were made by hand. Lesson 2 learns them, although a step has no useful gradient.
# What the kernels do to count faster than this is described at the top of each file in
# ``bnnkit/kernels``.
