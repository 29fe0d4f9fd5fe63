"""
2. Training with a gradient that does not exist
===============================================

A neuron that fires or does not is a step function: its derivative is 0 wherever it has one.
Gradient descent would never move a weight. BNNs are trained all the same, with two devices [1]_:
real-valued **latent weights**, of which the network sees the signs alone, and a
**straight-through estimator**, which computes forward with the step and backward as if it were
something smoother, its **surrogate**.

.. [1] Y. Bengio, N. Léonard, A. Courville, *Estimating or propagating gradients through
   stochastic neurons*, 2013; I. Hubara et al., *Binarized neural networks*, NeurIPS 2016.
"""

# %%
# Forward and backward
# --------------------
# Forward, the output bit of a neuron is [y >= 0]. Backward, bnnkit multiplies the gradient of the
# bit by a *window* over y. There are two: "hardtanh" passes it on where the size of y is at most
# 1, and "tanh" by the factor ``1 - tanh(y)**2`` [2]_. The argument can be scaled: a larger
# ``surrogate_scale`` makes the window narrower.
#
# .. [2] K. Jia, M. Rinard, *Efficient exact verification of binarized neural networks*,
#    NeurIPS 2020.

import matplotlib.pyplot as plt
import numpy as np

import bnnkit

windows = {
    "hardtanh": lambda y: (np.abs(y) <= 1).astype(float),
    "tanh": lambda y: 1 - np.tanh(y) ** 2,
    "tanh, scale 3": lambda y: 1 - np.tanh(3 * y) ** 2,
}
y = np.linspace(-3, 3, 601)
figure, (forward, backward) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
forward.plot(y, y >= 0, color="#0072B2", linewidth=2.5)
forward.set(title="forward: the step", xlabel="y", ylabel="bit")
for (name, window), style in zip(windows.items(), ("-", "--", ":"), strict=True):
    backward.plot(y, window(y), style, linewidth=2.5, label=name)
backward.set(title="backward: what stands in for its derivative", xlabel="y", ylabel="factor")
backward.legend()
plt.show()

# %%
# One neuron that learns
# ----------------------
# A *teacher* neuron has twelve weights of -1 and +1. A *student* shall learn them from examples.
# It keeps latent weights, small at first. In each step it
#
# 1. takes the signs of the latents as its weights, with sign(0) = +1,
# 2. computes its bit, and how far this is from the teacher's,
# 3. sends that difference back through the window, and through the sign as if it were the
#    identity.

rng = np.random.default_rng(4)
n_inputs, n_examples = 12, 200
teacher = rng.choice([-1, 1], n_inputs)
inputs = rng.choice([-1, 1], (n_examples, n_inputs))
wanted = inputs @ teacher >= 0


def train(window, steps=250, rate=0.02):
    """Latent weights after each step, and the share of right answers."""
    latent = np.random.default_rng(1).normal(0, 0.3, n_inputs)
    course, right = [latent], []
    for _ in range(steps):
        weights = np.where(latent >= 0, 1, -1)
        y = inputs @ weights / np.sqrt(n_inputs)
        error = (y >= 0) * 1.0 - wanted
        gradient = (error * window(y)) @ inputs / n_examples
        latent = latent - rate * gradient
        course.append(latent)
        right.append(np.mean((y >= 0) == wanted))
    return np.array(course), np.array(right)


course, right = train(windows["tanh"])
_, stuck = train(lambda y: np.zeros_like(y))  # the true derivative of the step

# %%
# A weight changes when its latent crosses 0, and only then. Latents that are far from 0 are
# weights that the student is sure of: they remember many small gradients, of which a single one
# would not flip a weight. With the true derivative, which is 0, nothing moves at all.

figure, (left, middle) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for i in range(n_inputs):
    left.plot(course[:, i], "C0-" if teacher[i] > 0 else "C1--", linewidth=1.5)
left.axhline(0, color="black", linewidth=1)
left.set(title="latents; dashed: the teacher has -1", xlabel="step", ylabel="latent")
middle.plot(100 * right, linewidth=2.5, label="straight-through")
middle.plot(100 * stuck, "--", linewidth=2.5, label="true gradient")
middle.set(title="right answers", xlabel="step", ylabel="% of 200 examples", ylim=(0, 104))
middle.legend()
plt.show()
flips = np.count_nonzero(np.diff(course >= 0, axis=0))
print(f"weights that flipped: {flips}; equal to the teacher's at last: ", end="")
print(np.count_nonzero((course[-1] >= 0) == (teacher > 0)), "of", n_inputs)

# %%
# A whole network
# ---------------
# ``BNNClassifier`` does the same for layers of neurons, with Adam in place of plain descent and a
# **batch-norm** before each step, which keeps y in a range that the window reaches. So the width
# of the window matters, in one direction more than in the other. Far too narrow (scale 30), and
# hardly any gradient passes: that costs. Far too wide (scale 0.1), and the gradient has little to
# do with the step; on this small task that hardly matters.

data = bnnkit.datasets.load("digits")
figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for scale, style in ((0.1, ":"), (1, "-"), (30, "--")):
    classifier = bnnkit.BNNClassifier(
        "32", quant_step=0.3, epochs=12, surrogate_scale=scale, random_state=0
    )
    classifier.fit(data.train.images, data.train.labels)
    losses = [epoch["loss"] for epoch in classifier.history_]
    score = classifier.score(data.test.images, data.test.labels)
    label = f"scale {scale:g}: {score:.1%} of test images"
    ax.plot(range(1, 13), losses, style, linewidth=2.5, label=label)
ax.set(title="Width of the surrogate", xlabel="epoch", ylabel="training loss", yscale="log")
ax.legend()
plt.show()

# %%
# Exercises
# ---------
# 1. Start the student with latents ten times as large (``normal(0, 3, ...)``). What happens to
#    the number of flips, and why?
#
#    .. dropdown:: Hint
#
#       How many steps of ``rate * gradient`` does a latent of 3 need to reach 0?
#
# 2. Train the student with ``rate=2`` instead of 0.02. Which constant could multiply all latents
#    and the rate without any change of the weights?
#
#    .. dropdown:: Hint
#
#       The network sees signs alone, and the gradient depends on the weights, not on the latents.
#
# 3. Compare ``surrogate="hardtanh"`` with "tanh" for the scales 0.1, 1 and 30.
#
#    .. dropdown:: Hint
#
#       For each, ask for the score with three seeds (``random_state``) before you believe in a
#       difference: with 355 test images one of them is 0.3 %.
#
# What to try next
# ----------------
# Lesson 3 makes an exact integer network of what was trained here. The classifier's ``history_``
# has more to plot: ``sparsity``, ``accuracy``, ``seconds``.
