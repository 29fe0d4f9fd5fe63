"""Certified accuracy over minutes of training: one recipe, several budgets.

    python benchmarks/robust_curve.py NAME --epochs 5 10 20 40 80 [--data-home DIR] [--jobs 2]
                                           [--folder runs/curve]

Each budget is a run of its own from the first epoch to the last: the learning rate decays to 0
and the radius grows over all epochs, so that a checkpoint in the middle of a long run is not what
a short run gives. Verifies all test images with each network, and writes FOLDER/NAME.csv and
FOLDER/NAME.png; runs that were interrupted go on.
"""

import argparse
import csv
import io
import json
from dataclasses import replace
from pathlib import Path

from robust_evaluation import certify
from robust_minutes import minutes, picture
from robust_recipes import RECIPES, train
from robust_table import PUBLISHED

from bnnkit import datasets
from bnnkit._files import write_text
from bnnkit.zoo.cards import radius_text


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=RECIPES, metavar="NAME")
    parser.add_argument("--epochs", type=int, nargs="+", required=True, help="the budgets")
    parser.add_argument("--data-home", metavar="DIR")
    parser.add_argument("--folder", type=Path, default=Path("runs/curve"), metavar="DIR")
    parser.add_argument("--jobs", type=int, default=2, help="processes that verify")
    options = parser.parse_args()
    recipe = RECIPES[options.name]
    data = datasets.load(recipe.dataset, data_home=options.data_home)
    rows = []
    for epochs in sorted(options.epochs):
        run = options.folder / f"{options.name}-{epochs}"
        rows.append(measure(with_epochs(recipe, epochs), data, run, options.jobs))
        print(json.dumps(rows[-1]), flush=True)
        write_text(options.folder / f"{options.name}.csv", as_csv(rows))
    title = f"{options.name}: {len(data.test)} test images, eps {radius_text(recipe.eps)}"
    draw(rows, title, options.folder / f"{options.name}.png", PUBLISHED.get(options.name))


def with_epochs(recipe, epochs):
    """The same recipe with another budget."""
    return replace(recipe, settings=recipe.settings | {"epochs": epochs})


def measure(recipe, data, folder, jobs):
    """Train and verify; a row of the table."""
    classifier = train(recipe, data, folder)
    verdicts = certify(classifier.network_, data.test, recipe.eps, jobs)
    return {
        "epochs": recipe.settings["epochs"],
        "minutes": minutes(classifier.history_)[-1],
        "clean": (len(verdicts) - verdicts.misclassified) / len(verdicts),
        "certified": verdicts.certified_accuracy,
        **verdicts.counts,
    }


def as_csv(rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def draw(rows, title, path, published=None):
    """Clean and certified accuracy over minutes, and the published certified one, as a picture."""
    from bnnkit.plots import COLOURS

    x = [row["minutes"] for row in rows]
    with picture(path, title, "% of test images") as ax:
        for name, colour in (("clean", COLOURS["clean"]), ("certified", COLOURS["robust"])):
            ax.plot(x, [100 * row[name] for row in rows], "o-", color=colour, label=name)
        if published is not None:
            line = {"color": COLOURS["unknown"], "linestyle": "--"}
            ax.axhline(published.certified, **line, label="certified, published")
        ax.set(xscale="log", ylim=(None, 100))
        ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_formatter("{x:g}")


if __name__ == "__main__":
    main()
