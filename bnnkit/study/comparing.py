"""The measure `comparison`: several runs and several measures in one table."""

import numpy as np

from bnnkit import assess
from bnnkit.attacks.models import predict, predict_clean
from bnnkit.study import parts
from bnnkit.study.verdicts import subject, test_images
from bnnkit.study.wording import WORDINGS, asked_about


def comparison(findings, laboratory, table):
    """Several runs, several measures, in one table.

    A column's head says who is measured: the single network of a run, its first one, or the vote
    of all. All rows of a column are about these, but "mean of the networks", where each of
    several is measured by itself. Certified accuracy is proved; accuracy under an attack, and on
    a pool, are not, and images without an answer in time are never counted as right. "Vulnerable"
    is between what is falsified and that plus what is unknown.

    With p the softmax of a network's scores and y the label, absolute robustness is the mean of
    1 - |p_y - max p| over the images, ratio that of max p / (1 - p_y), inverse ratio that of
    p_y / (1 - max p). Denominators below 2^-24 count as 2^-24 ("guarded"). A vote has no scores:
    what is shown is the mean over its networks. Of a single network the brackets are 95 %
    bootstrap intervals.
    """
    pools = {name: laboratory.pool(name) for name in table["pools"]}
    test, found = laboratory.data.test, {}
    for name in table["of"]:
        model, question = subject(laboratory, name, table["question"])
        rows = assess.measure(
            model,
            *test_images(laboratory, table),
            eps=table["eps"],
            pools=pools,
            attacks={each: parts.make_attack(table, 1, each) for each in table["attacks"]},
            **laboratory.limits(table),
            **question,
        )
        rows["clean accuracy"] = assess.accuracy(predict_clean(model, test.images), test.labels)
        members = getattr(model, "members", [model])
        if len(members) > 1:
            rows |= _means(members, pools, test)
        shown = {"clean": (test.images, test.labels)}
        shown |= {f"on {each}": (pool.images, pool.labels) for each, pool in pools.items()}
        for what, (images, labels) in shown.items():
            rows |= _softmax(what, members, images, labels)
        about = asked_about(table["question"], laboratory.study["runs"][name]["k"])
        found[f"{name} ({about})"] = rows
    findings.say(WORDINGS[table["question"]].sentence)
    overview = assess.Overview(found)
    findings.table("All measures", "measures", *overview.rows())
    header, rows = _crossed(overview)
    findings.table("In short (95 % intervals in brackets)", "overview", header, rows)


def _means(members, pools, test):
    """Accuracy of several networks, each by itself: the mean."""
    clean = [np.mean(predict_clean(each, test.images) == test.labels) for each in members]
    found = {"clean accuracy, mean of the networks": float(np.mean(clean))}
    for name, pool in pools.items():
        right = [np.mean(predict(each, pool.images) == pool.labels) for each in members]
        found[f"accuracy on {name}, mean of the networks"] = float(np.mean(right))
    return found


def _softmax(what, members, images, labels):
    """The softmax figures of a network with their intervals, or the means of several."""
    each = [assess.softmax_robustness(assess.logits(m, images), labels) for m in members]
    names = ("absolute", "ratio", "inverse_ratio")
    found = {}
    for name in names:
        mean = float(np.mean([getattr(one, name) for one in each]))
        if len(each) == 1:
            mean = assess.Mean(mean, each[0].intervals[name], each[0].n)
        found[f"{_SOFTMAX[name]}, {what}"] = mean
    guarded = sum(one.n_guarded for one in each) / sum(one.n for one in each)
    return found | {f"guarded share of these, {what}": float(guarded)}


_SOFTMAX = {"absolute": "absolute robustness", "ratio": "ratio", "inverse_ratio": "inverse ratio"}


def _crossed(overview):
    rows = [
        (measure, *("-" if each.get(measure) is None else _shown(each[measure]) for each in found))
        for measure in overview.measures
        for found in [list(overview.models.values())]
    ]
    return ("measure", *overview.models), rows


def _shown(value):
    return f"{value:.4g}" if isinstance(value, float) else str(value)
