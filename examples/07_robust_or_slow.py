"""
7. Robust, or just slow?
========================

A verifier that runs out of time has found no adversarial image. That is not the same as "there is
none". bnnkit has three answers: **robust** (proved), **falsified** (with an image that anyone can
check) and **unknown**. This lesson shows what happens to a table of results when the third one is
counted as one of the others.
"""

# %%
# Two networks
# ------------
# Both are trained on adversarial images of eps = 0.1 (lesson 9 says how). One is dense: nothing
# was done to make it easy to verify. The other one has a decay on its weights, so most of them
# are 0.

import matplotlib.pyplot as plt

import bnnkit
from bnnkit.nn import PGDTraining

data = bnnkit.datasets.load("digits")
adversary = PGDTraining(eps=0.1, steps=5)
networks = {}
for name, decay in (("dense", 0), ("sparse", 1e-3)):
    classifier = bnnkit.BNNClassifier(
        "100-100", quant_step=0.1, epochs=20, mask_decay=decay, adversary=adversary, random_state=0
    )
    classifier.fit(data.train.images, data.train.labels)
    networks[name] = classifier.network_
    print(name, f"{classifier.score(data.test.images, data.test.labels):.1%} right")

# %%
# The same questions with little time
# -----------------------------------
# Is every image within eps = 0.1 classified as the original? Thirty images, and for each of them
# at most 5, 20, 80, 320 milliseconds. (How many are decided in such a time depends on the
# machine: the numbers below are those of the one that built this page. What is *proved* does not
# depend on it.)

images, labels = data.test.images[:30], data.test.labels[:30]
limits = [0.005, 0.02, 0.08, 0.32]
verdicts = {
    name: [bnnkit.verify_all(network, images, labels, 0.1, timeout=limit) for limit in limits]
    for name, network in networks.items()
}
for name, row in verdicts.items():
    print(name, row[-1].counts)

# %%
# A verdict says which stage gave the answer, and what each stage took: the prediction of the
# image itself ("clean"), **bound propagation** (intervals; enough for easy proofs), a local
# search for adversarial images, and the solver.

fallen = next(v for v in verdicts["dense"][-1] if v.status == "falsified")
print(fallen.stage, {stage: f"{1000 * s:.1f} ms" for stage, s in fallen.timings.items()})

bnnkit.plots.verdicts(
    {
        f"{name}, {1000 * limit:g} ms": each
        for name, row in verdicts.items()
        for limit, each in zip(limits, row, strict=True)
    }
)
plt.show()

# %%
# Three ways to write down one result
# -----------------------------------
# For the shortest limit: what is the robust accuracy of the dense network? Whoever counts "no
# adversarial image found" as robust reports the highest number, and would report a higher one
# still with a slower machine. Whoever counts proofs alone reports a number that is true whatever
# the machine. The truth lies between: **certified accuracy** <= robust accuracy <= 1 - falsified.

figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
for (name, row), style in zip(verdicts.items(), ("C0", "C1"), strict=True):
    proved = [100 * each.certified_accuracy for each in row]
    possible = [100 - 100 * each.counts["falsified"] / len(each) for each in row]
    ax.fill_between(limits, proved, possible, color=style, alpha=0.3, label=f"{name}: unknown")
    ax.plot(limits, proved, f"{style}o-", linewidth=2.5, label=f"{name}: proved robust")
    ax.plot(limits, possible, f"{style}s--", label=f"{name}: not falsified")
ax.set(xscale="log", xlabel="time limit in seconds", ylabel="% of 30 images", ylim=(0, 100))
ax.set_title("Robust accuracy is in the band")
ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %%
# A band that stays wide calls for more time, another solver (lesson 10), or a network that is
# easier to certify (lesson 9); not for another way to count.
#
# Exercises
# ---------
# 1. A paper reports "92 % robust, mean time 58 s, limit 60 s". What do you ask its authors?
#
#    .. dropdown:: Hint
#
#       A mean so close to the limit says that most questions were not answered.
#
# 2. Double the limit up to 10 s. How many questions of the dense network does each doubling decide?
#
#    .. dropdown:: Hint
#
#       ``verify_all`` spends the time only where it is needed, so ask again about those images
#       whose ``status`` is "unknown" alone.
#
# 3. Switch the local search off with ``falsify=0``. Which of the three counts changes most?
#
#    .. dropdown:: Hint
#
#       The search finds adversarial images and proves nothing.
#
# What to try next
# ----------------
# ``bnnkit.assess.resistance_curve`` asks for many eps at once and keeps all three answers;
# ``bnnkit.plots.resistance`` draws them as bands.
