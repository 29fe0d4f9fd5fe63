"""
15. Scaling out
===============

A question takes milliseconds or hours, and an experiment has thousands of them. They do not
depend on each other, so they can be answered at the same time: by several processes of one
machine, or by the machines of a cluster. What must not happen is that a crash in the night loses
what was answered in the evening.
"""

# %%
# The questions
# -------------
# A network that is neither dense nor very sparse, and all test images.

import tempfile
import time
from pathlib import Path

import joblib
import matplotlib.pyplot as plt
import numpy as np
from distributed import Client

import bnnkit
from bnnkit.nn import PGDTraining

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
question = (network, data.test.images, data.test.labels, 0.1)
temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name)

# %%
# One process
# -----------
# ``iter_verdicts`` yields each verdict when it is known, so a program can watch. Here it notes
# the time.


def watch(**options):
    """Verdicts by their index, and the seconds after which each of them was there."""
    started, found, times = time.perf_counter(), {}, []
    for index, verdict in bnnkit.campaign.iter_verdicts(*question, timeout=1, **options):
        found[index] = verdict.status
        times.append(time.perf_counter() - started)
    return found, times


runs = {"1 process": watch()}

# %%
# Two processes, and a file
# -------------------------
# With ``n_jobs`` child processes answer, in batches. With ``store`` each verdict is written to a
# file, an SQLite database, before it is handed out. So a program that is killed loses the
# questions that it was working on, and no more.

store = folder / "run.sqlite"
runs["2 processes, with a store"] = watch(n_jobs=2, store=store)

# %%
# Now a program that ends in the middle: the loop is left after 200 verdicts. The same call
# afterwards finds these in the file, and asks only for the others.

half = folder / "half.sqlite"
for count, _ in enumerate(bnnkit.campaign.iter_verdicts(*question, timeout=1, store=half), start=1):
    if count == 200:
        break
runs["second half of a run"] = watch(store=half)

# %%
# A cluster
# ---------
# joblib hands the batches to whatever ``parallel_config`` names. Dask [1]_ has a scheduler, which
# knows the workers, and workers on any number of machines. Here two of them live in this very
# program, so that the lesson needs no network; ``Client("address:8786")`` is all that changes for
# a real cluster.
#
# .. [1] M. Rocklin, *Dask: parallel computation with blocked algorithms and task scheduling*,
#    SciPy 2015.

with (
    Client(processes=False, n_workers=2, threads_per_worker=1, dashboard_address=None),
    joblib.parallel_config("dask"),
):
    runs["Dask, 2 workers"] = watch()

statuses = [found for found, _ in runs.values()]
differ = [i for i in statuses[0] if len({found[i] for found in statuses} - {"unknown"}) > 1]
print("answers that contradict each other:", differ)
print(
    {
        status: list(statuses[0].values()).count(status)
        for status in sorted(set(statuses[0].values()))
    }
)

# %%
# Every run gives the same answers: what is proved does not depend on who proves it. (Only
# "unknown" can change, where time runs out.) The lines show when the answers came; the flat
# beginning is the start of child processes, a second or more each, which pays off for longer runs
# than this one.

figure, (left, right) = plt.subplots(1, 2, figsize=(13, 4.5), layout="constrained")
for (name, (_, times)), style in zip(runs.items(), ("-", "--", ":", "-."), strict=True):
    left.plot(times, range(1, len(times) + 1), style, linewidth=2.5, label=name)
left.set(title="Answers over time", xlabel="seconds", ylabel=f"of {len(question[1])} questions")
left.legend()

verdicts = bnnkit.verify_all(*question, timeout=1, store=store)  # all from the file
seconds = np.sort([verdict.seconds for verdict in verdicts])[::-1]
right.plot(
    100 * np.arange(1, len(seconds) + 1) / len(seconds), 100 * np.cumsum(seconds) / seconds.sum()
)
right.set(title="A few questions take most of the time", xlabel="% of the questions")
right.set_ylabel("% of the time")
plt.show()
share = seconds[: len(seconds) // 100].sum() / seconds.sum()
print(f"the hardest hundredth of the questions took {share:.0%} of the time")
temporary.cleanup()

# %%
# The right picture matters when you plan: ten questions may have none of the hardest hundredth
# among them, and their mean then misses the share of the time that is printed above. It is also
# why batches are small: nobody shall wait for the worker who has drawn the hard ones.
#
# Exercises
# ---------
# 1. How long would 10,000 such questions take on 2, 16 and 128 cores? What else must you know?
#
#    .. dropdown:: Hint
#
#       ``verdicts.seconds`` is the time of all. No run is shorter than its longest question, or
#       than what the caller's process needs to hand out the questions: ``docs/scaling.md`` has
#       measured it.
#
# 2. Start this as a program, press Ctrl-C in the middle of a run with a store, and call again.
#
#    .. dropdown:: Hint
#
#       The message of the KeyboardInterrupt says what is in the file. ``bnnkit campaign`` has
#       commands that look into a store.
#
# 3. Set ``memory_limit=2**30``. Which answers change, and why is none of them wrong?
#
#    .. dropdown:: Hint
#
#       A process that may not take more memory ends over its question, which is then "unknown",
#       with the stage "lost" and the reason.
#
# What to try next
# ----------------
# The end of the course. Take a question of your own, such as a network of lesson 14's layer, or
# the exercise that you left out, and ask it of all test images.
