"""The sections and keys of a study: what each may be, means, and is by default."""

import math

from bnnkit import datasets
from bnnkit.study.kinds import (
    Key,
    architecture,
    choice,
    flag,
    list_of,
    name_in,
    number,
    shares,
    solver,
    text,
    whole,
)

ATTACKS = ("exact", "joint", "vote", "pgd", "fgsm", "noise")
NOISES = ("high-noise",)  # beside these for judging
SOURCES = ("live", "pool", "noise", "originals")
QUESTIONS = ("first", "vote", "joint")

_EPS = number(0, 1)
_POSITIVE = number(0, math.inf, low_is_in=False)
_LIMITS = {
    "solver": Key(solver(), "who answers exact questions", "native"),
    "timeout": Key(_POSITIVE, "seconds for each exact question", 10.0, quick=0.1),
}
_EXACT = _LIMITS | {
    "falsify": Key(number(0, math.inf), "of these, seconds of local search before solving", 0.002)
}
_RUNS = list_of(name_in("runs"))
_OF = {"of": Key(_RUNS, "the runs that are measured")}
_IMAGES = {"images": Key(whole(1), "so many of the first test images", 100, quick=5)}
_RADII = {"eps": Key(list_of(_EPS), "radii on the scale from 0 to 1", quick=1)}
_RADIUS = {"eps": Key(_EPS, "radius on the scale from 0 to 1")}
_POOLS = list_of(name_in("pools"), empty=True)


def _question(*names):
    about = {
        "first": "`first`: is there an image that the first network gets wrong?",
        "vote": "`vote`: one that the vote of all k gets wrong?",
        "joint": "`joint`: one for which all k choose the same wrong class?",
    }
    return {"question": Key(choice(*names), " ".join(about[name] for name in names), "first")}


STUDY = {
    "title": Key(text(), "heads the report"),
    "about": Key(text(), "what the report says first", ""),
    "seed": Key(whole(0), "added to the seeds of all runs", 0),
}
DATA = {
    "name": Key(choice(*datasets.names()), "the data set"),
    "train": Key(whole(1), "its first training images alone; all by default", None, quick=400),
    "test": Key(whole(1), "its first test images alone; all by default", None, quick=60),
}
MODEL = {
    "kind": Key(choice("bnn", "real"), "binarized, or real-valued for comparison", "bnn"),
    "architecture": Key(architecture(), "hidden layers of a binarized network", "mlp-small"),
    "hidden": Key(
        list_of(whole(1), different=False), "of a real-valued one: units", [512, 512, 100]
    ),
    "quant_step": Key(number(0, 1, low_is_in=False), "width of an input level", 0.1),
    "epochs": Key(whole(1), "of each training", 25, quick=2),
    "mask_decay": Key(number(0, math.inf), "makes networks sparser", 0.0),
    "mask_scale": Key(_POSITIVE, "of the masks at first; as `BNNClassifier` by default", None),
    "batch_size": Key(whole(1), "as the classifier by default", None),
    "learning_rate": Key(_POSITIVE, "of Adam; as the classifier by default", None),
    "schedule": Key(
        choice("cosine", "constant"), "of the learning rate; as the classifier by default", None
    ),
}
RUN = {
    "model": Key(name_in("models"), "what is trained"),
    "k": Key(whole(1), "networks, each with a seed of its own", 1, quick=2),
    "seed": Key(whole(0), "of the first network; the others follow", 0),
    "start": Key(whole(1), "training images of round 0; all by default", None, quick=200),
    "start_pool": Key(name_in("pools"), "adversarial images for round 0 instead", None),
    "rounds": Key(whole(0), "how often images are added", 0, quick=1),
    "images_per_round": Key(whole(1), "images that a round asks its source for", 100, quick=10),
    "source": Key(
        list_of(choice(*SOURCES)),
        "where they come from; equal shares of several. `live`: the attack on the networks so far",
        ["live"],
    ),
    "pool": Key(name_in("pools"), "for the source `pool`", None),
    "low": Key(
        number(0, 1), "for the source `noise`: least noise of a pixel, as a share of eps", 0.0
    ),
    "detector": Key(flag(), "label what is added as a class of its own, adversarial", False),
    "attack": Key(choice(*ATTACKS), "for the source `live`", "exact"),
    "refill": Key(flag(), "for the source `live`: attack until images_per_round were found", False),
    "eps": Key(_EPS, "radius of sources and judges on the scale from 0 to 1", 0.1),
    "recreate": Key(flag(), "new networks each round; otherwise they are trained on", True),
    "seconds": Key(_POSITIVE, "end after the round in which so many are over", None),
    "target": Key(shares(), "end when each of these judges has such a share of images right", {}),
    "judges": Key(
        list_of(name_in("pools", also=(*ATTACKS, *NOISES)), empty=True),
        "pools, and attacks on test images, after each round; `high-noise` is 0.7 eps to eps",
        [],
    ),
    "judged": Key(whole(1), "test images that a judging attack gets", 100, quick=5),
    **_EXACT,
}
POOL = {
    "run": Key(name_in("runs"), "whose networks are attacked"),
    "attack": Key(
        choice(*ATTACKS),
        "`joint`: all networks are to choose one wrong class; `vote`: their vote is; others "
        "attack the first network",
        "exact",
    ),
    **_RADIUS,
    "split": Key(choice("train", "test"), "which images are attacked", "train"),
    "skip": Key(whole(0), "so many of these are left out", 0, quick=20),
    "size": Key(whole(1), "end with so many; all that are found by default", None, quick=10),
    **_EXACT,
}
MEASURES = {
    "rounds": {
        **_OF,
        "judge": Key(text(), "a single judge; all that the runs share by default", None),
    },
    "resistance": {**_OF, **_RADII, **_IMAGES, **_question(*QUESTIONS), **_EXACT},
    "minimal-eps": {
        **_OF,
        **_IMAGES,
        "max_eps": Key(_EPS, "the largest radius that is looked at", 1.0),
        **_LIMITS,
    },
    "white-box": {**_OF, **_RADIUS, **_IMAGES, **_question(*QUESTIONS), **_EXACT},
    "eps-matrix": {
        **_OF,
        **_RADII,
        **_IMAGES,
        "pools": Key(_POOLS, "adversarial images of other networks, such as of each eps", []),
        **_question("first", "vote"),
        **_EXACT,
    },
    "transfer": {
        "sources": Key(_RUNS, "runs whose networks are attacked"),
        "targets": Key(_RUNS, "runs that are shown what was found"),
        "attack": Key(choice(*ATTACKS), "as for a pool", "exact"),
        **_RADII,
        "size": Key(whole(1), "images of each source and eps", 100, quick=10),
        **_EXACT,
    },
    "quantisation": {
        "model": Key(name_in("models"), "the recipe; quant_step is replaced"),
        "steps": Key(list_of(number(0, 1, low_is_in=False)), "widths of a level", quick=2),
        **_RADIUS,
        **_IMAGES,
        **_EXACT,
    },
    "classes": {**_OF, "pools": Key(list_of(name_in("pools")), "what is counted by class")},
    "comparison": {
        **_OF,
        **_RADII,
        **_IMAGES,
        "pools": Key(_POOLS, "adversarial images of other networks", []),
        "attacks": Key(
            list_of(choice("noise", "high-noise", "fgsm", "pgd"), empty=True),
            "attacks that prove nothing",
            [],
        ),
        **_question("first", "vote"),
        **_EXACT,
    },
    "similarity": {**_OF, **_RADIUS, **_IMAGES, **_EXACT},
    "strip": {
        **_OF,
        **_RADII,
        "image": Key(whole(0), "index of a test image", 0, quick=0),
        **_EXACT,
    },
    "weights": {**_OF, "layer": Key(whole(0), "of the hidden layers with weights, from 0", 0)},
    "solvers": {
        **_OF,
        "solvers": Key(list_of(solver()), "who is compared", quick=2),
        **_RADIUS,
        **_IMAGES,
        "timeout": _LIMITS["timeout"],
        "falsify": _EXACT["falsify"],
    },
}
NAMED = {"models": MODEL, "runs": RUN, "pools": POOL}
SECTIONS = ("data", *NAMED, "measures")
