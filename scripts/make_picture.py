"""Draw a digit, its exact smallest adversarial change, and what comes of it.

python scripts/make_picture.py docs/_static/smallest-change.png
"""

import sys

import matplotlib.pyplot as plt

import bnnkit

INDEX = 22  # of the test images


def main(path):
    """Train the network of the README, find the change, draw three panels."""
    data = bnnkit.datasets.load("digits")
    classifier = bnnkit.BNNClassifier(
        "64", quant_step=0.3, epochs=40, mask_decay=1e-3, random_state=0
    )
    network = classifier.fit(data.train.images, data.train.labels).network_
    image, label = data.test.images[INDEX], data.test.labels[INDEX]
    smallest = bnnkit.minimal_epsilon(network, image, label)
    if not smallest.exact:
        raise SystemExit(f"not exact: {smallest}")
    wrong = network.predict(smallest.adversarial[None])[0]
    clean, adversarial = image[0] / 255, smallest.adversarial[0]

    figure, axes = plt.subplots(1, 3, figsize=(8, 3), layout="constrained")
    limit = smallest.upper
    panels = (
        (clean, {"cmap": "gray_r", "vmin": 0, "vmax": 1}, f"read as {label}"),
        (
            adversarial - clean,
            {"cmap": "PuOr", "vmin": -limit, "vmax": limit},
            f"at most {limit:.3f} a pixel",
        ),
        (adversarial, {"cmap": "gray_r", "vmin": 0, "vmax": 1}, f"read as {wrong}"),
    )
    for axis, (pixels, style, title) in zip(axes, panels, strict=True):
        shown = axis.imshow(pixels, **style)
        axis.set_title(title)
        axis.set(xticks=[], yticks=[])
        if style["cmap"] == "PuOr":
            figure.colorbar(shown, ax=axis, ticks=[-limit, 0, limit], format="%+.3f", shrink=0.8)
    figure.suptitle(
        "No smaller change of the pixels fools this network: that is proved", y=0.02, va="bottom"
    )
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main(*sys.argv[1:])
