"""Measures of exact questions: verdicts, curves over eps, smallest eps, solvers."""

from dataclasses import asdict, dataclass, replace

import numpy as np

from bnnkit import assess, plots, verify_all
from bnnkit._checks import unit_floats
from bnnkit.assess._stored import Stored
from bnnkit.assess.measures import exact_networks
from bnnkit.attacks.models import exact_network, predict
from bnnkit.comparison import Comparison, Record, compare
from bnnkit.plots.style import labelled
from bnnkit.study.identity import asked
from bnnkit.study.wording import WORDINGS, asked_about, in_words
from bnnkit.verification.verdict import STATUSES


@dataclass(frozen=True, eq=False)
class Answers(Stored):
    """A `Comparison` of solvers that can be saved: its records as plain values."""

    timeout: float
    records: list

    @classmethod
    def of(cls, comparison):
        """From the Comparison."""
        return cls(comparison.timeout, [asdict(each) for each in comparison.records])

    @property
    def comparison(self):
        """The Comparison."""
        return Comparison(self.timeout, [Record(**each) for each in self.records])


def resistance(findings, laboratory, table):
    """Falsified, robust and unknown images over a list of eps."""
    wording = WORDINGS[table["question"]]
    findings.say(wording.sentence)
    curves = _curves(findings, laboratory, table)
    axes = in_words(plots.resistance(curves), wording)
    findings.picture(f"{wording.title}: verdicts over eps", "resistance", axes)
    findings.picture(f"{wording.title}: times", "times", plots.times(curves))
    _verdict_table(findings, laboratory, table, curves)


def eps_matrix(findings, laboratory, table):
    """The eps of training (rows) against the eps of judging (columns)."""
    wording = WORDINGS[table["question"]]
    findings.say(wording.sentence)
    curves = _curves(findings, laboratory, table)
    rows = {_trained_with(laboratory, name): curve for name, curve in curves.items()}
    title = wording.certified.capitalize()
    matrix = replace(assess.certified_matrix(rows), title=title, row_name="run")
    findings.picture(f"Proved: {wording.certified}", "certified", plots.heatmap(matrix))
    findings.table(f"Proved: {wording.certified}", "certified", *matrix.rows())
    _verdict_table(findings, laboratory, table, curves)
    pools = {name: laboratory.pool(name) for name in table["pools"]}
    if pools:
        matrix = _transferred(laboratory, table, pools)
        caption = "Transfer: right answers for images that were made for other networks"
        findings.picture(caption, "transfer", plots.heatmap(matrix))
        findings.table(caption, "transfer", *matrix.rows())


def minimal_eps(findings, laboratory, table):
    """The smallest eps that falsifies an image: every eps in one picture."""
    findings.say(WORDINGS["first"].sentence)
    found = {}
    for name in table["of"]:
        network = first_network(laboratory, name)
        found[name] = laboratory.kept(
            findings.folder / f"{name}.npz",
            assess.MinimalEpsilons,
            lambda network=network: assess.minimal_epsilons(
                network,
                *test_images(laboratory, table),
                solver=table["solver"],
                timeout=table["timeout"],
                n_jobs=laboratory.jobs,
                max_eps=table["max_eps"],
            ),
            [("runs", name)],
            **asked(table),
        )
    findings.picture("Smallest eps", "minimal-eps", plots.minimal_epsilons(found))
    header = ("run", "asked about", "images", "undecided", "median lower", "median upper")
    rows = [
        (
            *(name, _about(laboratory, name, {"question": "first"}), each.n),
            *(int((~each.decided).sum()), *each.median, float(each.seconds.sum())),
        )
        for name, each in found.items()
    ]
    findings.table("Medians", "medians", (*header, "seconds"), rows)


def white_box(findings, laboratory, table):
    """The same test images asked about again, with the models as they are at the end."""
    wording = WORDINGS[table["question"]]
    findings.say(wording.sentence)
    images, labels = test_images(laboratory, table)
    rows, found = [], {}
    for name in table["of"]:
        network, options = _asked(laboratory, name, table)
        verdicts = verify_all(network, images, labels, table["eps"], **options)
        findings.raw(name, verdicts)
        rows.append((name, _about(laboratory, name, table), *_counted(verdicts)))
        found[name] = verdicts
    header = ("run", "asked about", "images", wording.falsified, wording.robust, "unknown")
    header += (wording.clean, f"{wording.certified} %", f"{wording.vulnerable} %")
    header += ("mean s", "median s", "longest s")
    caption = f"{wording.title}: verdicts at eps {table['eps']:g}"
    findings.table(caption, "counts", header, rows)
    counts = [[verdicts.counts[status] for status in STATUSES] for verdicts in found.values()]
    ax = plots.by_class(assess.ByClass(table["of"], list(STATUSES), np.array(counts)))
    labelled(ax, f"{len(images)} test images, eps {table['eps']:g}", "", "% of images")
    findings.picture(caption, "counts", in_words(ax, wording))
    for name, verdicts in found.items():
        about = _about(laboratory, name, table)
        _sheet(findings, f"{name}, {about}: images that were found", name, verdicts, images, labels)


def solvers(findings, laboratory, table):
    """The same questions put to several solvers: how many does each answer in how much time?"""
    findings.say(WORDINGS["first"].sentence)
    for name in table["of"]:
        network = first_network(laboratory, name)
        answers = laboratory.kept(
            findings.folder / f"{name}.npz",
            Answers,
            lambda network=network: Answers.of(
                compare(
                    network,
                    *test_images(laboratory, table),
                    table["eps"],
                    table["solvers"],
                    timeout=table["timeout"],
                    falsify=table["falsify"],
                )
            ),
            [("runs", name)],
            **asked(table),
        )
        found = answers.comparison
        findings.picture(f"{name}: solvers", f"cactus-{name}", plots.cactus(found))
        header = ("solver", "questions", "answered", "mean s", "PAR-2 s", "fastest")
        rows = [
            (each.solver, each.questions, each.solved, each.mean, each.par2, each.wins)
            for each in found.summaries
        ]
        findings.table(f"{name}: solvers", f"solvers-{name}", header, rows)


def subject(laboratory, name, question):
    """What is asked about of a run, and with which question: the first model, or all."""
    trained = laboratory.run(name)
    if question == "first" or len(trained.models) == 1:
        return trained.models[0], {}
    return trained.model, {"question": question}


def first_network(laboratory, name):
    """The exact network of the first model of a run."""
    return exact_network(laboratory.run(name).models[0])


def found_by_change(verdicts):
    """The indices of verdicts with an adversarial image that is not the image itself."""
    return [i for i, v in enumerate(verdicts) if v.adversarial is not None and v.stage != "clean"]


def test_images(laboratory, table):
    """Images and labels that a measure asks about."""
    test = laboratory.data.test
    return test.images[: table["images"]], test.labels[: table["images"]]


def _asked(laboratory, name, table):
    """The exact network of a run, or all of them, and how `verify_all` is to ask."""
    model, question = subject(laboratory, name, table["question"])
    networks = exact_networks(model)
    network = networks if len(networks) > 1 else networks[0]
    return network, laboratory.limits(table) | question


def _about(laboratory, name, table):
    return asked_about(table["question"], laboratory.study["runs"][name]["k"])


def _curves(findings, laboratory, table):
    """The ResistanceCurve of each run."""
    curves = {}
    for name in table["of"]:
        network, options = _asked(laboratory, name, table)
        curves[name] = laboratory.kept(
            findings.folder / f"{name}.npz",
            assess.ResistanceCurve,
            lambda network=network, options=options: assess.resistance_curve(
                network, *test_images(laboratory, table), table["eps"], **options
            ),
            [("runs", name)],
            **asked(table, "pools"),
        )
    return curves


def _verdict_table(findings, laboratory, table, curves):
    """All verdicts of some curves, a row for each run and eps, in the words of the question."""
    wording = WORDINGS[table["question"]]
    header = next(iter(curves.values())).rows()[0]
    header = ("run", "asked about", *map(wording.renamed, header))
    rows = [
        (name, _about(laboratory, name, table), *row)
        for name, curve in curves.items()
        for row in curve.rows()[1]
    ]
    findings.table(f"{wording.title}: verdicts", "resistance", header, rows)


def _trained_with(laboratory, name):
    run = laboratory.study["runs"][name]
    return f"{name} (eps {run['eps']:g})" if run["rounds"] else f"{name} (no rounds)"


def _transferred(laboratory, table, pools):
    """Right answers of runs (rows) for pools (columns)."""
    counts = np.zeros((len(table["of"]), len(pools)), np.int64)
    n = np.zeros_like(counts)
    for r, name in enumerate(table["of"]):
        model, _ = subject(laboratory, name, table["question"])
        for c, pool in enumerate(pools.values()):
            counts[r, c] = (predict(model, pool.images) == pool.labels).sum()
            n[r, c] = len(pool)
    rows = [_trained_with(laboratory, name) for name in table["of"]]
    columns = [f"{name} ({pool.eps:g})" for name, pool in pools.items()]
    names = ("run", "pool (its eps)", rows, columns)
    return assess.Matrix("Accuracy on pools", *names, counts / n, n, *assess.wilson(counts, n))


def _counted(verdicts):
    found = assess.WhiteBox.of(verdicts)
    seconds = sorted(verdict.seconds for verdict in verdicts)
    return (
        *(found.n, found.falsified, found.robust, found.unknown, verdicts.misclassified),
        *(found.certified_accuracy, found.vulnerable),
        *(verdicts.seconds / found.n, seconds[len(seconds) // 2], seconds[-1]),
    )


def _sheet(findings, caption, name, verdicts, images, labels):
    """Images that were found, with the class that the question was about: see `Verdict`."""
    shown = found_by_change(verdicts)[:8]
    if shown:
        adversarial = np.stack([unit_floats(verdicts[i].adversarial) for i in shown])
        seen = [verdicts[i].predicted for i in shown]
        axes = plots.adversarial_sheet(images[shown], adversarial, labels[shown], seen)
        findings.picture(caption, f"sheet-{name}", axes)
