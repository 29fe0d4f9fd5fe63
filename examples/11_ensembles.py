"""
11. Ensembles and votes
=======================

Three networks decide together: the class that most of them choose wins the **vote**, and of
several with as many votes the lowest. Is a vote harder to fool than its members? Two questions
can be answered exactly. Is there an image for which the vote is wrong? And is there one for which
*all* members choose the same wrong class, a **joint attack**?
"""

# %%
# Members
# -------
# Three networks that differ in their seeds and in their quantisers: the same pixel may have level
# 1 for one of them and 2 for another.

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap

import bnnkit
from bnnkit.ensemble import Vote

data = bnnkit.datasets.load("digits")
networks = []
for seed, step in enumerate((0.3, 0.4, 1.0)):
    classifier = bnnkit.BNNClassifier(
        "64", quant_step=step, epochs=20, mask_decay=1e-3, random_state=seed
    )
    networks.append(classifier.fit(data.train.images, data.train.labels).network_)
vote = Vote(networks)
for name, model in (*((f"member {i}", net) for i, net in enumerate(networks)), ("vote", vote)):
    print(f"{name}: {np.mean(model.predict(data.test.images) == data.test.labels):.1%} right")

# %%
# The two questions
# -----------------
# A pixel is one real number for all members, so the formula has the bits of the pixels once, and
# each network on top of them. What falls to a joint attack makes the vote wrong, too; the other
# way round it need not be.

eps = 0.12
images, labels = data.test.images[:60], data.test.labels[:60]
tables = {
    f"member {i}": bnnkit.verify_all(net, images, labels, eps, timeout=1)
    for i, net in enumerate(networks)
}
for question in ("vote", "joint"):
    tables[question] = bnnkit.verify_all(
        networks, images, labels, eps, question=question, timeout=1
    )
fell = {name: table.status == "falsified" for name, table in tables.items()}
assert not (fell["joint"] & ~fell["vote"] & (tables["vote"].status == "robust")).any()

bnnkit.plots.verdicts(tables)
plt.show()

# %%
# Where the vote holds, and where it does not
# -------------------------------------------
# Each column is an image, each row a member or a question to all: green is proved robust, orange
# with a cross is falsified, grey is undecided after the time limit. A vote of three is wrong only
# if two members are, *for the same image*. Two members that can each be fooled need not be fooled
# together.

order = np.lexsort([fell[name] for name in tables])
statuses = ["falsified", "unknown", "robust"]
grid = np.array([[statuses.index(verdict.status) for verdict in tables[name]] for name in tables])
colours = ListedColormap([bnnkit.plots.COLOURS[status] for status in statuses])
figure, ax = plt.subplots(figsize=(11, 2.6), layout="constrained")
ax.imshow(grid[:, order], cmap=colours, aspect="auto", vmin=0, vmax=2)
ax.plot(*np.nonzero(grid[:, order] == 0)[::-1], "kx", markersize=4)
ax.set_yticks(range(len(tables)), tables)
ax.set(xlabel="image (sorted)", title="green: proved robust; orange, x: falsified; grey: undecided")
plt.show()

members = np.array([fell[f"member {i}"] for i in range(3)])
saved = int((members.any(axis=0) & (tables["vote"].status == "robust")).sum())
both = int(((members.sum(axis=0) >= 2) & (tables["vote"].status == "robust")).sum())
print(f"{saved} images where a member falls and the vote is proved robust; {both} where two do")
print("proved robust:", {name: int((tables[name].status == "robust").sum()) for name in tables})

# %%
# So, is the vote harder to fool? Here hardly harder than its best member, only than the others:
# beside the images at which it saves a member there are others at which two members fall together
# and outvote one that would have been right. A joint attack is much rarer: all three have to fall
# by one image, and to the same class.

# %%
# One image that fools the vote: ``choices`` tells what each member says about it.

i = next(i for i, v in enumerate(tables["vote"]) if v.status == "falsified" and v.stage != "clean")
verdict = tables["vote"][i]
figure, axes = plt.subplots(1, 5, figsize=(12, 2.8), layout="constrained")
axes[0].imshow(images[i, 0], cmap="gray")
axes[0].set_title(f"original: {labels[i]}")
axes[1].imshow(verdict.adversarial[0], cmap="gray", vmin=0, vmax=1)
axes[1].set_title(f"the vote says {verdict.predicted}")
for ax, net, choice in zip(axes[2:], networks, verdict.choices, strict=True):
    ax.imshow(net.quantiser.levels(verdict.adversarial[0].astype(float)), cmap="gray")
    ax.set_title(f"step {float(net.quantiser.step)}: {choice}")
for ax in axes:
    ax.set(xticks=[], yticks=[])
plt.show()

# %%
# Exercises
# ---------
# 1. Can a vote of two networks be more robust than the better one of them?
#
#    .. dropdown:: Hint
#
#       With one vote each, the lower class wins. For which labels does that help?
#
# 2. Train five members that differ in their seeds alone. Do they fall for the same images?
#
#    .. dropdown:: Hint
#
#       Compare the number of images that fall to the joint attack with what you would expect if
#       members fell independently of each other.
#
# 3. Is the vote robust for all images for which two members are proved robust? Prove it, then
#    check it on the table.
#
#    .. dropdown:: Hint
#
#       Two of three votes are a majority, whatever the third one says.
#
# What to try next
# ----------------
# ``bnnkit.robust.train`` takes a list of model factories, and the source
# ``Live(JointExact(), against="all")`` gives it images that fool all of them together, from which
# the members learn.
