"""The folder of a study, and everything in it that is made once: runs and pools."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from bnnkit import robust
from bnnkit._files import remove_leftovers, write_text
from bnnkit._progress import say
from bnnkit._version import __version__
from bnnkit.assess import AdversarialPool, make_pool
from bnnkit.robust.opponents import opponents
from bnnkit.study import parts
from bnnkit.study.identity import identity
from bnnkit.study.made import Made
from bnnkit.study.order import needed
from bnnkit.study.supply import check_supply


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
        More images are asked for than there are, or the folder has other files, or a run or a
        pool of that name with other settings.
    """

    def __init__(self, study, folder, jobs=1, data_home=None):
        self.study, self.folder, self.jobs = study, Path(folder), jobs
        self.data = parts.load_data(study["data"], data_home)
        check_supply(study, self.data)
        self.folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self.folder)
        self.store = self.folder / "verdicts.sqlite"
        self._claim()
        self._at_hand = {}

    @property
    def n_classes(self):
        """Classes of the data."""
        return len(self.data.classes)

    def run(self, name):
        """The `Trained` of a run: made, gone on with, or found."""
        return self._once("runs", name, self._train)

    def pool(self, name):
        """The AdversarialPool of that name."""
        return self._once("pools", name, self._make_pool)

    def place(self, *names):
        """A file of the folder, whose own folder is there."""
        path = self.folder.joinpath(*names)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def kept(self, path, kind, make, made_of, **asked):
        """What `make` returns, an object of a `kind` with save and load.

        It is made once, and again when one of the parts `made_of` or what is `asked` changes.
        """
        name = path.relative_to(self.folder).as_posix()
        known = identity(self.study.settings, *made_of, **asked)
        if path.exists() and not self._made.is_same(name, known):
            path.unlink()
        self._made.note(name, known)
        return self._loaded(path, kind) if path.exists() else self._saved(path, make)

    def limits(self, table):
        """Keywords of `verify_all` for a table; each verdict goes to the study's store."""
        chosen = {name: table[name] for name in ("solver", "timeout", "falsify")}
        return chosen | {"n_jobs": self.jobs, "store": self.store}

    def _claim(self):
        """Write down what is done here; refuse to mix it with something else."""
        study, path = self.study, self.place("study.json")
        if not path.exists() and any(self.folder.iterdir()):
            raise ValueError(f"{self.folder} holds other files; give a new folder")
        self._made = Made(self.folder / "made.json")
        for section, result in (("runs", "{}/rounds/run.json"), ("pools", "{}.npz")):
            for name in study[section]:
                if (self.folder / section / result.format(name)).exists():
                    known = identity(study.settings, (section, name))
                    self._made.check(f"[{section}.{name}]", f"{section}/{name}", known)
        about = {"study": study.name, "size": study.size, "quick": study.quick}
        about |= {"bnnkit": __version__, "settings": study.settings}
        write_text(path, json.dumps(about, indent=2) + "\n")

    def _once(self, section, name, make):
        if (section, name) not in self._at_hand:
            known = identity(self.study.settings, (section, name))
            self._at_hand[section, name] = make(name, known)
        return self._at_hand[section, name]

    def _loaded(self, path, kind):
        try:
            return kind.load(path)
        except ValueError as error:
            raise ValueError(f"{error}; delete this file, and it is made again") from None

    def _saved(self, path, make):
        made = make()
        made.save(path)
        return made

    def _train(self, name, known):
        self._made.note(f"runs/{name}", known)
        table, seed = self.study["runs"][name], self.study["seed"]
        pools = {pool: self._for_training(pool) for _, pool in needed(self.study, "runs", name)}
        classes = self.n_classes + table["detector"]
        seeds = range(seed + table["seed"], seed + table["seed"] + table["k"])
        model = self.study["models"][table["model"]]
        history = robust.train(
            [parts.model_maker(model, classes, each, not table["recreate"]) for each in seeds],
            parts.make_source(table, pools.get(table["pool"]), self.n_classes, self.jobs),
            self.data,
            eps=table["eps"],
            rounds=table["rounds"],
            images_per_round=table["images_per_round"],
            start=pools.get(table["start_pool"], table["start"]),
            judge=parts.make_judges(table, pools, self.jobs),
            n_judge=table["judged"],
            recreate=table["recreate"],
            seconds=table["seconds"],
            target=table["target"],
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

    def _make_pool(self, name, known):
        table = self.study["pools"][name]
        path, noted = self.place("pools", f"{name}.npz"), f"pools/{name}"
        if path.exists() and self._made.of(noted) is None:
            raise ValueError(
                f"{path} is there, but {self.folder / 'made.json'} does not say what it was made "
                "of; delete this file, and it is made again"
            )
        models, split = self.run(table["run"]).models, getattr(self.data, table["split"])
        self._made.note(noted, known)

        def make():
            found = self.attacked(name, models, table, split, table["size"], table["skip"])
            if not len(found):
                raise ValueError(f"[pools.{name}]: the attack found no image within {found.eps:g}")
            return found

        found = self._loaded(path, AdversarialPool) if path.exists() else self._saved(path, make)
        say(f"pool {name}: {len(found)} images of {found.n_tried} tried, {found.seconds:.0f} s")
        return found

    def attacked(self, name, models, table, split, size, skip=0):
        """The AdversarialPool of some models, with the attack of a table.

        Exact answers are in the store, so that what was attacked before a kill is not again.
        """
        target = opponents(models, parts.AGAINST.get(table["attack"], "each"))[0]
        images, labels = split.images[skip:], split.labels[skip:]
        attack = parts.make_attack(table, self.jobs, store=self.store)
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
