"""Minutes of training, and what is drawn over them."""

import contextlib
import itertools


def minutes(history):
    """Minutes from the start of a training to the end of each of its epochs."""
    return list(itertools.accumulate(record["seconds"] / 60 for record in history))


@contextlib.contextmanager
def picture(path, title, ylabel):
    """Axes to draw on over minutes of training; saved as `path` when the block ends."""
    from bnnkit.plots import plt

    _, ax = plt.subplots(figsize=(8, 5), layout="constrained")
    yield ax
    ax.set_xlabel("minutes of training", fontsize=13)
    ax.set_ylabel(ylabel, fontsize=13)
    ax.set_title(title, fontsize=15)
    ax.legend(fontsize=12)
    ax.figure.savefig(path, dpi=120)
    plt.close(ax.figure)
