"""The measures of a study: each kind fills `Findings` from the laboratory and its table."""

import re

import numpy as np

from bnnkit import assess, attacks, plots, verify_all
from bnnkit._checks import unit_floats
from bnnkit.assess.measures import exact_networks
from bnnkit.attacks.models import exact_network, predict, predict_clean
from bnnkit.study import parts
from bnnkit.verification.verdict import STATUSES

_PARTS = ("attack", "fit", "judge")
_SECONDS = tuple(f"{part} s" for part in _PARTS)


def run(findings, laboratory, name):
    """A row for each round of training, and its pictures."""
    history = laboratory.run(name).history
    judges = list(history.rounds[0].judged)
    header = ("round", "images", "added", "tried", "undecided", "clean", *judges, *_SECONDS)
    rows = [
        (
            *(each.index, each.n_train, each.n_added, each.n_attacked, each.n_undecided),
            *(each.clean_accuracy, *(each.judged[judge].share for judge in judges)),
            *(each.seconds[part] for part in _PARTS),
        )
        for each in history.rounds
    ]
    findings.table("Rounds", "rounds", header, rows)
    if len(history.rounds) > 1:
        for judge in _common_judges([history]):
            axes = plots.rounds(history, judge)
            findings.picture(f"Judged by {judge}", f"judged-by-{_file(judge)}", axes)
        findings.picture("Time", "times", plots.round_times(history))


def pool(findings, laboratory, name):
    """How a pool was made, and some of its images."""
    found = laboratory.pool(name)
    header = ("images", "tried", "wrong as they are", "undecided", "eps", "seconds")
    row = (len(found), found.n_tried, found.n_wrong, found.n_undecided, found.eps, found.seconds)
    findings.table("How it was made", "pool", header, [row])
    findings.table("What was changed", "changes", *_changes(found.originals, found.images))
    source = laboratory.run(laboratory.study["pools"][name]["run"]).models[0]
    seen = predict(source, found.images[:8])
    axes = plots.adversarial_sheet(found.originals[:8], found.images[:8], found.labels[:8], seen)
    findings.picture("The first images", "sheet", axes)


def rounds(findings, laboratory, table):
    """Several runs, round by round, in one picture for each judge."""
    histories = {name: laboratory.run(name).history for name in table["of"]}
    judges = [table["judge"]] if table["judge"] else _common_judges(histories.values())
    for judge in judges:
        axes = plots.runs(histories, judge)
        findings.picture(f"Judged by {judge}", f"runs-{_file(judge)}", axes)
    header = ("run", "rounds", "clean first", "clean last", "judge", "first", "second", "last")
    rows = []
    for name, history in histories.items():
        for judge in judges:
            shares = [each.judged[judge].share for each in history.rounds]
            clean = [each.clean_accuracy for each in history.rounds]
            ends = (shares[0], shares[1] if len(shares) > 1 else "", shares[-1])
            rows.append((name, len(shares) - 1, clean[0], clean[-1], judge, *ends))
    findings.table("First and last rounds", "ends", header, rows)
    seconds = [
        (name, *(sum(each.seconds[part] for each in history.rounds) for part in _PARTS))
        for name, history in histories.items()
    ]
    findings.table("Seconds in all", "seconds", ("run", *_PARTS), seconds)


def resistance(findings, laboratory, table):
    """Falsified, robust and unknown images over a list of eps."""
    curves = {}
    for name in table["of"]:
        asked, options = _asked(laboratory, name, table)
        curves[name] = laboratory.kept(
            findings.folder / f"{name}.npz",
            assess.ResistanceCurve,
            lambda asked=asked, options=options: assess.resistance_curve(
                asked, *_test(laboratory, table), table["eps"], **options
            ),
        )
    findings.picture("Verdicts over eps", "resistance", plots.resistance(curves))
    findings.picture("Times", "times", plots.times(curves))
    header = ("run", *next(iter(curves.values())).rows()[0])
    rows = [(name, *row) for name, curve in curves.items() for row in curve.rows()[1]]
    findings.table("Verdicts", "resistance", header, rows)


def minimal_eps(findings, laboratory, table):
    """The smallest eps that falsifies an image: every eps in one picture."""
    found = {}
    for name in table["of"]:
        network = exact_network(laboratory.run(name).models[0])
        found[name] = laboratory.kept(
            findings.folder / f"{name}.npz",
            assess.MinimalEpsilons,
            lambda network=network: assess.minimal_epsilons(
                network,
                *_test(laboratory, table),
                solver=table["solver"],
                timeout=table["timeout"],
                n_jobs=laboratory.jobs,
                max_eps=table["max_eps"],
            ),
        )
    findings.picture("Smallest eps", "minimal-eps", plots.minimal_epsilons(found))
    header = ("run", "images", "undecided", "median lower", "median upper", "seconds")
    rows = [
        (name, each.n, int((~each.decided).sum()), *each.median, float(each.seconds.sum()))
        for name, each in found.items()
    ]
    findings.table("Medians", "medians", header, rows)


def white_box(findings, laboratory, table):
    """The same test images asked about again, with the models as they are at the end."""
    images, labels = _test(laboratory, table)
    rows, sheets, counts = [], {}, []
    for name in table["of"]:
        asked, options = _asked(laboratory, name, table)
        verdicts = verify_all(asked, images, labels, table["eps"], **options)
        findings.raw(name, verdicts)
        found = assess.WhiteBox.of(verdicts)
        seconds = sorted(verdict.seconds for verdict in verdicts)
        rows.append(
            (
                *(name, found.n, found.falsified, found.robust, found.unknown),
                *(verdicts.misclassified, found.certified_accuracy, found.vulnerable),
                *(verdicts.seconds / found.n, seconds[len(seconds) // 2], seconds[-1]),
            )
        )
        counts.append([verdicts.counts[status] for status in STATUSES])
        sheets[name] = verdicts
    header = ("run", "images", "falsified", "robust", "unknown", "wrong as they are")
    header += ("certified %", "vulnerable %", "mean s", "median s", "longest s")
    findings.table(f"Verdicts at eps {table['eps']:g}", "counts", header, rows)
    ax = plots.by_class(assess.ByClass(table["of"], list(STATUSES), np.array(counts)))
    ax.set(
        title=f"{len(images)} test images, eps {table['eps']:g}", xlabel="", ylabel="% of images"
    )
    findings.picture("Verdicts", "counts", ax)
    for name, verdicts in sheets.items():
        _sheet(findings, name, laboratory.run(name).models[0], verdicts, images, labels)


def transfer(findings, laboratory, table):
    """Adversarial images of each source, shown to each target."""
    pools = []
    for name in table["sources"]:
        for eps in table["eps"]:
            pools.append(
                laboratory.kept(
                    findings.folder / f"{name}-{eps:g}.npz",
                    assess.AdversarialPool,
                    lambda name=name, eps=eps: laboratory.attacked(
                        name,
                        laboratory.run(name).models,
                        {**table, "eps": eps},
                        laboratory.data.train,
                        table["size"],
                    ),
                )
            )
    targets = {name: laboratory.run(name).model for name in table["targets"]}
    found = assess.transfer_matrix(targets, pools)
    for eps in found.eps:
        axes = plots.heatmap(found.matrix(eps))
        findings.picture(f"eps {eps:g}", f"transfer-{eps:g}", axes)
    findings.table("Fooled targets", "transfer", *found.rows())
    header = ("source", "eps", "found", "tried", "undecided", "seconds")
    rows = [(p.source, p.eps, len(p), p.n_tried, p.n_undecided, p.seconds) for p in pools]
    findings.table("The images of each source", "sources", header, rows)


def quantisation(findings, laboratory, table):
    """The same recipe with several widths of an input level."""
    model = laboratory.study["models"][table["model"]]
    seed = laboratory.study["seed"]

    def make_model(step):
        return parts.model_maker({**model, "quant_step": step}, laboratory.n_classes, seed)()

    study = laboratory.kept(
        findings.folder / "study.npz",
        assess.QuantisationStudy,
        lambda: assess.quantisation_study(
            make_model,
            table["steps"],
            laboratory.data,
            table["eps"],
            table["images"],
            **laboratory.limits(table),
        ),
    )
    findings.picture("Accuracy, verdicts and times", "quantisation", plots.quantisation(study))
    axes = plots.heatmap(study.differences())
    findings.picture("How adversarial images differ", "differences", axes)
    most = int(study.found.sum(axis=0).argmax())
    findings.picture("One image", "strip", plots.quantisation_strip(study.strip(most)))
    findings.table("Steps", "steps", *study.rows())


def classes(findings, laboratory, table):
    """Right answers for the images of pools, class by class."""
    pools = {name: laboratory.pool(name) for name in table["pools"]}
    for pool_name, each in pools.items():
        tables = {}
        for name in table["of"]:
            right = predict(laboratory.run(name).model, each.images) == each.labels
            tables[name] = assess.by_class(right, each.labels, laboratory.data.classes)
        caption = f"Right answers for {pool_name}"
        findings.picture(caption, f"classes-{pool_name}", plots.by_class(tables))
        header = ("run", *next(iter(tables.values())).rows()[0])
        rows = [(name, *row) for name, found in tables.items() for row in found.rows()[1]]
        findings.table(caption, f"classes-{pool_name}", header, rows)


def comparison(findings, laboratory, table):
    """Several runs, several measures, in one table."""
    pools = {name: laboratory.pool(name) for name in table["pools"]}
    made = {"pgd": attacks.PGD(random_state=0), "noise": attacks.RandomNoise(random_state=0)}
    made["fgsm"] = attacks.FGSM()
    found = {}
    for name in table["of"]:
        model, question = _subject(laboratory, name, table["question"])
        found[name] = assess.measure(
            model,
            *_test(laboratory, table),
            eps=table["eps"],
            pools=pools,
            attacks={each: made[each] for each in table["attacks"]},
            **laboratory.limits(table),
            **question,
        )
        found[name]["clean accuracy"] = assess.accuracy(
            predict_clean(model, laboratory.data.test.images), laboratory.data.test.labels
        )
    overview = assess.Overview(found)
    findings.table("All measures", "measures", *overview.rows())
    header, rows = _crossed(overview)
    findings.table("In short (95 % intervals in brackets)", "overview", header, rows)


KINDS = {
    "rounds": rounds,
    "resistance": resistance,
    "minimal-eps": minimal_eps,
    "white-box": white_box,
    "transfer": transfer,
    "quantisation": quantisation,
    "classes": classes,
    "comparison": comparison,
}


def _common_judges(histories):
    """The judges of all runs, without those of single models of several."""
    judges = [list(history.rounds[0].judged) for history in histories]
    return [name for name in judges[0] if "[" not in name and all(name in each for each in judges)]


def _test(laboratory, table):
    test = laboratory.data.test
    return test.images[: table["images"]], test.labels[: table["images"]]


def _subject(laboratory, name, question):
    """What is asked about of a run, and with which question: the first model, or all."""
    trained = laboratory.run(name)
    if question == "first" or len(trained.models) == 1:
        return trained.models[0], {}
    return trained.model, {"question": question}


def _asked(laboratory, name, table):
    """The exact network of a run, or all of them, and how `verify_all` is to ask."""
    model, question = _subject(laboratory, name, table["question"])
    networks = exact_networks(model)
    asked = networks if len(networks) > 1 else networks[0]
    return asked, laboratory.limits(table) | question


def _sheet(findings, name, model, verdicts, images, labels):
    shown = [i for i, v in enumerate(verdicts) if v.adversarial is not None and v.stage != "clean"]
    shown = shown[:8]
    if shown:
        adversarial = np.stack([unit_floats(verdicts[i].adversarial) for i in shown])
        seen = predict(model, adversarial)
        axes = plots.adversarial_sheet(images[shown], adversarial, labels[shown], seen)
        findings.picture(f"{name}: images that were found", f"sheet-{name}", axes)


def _changes(originals, adversarial):
    found = assess.changes(originals, adversarial)
    header = ("figure", "mean", "least", "median", "most")
    rows = [
        (name, *(float(of(getattr(found, name))) for of in (np.mean, np.min, np.median, np.max)))
        for name in ("share", "l0", "l1", "l2", "linf")
    ]
    return header, rows


def _crossed(overview):
    rows = [
        (measure, *("-" if each.get(measure) is None else str(each[measure]) for each in found))
        for measure in overview.measures
        for found in [list(overview.models.values())]
    ]
    return ("measure", *overview.models), rows


def _file(name):
    """A name that can be part of a file's."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", name)
