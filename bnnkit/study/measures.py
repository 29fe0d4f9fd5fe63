"""The measures of a study: each kind fills `Findings` from the laboratory and its table."""

import re
from dataclasses import replace

import numpy as np

from bnnkit import assess, plots
from bnnkit.attacks.models import predict
from bnnkit.robust.opponents import as_one, numbered
from bnnkit.study import looking, parts, verdicts
from bnnkit.study.comparing import comparison
from bnnkit.study.identity import asked
from bnnkit.study.wording import WORDINGS, in_words

_ATTACKED = {  # whom an attack is against: what is in its pool, and what is left out of it
    "all": (
        "Images for which all {k} networks choose the same wrong class; their originals are given "
        "their label by every one.",
        "left out: at least one network is wrong as it is",
    ),
    "vote": (
        "Images that the vote of {k} networks gets wrong; their originals it gets right.",
        "left out: the vote is wrong as it is",
    ),
    "each": (
        "Images that the first network gets wrong; their originals it gets right.",
        "left out: the network is wrong as it is",
    ),
}
_PARTS = ("attack", "fit", "judge")
_SECONDS = tuple(f"{part} s" for part in _PARTS)


def run(findings, laboratory, name):
    """A row for each round of training, and its pictures.

    Of several networks "clean" and a judge's name are about their vote (of a joint judge: about
    all choosing the same wrong class), and the names with [0] and so on about one of them.
    """
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
            axes = _worded(plots.rounds(history, judge), judge)
            findings.picture(f"Judged by {judge}", f"judged-by-{_file(judge)}", axes)
        findings.picture("Time", "times", plots.round_times(history))


def pool(findings, laboratory, name):
    """How a pool was made, and some of its images.

    The seconds are those of the process that finished it.
    """
    found = laboratory.pool(name)
    table = laboratory.study["pools"][name]
    models = laboratory.run(table["run"]).models
    several = len(models) > 1
    about, fooled = _ATTACKED[parts.AGAINST.get(table["attack"], "each") if several else "each"]
    findings.say(about.format(k=len(models)))
    header = ("images", "tried", fooled, "undecided", "eps", "seconds")
    row = (len(found), found.n_tried, found.n_wrong, found.n_undecided, found.eps, found.seconds)
    findings.table("How it was made", "pool", header, [row])
    findings.table("What was changed", "changes", *_changes(found.originals, found.images))
    attacked = as_one(models) if parts.AGAINST.get(table["attack"]) else models[0]
    seen = predict(attacked, found.images[:8])
    axes = plots.adversarial_sheet(found.originals[:8], found.images[:8], found.labels[:8], seen)
    findings.picture("The first images", "sheet", axes)


def rounds(findings, laboratory, table):
    """Several runs, round by round, in one picture for each judge.

    Of several networks, shares are about their vote, and about each of them in "mean of the
    networks"; a joint judge counts images for which all choose the same wrong class.
    """
    histories = {name: laboratory.run(name).history for name in table["of"]}
    judges = [table["judge"]] if table["judge"] else _common_judges(histories.values())
    for judge in judges:
        axes = _worded(plots.runs(histories, judge), judge)
        findings.picture(f"Judged by {judge}", f"runs-{_file(judge)}", axes)
    header = ("run", "networks", "rounds", "clean first", "clean last", "judge", "first", "second")
    header += ("last", "last, mean of the networks")
    rows = []
    for name, history in histories.items():
        for judge in judges:
            shares = [each.judged[judge].share for each in history.rounds]
            clean = [each.clean_accuracy for each in history.rounds]
            ends = (shares[0], shares[1] if len(shares) > 1 else "", shares[-1])
            ends = (clean[0], clean[-1], judge, *ends, _mean_of_networks(history, judge))
            rows.append((name, history.settings["n_models"], len(shares) - 1, *ends))
    findings.table("First and last rounds", "ends", header, rows)
    seconds = [
        (name, *(sum(each.seconds[part] for each in history.rounds) for part in _PARTS))
        for name, history in histories.items()
    ]
    findings.table("Seconds in all", "seconds", ("run", *_PARTS), seconds)


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
                    [("runs", name)],
                    **{**asked(table), "eps": eps},
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

    each = [
        laboratory.kept(
            findings.folder / f"step-{step:g}.npz",
            assess.QuantisationStudy,
            lambda step=step: assess.quantisation_study(
                make_model,
                [step],
                laboratory.data,
                table["eps"],
                table["images"],
                **laboratory.limits(table),
            ),
            [("models", table["model"])],
            **{**asked(table, "model"), "steps": step},
        )
        for step in table["steps"]
    ]
    study = _joined(each)
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


KINDS = {
    "rounds": rounds,
    "resistance": verdicts.resistance,
    "minimal-eps": verdicts.minimal_eps,
    "white-box": verdicts.white_box,
    "eps-matrix": verdicts.eps_matrix,
    "transfer": transfer,
    "quantisation": quantisation,
    "classes": classes,
    "comparison": comparison,
    "similarity": looking.similarity,
    "strip": looking.strip,
    "weights": looking.weights,
    "solvers": verdicts.solvers,
}


def _common_judges(histories):
    """The judges of all runs, without those of single models of several."""
    judges = [list(history.rounds[0].judged) for history in histories]
    return [name for name in judges[0] if "[" not in name and all(name in each for each in judges)]


def _worded(axes, judge):
    """A picture of what a judge said, in the words of its question where that is about several."""
    return in_words(axes, WORDINGS[judge]) if judge in ("joint", "vote") else axes


def _mean_of_networks(history, judge):
    """The share of a judge in the last round, of each of several networks: their mean, or ""."""
    judged = history.rounds[-1].judged
    names = numbered(judge, history.settings["n_models"])
    if len(names) == 1 or names[0] not in judged:
        return ""
    return float(np.mean([judged[name].share for name in names]))


def _joined(studies):
    """The QuantisationStudy of all steps from one for each."""
    rows = ("right", "status", "stage", "seconds", "fit_seconds", "adversarial", "predicted")
    columns = {name: np.concatenate([getattr(each, name) for each in studies]) for name in rows}
    return replace(studies[0], steps=[each.steps[0] for each in studies], **columns)


def _changes(originals, adversarial):
    found = assess.changes(originals, adversarial)
    header = ("figure", "mean", "least", "median", "most")
    rows = [
        (name, *(float(of(getattr(found, name))) for of in (np.mean, np.min, np.median, np.max)))
        for name in ("share", "l0", "l1", "l2", "linf")
    ]
    return header, rows


def _file(name):
    """A name that can be part of a file's."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", name)
