"""Pictures that commands write, atomically and without a display."""

import numpy as np


def write_figure(path, ax):
    """Write the figure of `ax` to `path`, and its numbers beside it; close the figure."""
    from bnnkit import plots

    plots.save(ax, path)
    plots.plt.close(ax.figure)


def write_sheet(path, network, images, adversarial, labels):
    """Write a sheet of those adversarial images that differ from `images`; if none do, nothing."""
    from bnnkit import plots
    from bnnkit._checks import unit_floats

    shown = np.flatnonzero((unit_floats(images) != adversarial).any(axis=(1, 2, 3)))
    if not len(shown):
        return
    predicted = network.predict(adversarial[shown])
    axes = plots.adversarial_sheet(images[shown], adversarial[shown], labels[shown], predicted)
    write_figure(path, axes[0, 0])
