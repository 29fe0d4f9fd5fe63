"""Pictures of images: adversarial ones, strips, learned weights."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from bnnkit._checks import as_images, unit_floats
from bnnkit.assess import changes
from bnnkit.assess._radius import eps_text
from bnnkit.attacks.models import exact_network
from bnnkit.plots.style import LABEL, SIGNED, SMALL, TITLE, numbered

_LARGEST_SHEET = 8
_MOST_NEURONS = 32
_FADED = 0.3  # of an image that nothing was found for


def adversarial_sheet(originals, adversarial, labels, predicted):
    """Originals, differences and adversarial images under each other, with both classes.

    Parameters
    ----------
    originals, adversarial : array_like
        Images of the same shape, see `bnnkit.attacks`; the first eight are shown.
    labels, predicted : array_like
        Classes of the originals, and of the adversarial images to the network.

    Returns
    -------
    ndarray of matplotlib.axes.Axes, shape (3, n)
        Differences are magnified: grey is none, bright is more, dark is less, as the bar beside
        them says; of colour images each channel by itself.

    Examples
    --------
    >>> from bnnkit import datasets, plots
    >>> images = datasets.load("digits").test.images[:2]
    >>> axes = plots.adversarial_sheet(images, 255 - images, labels=[5, 0], predicted=[3, 8])
    >>> axes.shape
    (3, 2)
    """
    originals, adversarial = (
        unit_floats(as_images(images[:_LARGEST_SHEET])) for images in (originals, adversarial)
    )
    n = len(originals)
    axes = _grid(3, n)
    _difference_row(axes, axes[1], adversarial - originals)
    for i in range(n):
        _show(axes[0, i], originals[i], f"{labels[i]}")
        _show(axes[2, i], adversarial[i], f"seen as {predicted[i]}")
    _name_rows(axes, "original", "difference", "adversarial")
    axes[0, 0].figure.suptitle("Checked adversarial images", fontsize=TITLE)
    found = changes(originals, adversarial)
    columns = (labels[:n], predicted[:n], found.share.tolist(), found.linf.tolist())
    header = ("index", "label", "predicted", "share_changed", "largest_change")
    return numbered(axes, header, list(zip(range(n), *columns, strict=True)))


def eps_strip(strip):
    """The adversarial images of one image for a growing eps, and what they changed.

    Parameters
    ----------
    strip : bnnkit.assess.Strip

    Returns
    -------
    ndarray of matplotlib.axes.Axes, shape (2, K + 1)
        The original comes first; faded where there is no adversarial image.

    Examples
    --------
    A pixel that is class 0 up to 0.15, for three radii:

    >>> from bnnkit import assess, plots
    >>> from bnnkit.network import BinaryNetwork, Conv2d, Head
    >>> from bnnkit.quantiser import Quantiser
    >>> head = Head([[[[0]]], [[[1]]]], 1, [0, 0])
    >>> network = BinaryNetwork(Quantiser(0.1), [Conv2d([[[[1]]]], [2], [1])], head, (1, 1, 1))
    >>> axes = plots.eps_strip(assess.eps_strip(network, [[[0.0]]], 0, eps=[0.1, 0.2, 0.3]))
    >>> axes.shape
    (2, 4)
    """
    original = unit_floats(strip.original)
    axes = _grid(2, len(strip.values) + 1)
    _show(axes[0, 0], original, f"original: {strip.label}")
    axes[1, 0].set_axis_off()
    _difference_row(axes, axes[1, 1:], strip.images - original)
    _adversarial_row(axes[0, 1:], strip)
    for ax, value in zip(axes[0, 1:], strip.values, strict=True):
        ax.set_title(f"eps {eps_text(value)}\n{ax.get_title()}", fontsize=LABEL)
    _name_rows(axes[:, 1:], "adversarial", "difference")
    axes[0, 0].figure.suptitle("One image, growing eps", fontsize=TITLE)
    return numbered(axes, *strip.rows())


def quantisation_strip(strip):
    """One image as networks of several steps see it, and their adversarial images.

    Parameters
    ----------
    strip : bnnkit.assess.Strip
        Of ``study.strip(index)``.

    Returns
    -------
    ndarray of matplotlib.axes.Axes, shape (2, K + 1)
        The original comes first; faded where there is no adversarial image.

    Examples
    --------
    >>> from bnnkit import BNNClassifier, assess, datasets, plots
    >>> study = assess.quantisation_study(
    ...     lambda step: BNNClassifier("16", quant_step=step, epochs=3, random_state=0),
    ...     [0.25, 0.5], datasets.load("digits", limit=200), eps=0.05, n_images=3,
    ... )
    >>> plots.quantisation_strip(study.strip(0)).shape  # the original, and two steps
    (2, 3)
    """
    axes = _grid(2, len(strip.values) + 1)
    _show(axes[0, 0], unit_floats(strip.original), f"original: {strip.label}")
    axes[1, 0].set_axis_off()
    for ax, seen, value in zip(axes[0, 1:], strip.seen, strip.values, strict=True):
        _show(ax, seen, f"step {value}")
    _adversarial_row(axes[1, 1:], strip)
    _name_rows(axes[:, 1:], "behind the\nquantiser", "adversarial")
    axes[0, 0].figure.suptitle("One image, several quantisation steps", fontsize=TITLE)
    return numbered(axes, *strip.rows())


def weights(model, layer=0):
    """The weights of a layer: -1 dark, 0 grey, +1 bright, as the bar beside them says.

    Parameters
    ----------
    model : BinaryNetwork, or a fitted model with ``network_``
    layer : int
        Of the hidden layers with weights, from 0.

    Returns
    -------
    ndarray of matplotlib.axes.Axes
        Where a neuron reads an image (one channel, or three as red, green and blue), the 32
        neurons with most weights that are not 0, each as an image; else all weights as one
        picture with a row for each neuron.

    Examples
    --------
    >>> from bnnkit import plots, zoo
    >>> axes = plots.weights(zoo.load("mnist-mlp-eps0.1"))
    >>> axes.size, axes.flat[0].images[0].get_array().shape  # neurons, and what one of them reads
    (32, (28, 28))
    """
    network = exact_network(model)
    layers = [each for each in network.layers if hasattr(each, "weights")]
    if not 0 <= layer < len(layers):
        raise ValueError(f"layer must be from 0 to {len(layers) - 1}, got {layer}")
    found = layers[layer].weights.astype(np.float64)
    n_neurons, channels, height, _ = found.shape
    flat = found.reshape(n_neurons, -1)
    used = (flat != 0).sum(axis=1)
    if channels in (1, 3) and height > 1:
        shown = np.sort(np.argsort(-used, kind="stable")[:_MOST_NEURONS])
        axes = _neurons(found, shown)
        title = f"Weights of {len(shown)} of {n_neurons} neurons, layer {layer}"
    else:
        shown, channels = np.arange(n_neurons), 1
        axes = _weight_matrix(flat)
        title = f"Weights of layer {layer}"
    _colour_bar(axes, 1, channels, aspect=15 * len(axes))
    axes[0, 0].figure.suptitle(f"{title}: {(flat == 0).mean():.0%} are 0", fontsize=TITLE)
    rows = [(int(i), *flat[i].astype(int).tolist()) for i in shown]
    return numbered(axes, ("neuron", *range(flat.shape[1])), rows)


def _neurons(found, shown):
    columns = min(8, len(shown))
    axes = _grid(-(-len(shown) // columns), columns)
    for ax in axes.ravel()[len(shown) :]:
        ax.set_axis_off()
    for ax, i in zip(axes.ravel(), shown, strict=False):
        _show(ax, (found[i] + 1) / 2, f"{i}", SIGNED)
    return axes


def _weight_matrix(flat):
    figsize = (10, 5)
    _, axes = plt.subplots(figsize=figsize, layout="constrained", squeeze=False)
    axes[0, 0].imshow(flat, cmap=SIGNED, vmin=-1, vmax=1, aspect="auto", interpolation="nearest")
    axes[0, 0].set_xlabel("input", fontsize=LABEL)
    axes[0, 0].set_ylabel("neuron", fontsize=LABEL)
    axes[0, 0].tick_params(labelsize=SMALL)
    return axes


def _grid(rows, columns):
    """Axes for small images: an array (rows, columns)."""
    figsize = (1.6 * columns + 1.2, 1.75 * rows + 0.5)
    return plt.subplots(rows, columns, figsize=figsize, layout="constrained", squeeze=False)[1]


def _name_rows(axes, *names):
    for ax, name in zip(axes[:, 0], names, strict=True):
        ax.set_ylabel(name, fontsize=LABEL)


def _difference_row(axes, row, difference):
    """Draw differences (K, C, H, W), magnified alike, in row 1 of `axes`, and name the colours."""
    largest = max(float(np.abs(difference).max()), 1e-9)
    for ax, each in zip(row, difference, strict=True):
        _show(ax, each / (2 * largest) + 0.5, "", SIGNED)
    beside = {"shrink": 0.85 / len(axes), "anchor": (0, 0.5 if len(axes) == 3 else 0.05)}
    _colour_bar(axes, largest, difference.shape[1], aspect=12, **beside)


def _colour_bar(axes, largest, channels=1, **place):
    """Say which colours are -largest, 0 and +largest; of colour images each channel is a grey."""
    colours = ScalarMappable(Normalize(-largest, largest), "gray" if channels == 3 else SIGNED)
    place |= {"ax": axes.ravel().tolist(), "pad": 0.01, "ticks": [-largest, 0, largest]}
    bar = axes[0, 0].figure.colorbar(colours, **place)
    bar.ax.set_yticklabels([f"-{largest:.2g}", "0", f"+{largest:.2g}"], fontsize=SMALL)


def _adversarial_row(axes, strip):
    for i, ax in enumerate(axes):
        found = strip.status[i] == "falsified"
        said = f"seen as {strip.predicted[i]}" if found else strip.status[i]
        image = strip.images[i]
        _show(ax, image if found else 1 - _FADED * (1 - image), said)


def _show(ax, image, title, colours="gray"):
    """Draw one image (C, H, W) with values in [0, 1]: grey, or colour for three channels."""
    picture = image.transpose(1, 2, 0) if len(image) == 3 else image[0]
    ax.imshow(picture, cmap=colours, vmin=0, vmax=1, interpolation="nearest")
    ax.set_title(title, fontsize=LABEL)
    ax.set_xticks([])
    ax.set_yticks([])
