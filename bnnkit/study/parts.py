"""From the tables of a study to what the library works with: data, models, attacks, sources."""

from bnnkit import attacks, datasets, robust
from bnnkit.datasets import Dataset

_BINARIZED = ("quant_step", "mask_decay", "mask_scale")
_HIGH = 0.7  # of eps: the least high noise of a pixel
_SIMPLE = {
    "pgd": lambda: attacks.PGD(random_state=0),
    "fgsm": attacks.FGSM,
    "noise": lambda: attacks.RandomNoise(random_state=0),
    "high-noise": lambda: attacks.RandomNoise(low=_HIGH, random_state=0),
}
AGAINST = {"joint": "all", "vote": "vote"}  # of several models; other attacks take each one


def load_data(table, data_home=None):
    """The data set, or its first images."""
    data = datasets.load(table["name"], data_home=data_home)
    splits = data.train.first(table["train"]), data.test.first(table["test"])
    return Dataset(data.name, data.classes, *splits)


def model_maker(table, n_classes, seed, goes_on=False):
    """A function that makes a new model; where that `goes_on`, each fit goes on from the last."""
    from bnnkit import BNNClassifier, RealClassifier

    names = ["epochs", "batch_size", "learning_rate", "schedule"]
    if table["kind"] == "real":
        make, names = RealClassifier, ["hidden", *names]
    else:
        make, names = BNNClassifier, ["architecture", *_BINARIZED, *names]
    given = {name: table[name] for name in names if table[name] is not None}
    if goes_on:
        given["warm_start"] = True
    return lambda: make(n_classes=n_classes, random_state=seed, **given)


def make_attack(table, jobs, name=None, store=None):
    """The attack of a table, or another one with its settings; `store` keeps exact answers."""
    name = name or table["attack"]
    if name in _SIMPLE:
        return _SIMPLE[name]()
    exact = {"exact": attacks.Exact, "vote": attacks.VoteExact, "joint": attacks.JointExact}[name]
    return exact(table["solver"], table["timeout"], jobs, table["falsify"], store)


def make_source(table, pool, n_classes, jobs):
    """The Source of a run; `pool` is the premade one, where it has one."""
    made = [_single(name, table, pool, jobs) for name in table["source"]]
    source = made[0]
    if len(made) > 1:
        source = robust.Mixed(made, [1 / len(made)] * len(made))
    return robust.Relabelled(source, n_classes) if table["detector"] else source


def _single(name, table, pool, jobs):
    if name == "pool":
        return pool
    if name == "noise":
        return robust.Noise(low=table["low"])
    if name == "originals":
        return robust.Originals()
    against = AGAINST.get(table["attack"], "each")
    return robust.Live(make_attack(table, jobs), refill=table["refill"], against=against)


def make_judges(table, pools, jobs):
    """The judges of a run: pools by name, attacks with its settings."""
    return {
        name: pools[name]
        if name in pools
        else robust.Judge(make_attack(table, jobs, name), against=AGAINST.get(name, "each"))
        for name in table["judges"]
    }


def training_pool(found, split):
    """An AdversarialPool as a Pool for `robust.train`."""
    return robust.Pool(found.images, found.labels, found.index, split)
