"""The sections and keys of a study, each with what it may be and what it is by default."""

import math

from bnnkit import datasets
from bnnkit.study.kinds import Key, choice, flag, list_of, name_in, number, text, whole

ATTACKS = ("exact", "joint", "vote", "pgd", "fgsm", "noise")
SOURCES = ("live", "pool", "noise", "originals")
QUESTIONS = ("joint", "vote", "first")

_EPS = number(0, 1)
_SECONDS = number(0, math.inf, low_is_in=False)
_QUESTION = {
    "solver": Key(text(), "native"),
    "timeout": Key(_SECONDS, 10.0, quick=0.1),
    "falsify": Key(number(0, math.inf), 0.002),
}
_RUNS = list_of(name_in("runs"))

STUDY = {
    "title": Key(text()),
    "about": Key(text(), ""),
    "seed": Key(whole(0), 0),
}
DATA = {
    "name": Key(choice(*datasets.names())),
    "train": Key(whole(1), None, quick=400),
    "test": Key(whole(1), None, quick=60),
}
MODEL = {
    "kind": Key(choice("bnn", "real"), "bnn"),
    "architecture": Key(text(), "mlp-small"),
    "hidden": Key(list_of(whole(1), different=False), [512, 512, 100]),
    "quant_step": Key(number(0, 1, low_is_in=False), 0.1),
    "epochs": Key(whole(1), 25, quick=2),
    "mask_decay": Key(number(0, math.inf), 0.0),
    "mask_scale": Key(number(0, math.inf, low_is_in=False), None),
    "batch_size": Key(whole(1), None),
    "learning_rate": Key(number(0, math.inf, low_is_in=False), None),
    "schedule": Key(choice("cosine", "constant"), None),
}
RUN = {
    "model": Key(name_in("models")),
    "k": Key(whole(1), 1, quick=2),
    "seed": Key(whole(0), 0),
    "start": Key(whole(1), None, quick=200),
    "start_pool": Key(name_in("pools"), None),
    "rounds": Key(whole(0), 0, quick=1),
    "images_per_round": Key(whole(1), 100, quick=10),
    "source": Key(list_of(choice(*SOURCES)), ["live"]),
    "pool": Key(name_in("pools"), None),
    "low": Key(number(0, 1), 0.0),
    "detector": Key(flag(), False),
    "attack": Key(choice(*ATTACKS), "exact"),
    "refill": Key(flag(), False),
    "eps": Key(_EPS, 0.1),
    "recreate": Key(flag(), True),
    "judges": Key(list_of(name_in("pools", also=ATTACKS), empty=True), []),
    "judged": Key(whole(1), 100, quick=5),
    **_QUESTION,
}
POOL = {
    "run": Key(name_in("runs")),
    "attack": Key(choice(*ATTACKS), "exact"),
    "eps": Key(_EPS),
    "split": Key(choice("train", "test"), "train"),
    "skip": Key(whole(0), 0, quick=20),
    "size": Key(whole(1), None, quick=10),
    **_QUESTION,
}
MEASURES = {
    "rounds": {"of": Key(_RUNS), "judge": Key(text(), None)},
    "resistance": {
        "of": Key(_RUNS),
        "eps": Key(list_of(_EPS), quick=1),
        "images": Key(whole(1), 100, quick=5),
        "question": Key(choice(*QUESTIONS), "first"),
        **_QUESTION,
    },
    "minimal-eps": {
        "of": Key(_RUNS),
        "images": Key(whole(1), 100, quick=5),
        "max_eps": Key(_EPS, 1.0),
        **_QUESTION,
    },
    "white-box": {
        "of": Key(_RUNS),
        "eps": Key(_EPS),
        "images": Key(whole(1), 100, quick=5),
        "question": Key(choice(*QUESTIONS), "first"),
        **_QUESTION,
    },
    "transfer": {
        "sources": Key(_RUNS),
        "targets": Key(_RUNS),
        "attack": Key(choice(*ATTACKS), "exact"),
        "eps": Key(list_of(_EPS), quick=1),
        "size": Key(whole(1), 100, quick=10),
        **_QUESTION,
    },
    "quantisation": {
        "model": Key(name_in("models")),
        "steps": Key(list_of(number(0, 1, low_is_in=False)), quick=2),
        "eps": Key(_EPS),
        "images": Key(whole(1), 100, quick=5),
        **_QUESTION,
    },
    "classes": {"of": Key(_RUNS), "pools": Key(list_of(name_in("pools")))},
    "comparison": {
        "of": Key(_RUNS),
        "eps": Key(list_of(_EPS), quick=1),
        "images": Key(whole(1), 100, quick=5),
        "pools": Key(list_of(name_in("pools"), empty=True), []),
        "attacks": Key(list_of(choice("noise", "fgsm", "pgd"), empty=True), []),
        "question": Key(choice(*QUESTIONS), "first"),
        **_QUESTION,
    },
}
NAMED = {"models": MODEL, "runs": RUN, "pools": POOL}
SECTIONS = ("data", *NAMED, "measures")
