"""Measures to look at: images over eps, learned weights, how alike adversarial images are."""

import numpy as np

from bnnkit import assess, plots, verify_all
from bnnkit._checks import unit_floats
from bnnkit.attacks.models import exact_network
from bnnkit.robust.opponents import numbered
from bnnkit.study.identity import asked
from bnnkit.study.verdicts import first_network, found_by_change, test_images


def similarity(findings, laboratory, table):
    """In how many pixels the adversarial images of several networks for one image differ.

    Each network of each run is attacked alone. A pair is compared where both were fooled by a
    change; the row "original" says how many pixels were changed.
    """
    images, labels = test_images(laboratory, table)
    made, found = {"original": unit_floats(images)}, {}
    for name in table["of"]:
        models = laboratory.run(name).models
        for each, model in zip(numbered(name, len(models)), models, strict=True):
            limits = laboratory.limits(table)
            verdicts = verify_all(exact_network(model), images, labels, table["eps"], **limits)
            made[each], found[each] = _changed(verdicts, made["original"])
    matrix = assess.differences(made, found)
    findings.picture("Pixels that differ", "similarity", plots.heatmap(matrix))
    findings.table("Pixels that differ", "similarity", *matrix.rows())


def strip(findings, laboratory, table):
    """One test image attacked with growing eps; faded where no adversarial image was found."""
    test, index = laboratory.data.test, table["image"]
    limits = {name: table[name] for name in ("solver", "timeout", "falsify")}
    for name in table["of"]:
        network = first_network(laboratory, name)
        found = laboratory.kept(
            findings.folder / f"{name}.npz",
            assess.Strip,
            lambda network=network: assess.eps_strip(
                network, test.images[index], test.labels[index], table["eps"], **limits
            ),
            [("runs", name)],
            **asked(table),
        )
        caption = f"{name}: test image {index}, the first network attacked"
        findings.picture(caption, f"strip-{name}", plots.eps_strip(found))
        findings.table(caption, f"strip-{name}", *found.rows())


def weights(findings, laboratory, table):
    """Learned weights of the first network of each run: -1 dark, 0 grey, +1 bright."""
    for name in table["of"]:
        network = first_network(laboratory, name)
        axes = plots.weights(network, table["layer"])
        findings.picture(f"{name}: layer {table['layer']}", f"weights-{name}", axes)


def _changed(verdicts, originals):
    """The images that were found, else the originals; and where they were by a change."""
    images, found = originals.copy(), np.zeros(len(originals), dtype=bool)
    for i in found_by_change(verdicts):
        images[i] = unit_floats(verdicts[i].adversarial).reshape(images[i].shape)
        found[i] = True
    return images, found
