"""The folder of a study, and everything in it that is made once: runs and pools."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from bnnkit import robust
from bnnkit._files import remove_leftovers, write_text
from bnnkit._progress import say
from bnnkit._version import __version__
from bnnkit.assess import AdversarialPool, make_pool
from bnnkit.nn.checkpoint import check_same, damaged
from bnnkit.robust.opponents import opponents
from bnnkit.study import parts
from bnnkit.study.order import needed


@dataclass(frozen=True, eq=False)
class Trained:
    """What is left of a run: the history without the models of earlier rounds."""

    name: str
    history: robust.History
    models: list = field(repr=False)

    @property
    def model(self):
        """The model, or the vote of several."""
        return self.history.model


class Laboratory:
    """A study and its folder.

    Parameters
    ----------
    study : Study
    folder : path
        Made if there is none.
    jobs : int
        Processes.
    data_home : path, optional

    Raises
    ------
    ValueError
        The folder is that of another study.
    """

    def __init__(self, study, folder, jobs=1, data_home=None):
        self.study, self.folder, self.jobs = study, Path(folder), jobs
        self.data = parts.load_data(study["data"], data_home)
        _check_sizes(study, self.data)
        self.folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self.folder)
        self._claim()
        self._made = {}

    @property
    def n_classes(self):
        """Classes of the data."""
        return len(self.data.classes)

    def run(self, name):
        """The `Trained` of a run: made, gone on with, or found."""
        return self._once(("runs", name), self._train)

    def pool(self, name):
        """The AdversarialPool of that name."""
        return self._once(("pools", name), self._make_pool)

    def place(self, *names):
        """A file of the folder, whose own folder is there."""
        path = self.folder.joinpath(*names)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def kept(self, path, kind, make):
        """What `make` returns, an object of a `kind` with save and load: made once."""
        if path.exists():
            return kind.load(path)
        made = make()
        made.save(path)
        return made

    def limits(self, table):
        """Keywords of `verify_all` for a table; each verdict goes to the study's store."""
        chosen = {name: table[name] for name in ("solver", "timeout", "falsify")}
        return chosen | {"n_jobs": self.jobs, "store": self.folder / "verdicts.sqlite"}

    def _claim(self):
        study, path = self.study, self.place("study.json")
        about = {"study": study.name, "size": study.size, "quick": study.quick}
        identity = about | {f"[{key}]": value for key, value in study.settings.items()}
        identity = json.loads(json.dumps(identity | {"bnnkit": __version__}))
        if not path.exists():
            if any(self.folder.iterdir()):
                raise ValueError(f"{self.folder} holds other files; give a new folder")
            write_text(path, json.dumps(identity, indent=2) + "\n")
            return
        try:
            old = json.loads(path.read_text(encoding="utf-8"))
            old.keys()
        except (ValueError, AttributeError, RecursionError) as error:
            raise damaged(path, error) from None
        check_same(self.folder, old, identity)

    def _once(self, key, make):
        if key not in self._made:
            self._made[key] = make(key[1])
        return self._made[key]

    def _train(self, name):
        table, seed = self.study["runs"][name], self.study["seed"]
        pools = {pool: self._for_training(pool) for _, pool in needed(self.study, "runs", name)}
        classes = self.n_classes + table["detector"]
        seeds = range(seed + table["seed"], seed + table["seed"] + table["k"])
        model = self.study["models"][table["model"]]
        history = robust.train(
            [parts.model_maker(model, classes, each) for each in seeds],
            parts.make_source(table, pools.get(table["pool"]), self.n_classes, self.jobs),
            self.data,
            eps=table["eps"],
            rounds=table["rounds"],
            images_per_round=table["images_per_round"],
            start=pools.get(table["start_pool"], table["start"]),
            judge=parts.make_judges(table, pools, self.jobs),
            n_judge=table["judged"],
            recreate=table["recreate"],
            folder=self.place("runs", name, "rounds"),
            n_jobs=self.jobs,
            random_state=seed + table["seed"],
            on_round=lambda history: self._tell(name, history),
        )
        del history.models[:-1]
        models = getattr(history.model, "members", [history.model])
        for i, each in enumerate(models):
            if hasattr(each, "network_"):
                each.network_.save(self.place("runs", name, f"model-{i}.npz"))
        history.to_json(self.place("runs", name, "history.json"))
        history.to_csv(self.place("runs", name, "history.csv"))
        return Trained(name, history, list(models))

    def _for_training(self, name):
        return parts.training_pool(self.pool(name), self.study["pools"][name]["split"])

    def _make_pool(self, name):
        table = self.study["pools"][name]
        models = self.run(table["run"]).models
        split = getattr(self.data, table["split"])
        path = self.place("pools", f"{name}.npz")

        def make():
            found = self.attacked(name, models, table, split, table["size"], table["skip"])
            if not len(found):
                raise ValueError(f"[pools.{name}]: the attack found no image within {found.eps:g}")
            return found

        found = self.kept(path, AdversarialPool, make)
        say(f"pool {name}: {len(found)} images of {found.n_tried} tried, {found.seconds:.0f} s")
        return found

    def attacked(self, name, models, table, split, size, skip=0):
        """The AdversarialPool of some models, with the attack of a table."""
        target = opponents(models, parts.AGAINST.get(table["attack"], "each"))[0]
        images, labels = split.images[skip:], split.labels[skip:]
        attack = parts.make_attack(table, self.jobs)
        found = make_pool(name, target, attack, images, labels, table["eps"], size)
        found.index[:] += skip
        return found

    def _tell(self, name, history):
        finished = history.rounds[-1]
        judged = ", ".join(f"{judge} {each.share:.1%}" for judge, each in finished.judged.items())
        say(
            f"run {name}, round {finished.index}: {finished.n_train} images, clean "
            f"{finished.clean_accuracy:.1%}{', ' if judged else ''}{judged}, "
            f"{sum(finished.seconds.values()):.1f} s"
        )


def _check_sizes(study, data):
    """Raise ValueError where a study wants more images than there are."""
    for name, run in study["runs"].items():
        if run["start"] is not None and run["start"] > len(data.train):
            raise ValueError(
                f"[runs.{name}] start must be at most the {len(data.train)} training images, "
                f"got {run['start']}"
            )
    for name, pool in study["pools"].items():
        n_images = len(getattr(data, pool["split"]))
        if pool["skip"] >= n_images:
            raise ValueError(
                f"[pools.{name}] skip must be below the {n_images} {pool['split']} images, "
                f"got {pool['skip']}"
            )
