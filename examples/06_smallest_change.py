"""
6. The smallest change that fools a network
===========================================

An **adversarial image** looks like an image that the network gets right, and is misclassified.
How small can the change be? Attacks that follow a gradient find *some* change; whether there is a
smaller one they cannot tell. An exact solver can: for each image there is a smallest eps, and
``minimal_epsilon`` computes it, with an image that needs it and a proof that none needs less.
"""

# %%
# Changes are measured in the **maximum norm** here: the size of a change is that of the pixel
# that changes most, on a scale from 0 (black) to 1 (white). An image within eps is one that
# differs by at most eps in every pixel.

import matplotlib.pyplot as plt
import numpy as np

import bnnkit

data = bnnkit.datasets.load("digits")
classifier = bnnkit.BNNClassifier("64", quant_step=0.3, epochs=20, mask_decay=1e-3, random_state=0)
classifier.fit(data.train.images, data.train.labels)
network = classifier.network_
print(f"{classifier.score(data.test.images, data.test.labels):.1%} of the test images are right")

# %%
# Forty images
# ------------
# The answer is a pair (lower, upper): proved robust below, misclassified from upper on. They are
# equal where the solver had the time to finish, as it has for a network of this size.

images, labels = data.test.images[:40], data.test.labels[:40]
found = [bnnkit.minimal_epsilon(network, *pair) for pair in zip(images, labels, strict=True)]
exact = np.array([pair.upper for pair in found])
print("exact:", sum(pair.exact for pair in found), "of", len(found))

order = np.argsort(exact)
shown = [i for i in order if exact[i] > 0][:4] + list(order[-2:])
bnnkit.plots.adversarial_sheet(
    images[shown],
    np.array([found[i].adversarial for i in shown]),
    labels[shown],
    network.predict(np.array([found[i].adversarial for i in shown])),
)
plt.show()

# %%
# The four images to the left are the easiest to change (of those that are right as they are), the
# two to the right the hardest. All pixels may change by eps at once, so a picture can look very
# different with a small eps: that is what this norm means by "close".
#
# Where does eps come from?
# -------------------------
# The network sees **levels**, not pixels: with the step 0.3 a pixel is rounded to 0, 0.3, 0.6 or
# 0.9, and only a change that takes some pixel over the border between two levels can matter. So
# there are finitely many candidates for the smallest eps, the **radii** at which one more level
# comes within reach. The values found are among them.

radii = np.unique(network.quantiser.radii(images[0]))
print(f"image 0 has {len(radii)} radii; its smallest eps is one of them:", exact[0] in radii)

# %%
# Attack and proof
# ----------------
# **PGD** (projected gradient descent [1]_) climbs along the gradient of the loss, or, in a BNN,
# along its straight-through stand-in from lesson 2. Let it try for a number of eps, and compare
# how many images it fools with how many can be fooled.
#
# .. [1] A. Madry et al., *Towards deep learning models resistant to adversarial attacks*, ICLR
#    2018.

grid = np.linspace(0.01, 0.3, 12)
pgd = bnnkit.attacks.PGD(steps=20, restarts=3, random_state=0)
noise = bnnkit.attacks.RandomNoise(tries=60, random_state=0)
fooled = {
    name: [100 * attack(classifier, images, labels, eps).success_rate for eps in grid]
    for name, attack in (("PGD, 3 x 20 steps", pgd), ("random noise, 60 tries", noise))
}
figure, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
steps = np.sort(exact)
share = 100 * np.arange(1, len(steps) + 1) / len(steps)
ax.step(steps, share, "k", where="post", linewidth=3, label="exact: can be fooled")
looks = ({"color": "C1", "marker": "s", "linestyle": "--"}, {"color": "C2", "marker": "^"})
for (name, values), look in zip(fooled.items(), looks, strict=True):
    # what fools at one eps fools at each greater one, so an attack has at least its best so far
    values = np.maximum.accumulate(values)
    ax.step(grid, values, where="post", markersize=9, markerfacecolor="white", label=name, **look)
ax.set(xlabel="eps", ylabel="% of 40 images", xlim=(0, 0.3), ylim=(0, 103))
ax.set_title("What attacks find, and what there is")
ax.legend()
plt.show()

# %%
# The gap between the line of an attack and the thick one are images that look robust to that
# attack and are not. Without the exact answer nobody could tell how wide it is.
#
# Exercises
# ---------
# 1. Ask for 8-bit images only: ``pixels="uint8"``. Can a smallest eps become smaller?
#
#    .. dropdown:: Hint
#
#       The 8-bit images are some of all images, and a minimum over fewer of them cannot be
#       smaller.
#
# 2. Train with ``quant_step=0.61`` and with 0.1, and compare the median of the smallest eps.
#    Which part of the difference is due to the quantiser alone?
#
#    .. dropdown:: Hint
#
#       With the step 0.61 there are three levels, and a pixel of value 0 has to grow to 0.305
#       before the network notices. ``network.quantiser.radii`` tells the distances.
#
# 3. For which classes is the smallest eps smallest, and as what are these images seen?
#
#    .. dropdown:: Hint
#
#       ``bnnkit.assess.minimal_epsilons`` takes all images at once, and
#       ``bnnkit.plots.minimal_epsilons`` draws what it returns.
#
# What to try next
# ----------------
# The solver was fast here. Lesson 7 takes its time away.
