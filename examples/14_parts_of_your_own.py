"""
14. An attack, a layer, a solver of your own
============================================

Three parts of bnnkit are made to be replaced. For each there is a **template**: a short file that
works, with instructions at its top. This lesson goes through them, and uses each.
"""

# %%
# An attack
# ---------
# An attack proposes images; the base class does the rest. It clips them into the ball and asks
# the model which of them fool it, so an attack can be weak but not wrong. The template is
# ``bnnkit/attacks/TEMPLATE.py``, with an attack that changes the lighting. Here is another one in
# twelve lines: it moves each pixel towards the mean image of another class.

from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np

import bnnkit
from bnnkit.attacks import Attack
from bnnkit.attacks.TEMPLATE import Lighting
from bnnkit.formula import Formula
from bnnkit.network import Head, Pool2d
from bnnkit.network.TEMPLATE import majority_pool
from bnnkit.quantiser import Quantiser
from bnnkit.solvers.TEMPLATE import Backtracking

data = bnnkit.datasets.load("digits")
classifier = bnnkit.BNNClassifier("64", quant_step=0.3, epochs=15, random_state=0)
classifier.fit(data.train.images, data.train.labels)
train_images = data.train.images / np.float32(255)
means = np.array([train_images[data.train.labels == label].mean(axis=0) for label in range(10)])


@dataclass(frozen=True)
class Towards(Attack):
    """Move all pixels by eps towards the mean image of some class."""

    target: int

    def _perturb(self, model, ball, labels):
        direction = np.sign(means[self.target] - ball.center)
        return ball.center + np.float32(ball.eps) * direction, False


images, labels = data.test.images[:100], data.test.labels[:100]
grid = np.linspace(0.02, 0.3, 8)
attacks = {
    "lighting (template)": Lighting(),
    "towards class 8": Towards(8),
    "random noise, 10 tries": bnnkit.attacks.RandomNoise(tries=10, random_state=0),
    "PGD": bnnkit.attacks.PGD(random_state=0),
}
figure, ax = plt.subplots(figsize=(8, 4.2), layout="constrained")
for (name, attack), style in zip(attacks.items(), ("o-", "s--", "^:", "D-."), strict=True):
    rates = [100 * attack(classifier, images, labels, eps).success_rate for eps in grid]
    ax.plot(grid, rates, style, linewidth=2, label=name)
ax.set(title="Attacks, two of them our own", xlabel="eps", ylabel="% of 100 images fooled")
ax.legend()
plt.show()

# %%
# A layer
# -------
# The exact network has ternary sums with thresholds, ``Conv2d``, and OR and AND pooling. Whatever
# can be written as such sums is a layer, and is run, saved and verified like all others. It is a
# layer of the exact network only: it has no gradient, so no training puts it there, and you build
# the network from its layers, as below. The template ``bnnkit/network/TEMPLATE.py`` does that for
# pooling by *majority*: the sum of a window's bits is at least more than half of their number.

layer = majority_pool(channels=1, size=2, stride=1)
bits = (data.test.images[3:4] > 127).astype(np.uint8).transpose(0, 2, 3, 1)  # (N, H, W, C)
pictures = {"bits": bits[0, :, :, 0]}
for name, pool in (("OR", Pool2d("or", 2, 1)), ("majority", layer), ("AND", Pool2d("and", 2, 1))):
    pictures[name] = pool.level_bits(bits)[0, :, :, 0] & 1  # one channel: bit 0 of each octet
figure, axes = plt.subplots(1, 4, figsize=(10, 2.8), layout="constrained")
for ax, (name, picture) in zip(axes, pictures.items(), strict=True):
    ax.imshow(picture, cmap="gray", vmin=0, vmax=1)
    ax.set(title=name, xticks=[], yticks=[])
plt.show()

# %%
# A network with it: two levels, the majority of each window, and two classes, "more ink above"
# and "more ink below". It is asked like any other.

halves = np.zeros((2, 1, 7, 7), int)
halves[0, 0, :3], halves[1, 0, 4:] = 1, 1
head = Head(halves, scale=1, bias=[0, 0])
network = bnnkit.BinaryNetwork(Quantiser(1), [layer], head, input_shape=(1, 8, 8))
image = data.test.images[3]
label = int(network.predict(image[None])[0])
for eps in (0.05, 0.1, 0.2):
    print("class", label, "eps", eps, bnnkit.verify(network, image, label, eps).status)

# %%
# A solver
# --------
# A backend implements five hooks: start an engine, add constraints, search, halt, stop. The base
# class translates what the engine cannot do, times it, and checks every model against the
# formula. The template ``bnnkit/solvers/TEMPLATE.py`` is backtracking search in forty lines;
# registered under a name, it is a solver for everything, ``verify`` and ``compare`` too.

bnnkit.solvers.register("backtracking", Backtracking)


def pigeons(n):
    """A formula without a model: n + 1 pigeons in n holes, one each."""
    formula = Formula(n * (n + 1))
    places = np.arange(1, n * (n + 1) + 1).reshape(n + 1, n)
    for pigeon in places:
        formula.add_clause(pigeon)
    for hole in places.T:
        formula.add_sum(-hole, n)  # at least n of the n + 1 pigeons are not there
    return formula


figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for name, look in (("backtracking", "o-"), ("native", "s--"), ("cadical", "D-."), ("cp-sat", "^:")):
    seconds = []
    for n in range(2, 10):
        with bnnkit.solvers.get(name)(pigeons(n)) as solver:
            outcome = solver.solve(timeout=3)
        if outcome.status == "unknown":
            break
        seconds.append(outcome.seconds)
    ax.plot(range(2, 2 + len(seconds)), seconds, look, linewidth=2, label=name)
ax.set(yscale="log", xlabel="holes", ylabel="seconds", title="One pigeon too many")
ax.legend()
plt.show()

# %%
# A line ends where three seconds do not suffice. Backtracking tries many times as many cases with
# each pigeon. ``native`` and ``cadical`` learn clauses, which helps for a while: on this formula
# their proofs, too, get long quickly. ``cp-sat`` needs a moment to start, and then adds the sums
# up: n + 1 pigeons are more than n places.
#
# Before you believe a solver, have it pass the conformance suite that all backends pass:
# ``pytest tests/solvers --solver=backtracking``. It has the cases in which solvers go wrong:
# empty sums, repeated literals, assumptions that contradict each other, interruptions.
#
# Exercises
# ---------
# 1. Make of ``Towards`` an attack that tries all ten classes, and counts the first that succeeds.
#
#    .. dropdown:: Hint
#
#       ``Lighting`` has the loop: keep what fooled the model, and go on with the others.
#
# 2. Write a layer that marks horizontal edges: a bit that is 1 where a pixel is 1 and the one
#    above it is 0. Compare it with NumPy on all inputs of size 3 x 3.
#
#    .. dropdown:: Hint
#
#       The weights of a kernel of two rows are -1 and +1. Which threshold tells the four cases
#       apart?
#
# 3. Let ``Backtracking`` decide on the variable that stands in most constraints first. How many
#    more pigeons does it manage?
#
#    .. dropdown:: Hint
#
#       Only ``_extend`` chooses a variable. Count once, in ``_add``.
#
# What to try next
# ----------------
# A package of your own can offer its solver by an entry point of the group ``bnnkit.solvers``;
# the template says how.
