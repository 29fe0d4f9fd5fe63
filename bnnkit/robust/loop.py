"""The robust training loop. It knows neither which models it trains nor where images come from."""

import time

import numpy as np

from bnnkit._options import check_jobs
from bnnkit._progress import progress
from bnnkit.robust.history import History, Round
from bnnkit.robust.journal import Journal, pickled
from bnnkit.robust.opponents import as_one
from bnnkit.robust.plan import Plan


def train(
    make_model,
    attack,
    data,
    *,
    eps,
    rounds=3,
    images_per_round=100,
    start=None,
    judge=None,
    n_judge=100,
    recreate=True,
    seconds=None,
    target=None,
    folder=None,
    n_jobs=1,
    random_state=0,
    on_round=None,
):
    """Train, take images that the model should learn, add them, train again.

    Round 0 fits a model on the first training set. Each further round draws images from a
    source, such as an attack on the model so far, adds them to the training set, and fits
    again. After each fit the model is judged on test images. An image that a model gets wrong
    as it is counts as its own adversarial image, and is added.

    Parameters
    ----------
    make_model : callable or list of callables
        Takes nothing and returns a new model with ``fit(images, labels)`` and
        ``predict(images)``, given float32 images in [0, 1] in the shape of the data. A model
        with an exact network (``network_``) predicts the test images as they are. With a list,
        each function gives one of k models; all are fitted on the same images, and judged
        one by one and by their vote. Give each a seed of its own.
    attack : Attack, tuple (images, labels), or Source
        An attack is run live on training images, as `Live`; a tuple is a `Pool`. Other
        sources: `Noise`, `Originals`, `Mixed`, `Relabelled`. Pool labels must be among the
        classes 0 .. max of the training labels.
    data : Dataset
        Or any object with ``train`` and ``test`` that have ``images`` and ``labels``.
        Training and attacks use `train` alone, judging uses `test` and pools alone.
    eps : float
        Radius of attack and judge on the [0, 1] scale.
    rounds : int
        How often images are added. Round 0 comes on top, so there are ``rounds + 1`` fits; with
        0 rounds, models are trained and judged, and nothing else.
    images_per_round : int
        Images that the source is asked for in each round. A training image is used once.
    start : int, array of int, or Pool, optional
        The first training set: the first `start` training images, or those with these
        indices; the source then takes from the others. Or other images, such as adversarial
        ones; the source then takes from all training images. By default it is all of them,
        and the source takes from them as well.
    judge : Attack, or dict of str to Attack, Judge or Pool, optional
        Measures robustness. By default `attack` where that is an Attack, otherwise nothing.
        A `Judge` is an attack with an eps of its own, or on several models; by a `Pool` it is
        measured how often they are right about fixed images.
    n_judge : int
        Attacks that judge get the first `n_judge` test images, or all if there are fewer.
    recreate : bool
        Make new models each round. Otherwise they are fitted again and again, and must
        continue when they are (``warm_start=True`` in the manner of scikit-learn).
    seconds : float, optional
        Stop after the round in which so many are over; a `Live` that refills heeds them too.
    target : dict of str to float, optional
        Stop when each of these judges has such a `Counts.share`: ``{"PGD": 0.9}``. The name
        "clean" is the accuracy on test images.
    folder : path, optional
        Each finished round is written there, whole or not at all, and the same call goes on
        after the last one. Attacks that have a seed give what an undisturbed run would have
        given. `rounds`, `seconds` and `target` may change; the rest is compared as printed, so
        models, attacks and sources of one's own need a telling ``__repr__``. Models are
        pickled, so each file is sealed with a key of yours, in ~/.bnnkit/key or the file that
        $BNNKIT_KEY names: what others have written is not loaded.
    n_jobs : int
        Processes that k models are fitted in, as joblib counts them (-1: one for each core).
    random_state : int
        Seed of the choice of training images and of noise.
    on_round : callable, optional
        Called as ``on_round(history)`` when a round is finished, or found in the folder, with
        the History so far (``history.rounds[-1]`` and ``history.model`` are new), so that a
        caller can print and save. An exception or a Ctrl-C later on takes nothing of that away.

    Returns
    -------
    History

    Raises
    ------
    TypeError, ValueError
        For arguments out of range; where `rounds` would use up more images than there are;
        where images for training and for judging overlap; and for a folder of another run.
        Before any training.

    Notes
    -----
    Of k models, ``judged["NAME[0]"]`` and so on are about one of them. Of clean images and
    pools, ``"NAME"`` is about their vote.

    With `Relabelled` the models get a class for adversarial images. A pool's image that they
    put there counts as detected: it is not falsified, and belongs to `Counts.share`. Where an
    attack ends at such an image, the verdict is unknown. A clean image that they put there is
    wrong.

    Examples
    --------
    >>> from bnnkit import BNNClassifier, attacks, datasets
    >>> from bnnkit.robust import Judge, Live, Mixed, Noise, Originals, Pool, Relabelled, train
    >>> few = datasets.load("digits", limit=300)
    >>> def make_small():
    ...     return BNNClassifier("16", epochs=3, n_classes=10, random_state=0)
    >>> history = train(
    ...     make_small, Noise(), few, eps=0.1, start=200, rounds=2, images_per_round=20
    ... )
    >>> [finished.n_train for finished in history.rounds]
    [200, 220, 240]

    Longer runs, of which each has its source and its judges:

    >>> def make():
    ...     return BNNClassifier("mlp-small", n_classes=10, random_state=0)
    >>> def run(source, make_model=make, **options):
    ...     digits = datasets.load("digits")
    ...     return train(make_model, source, digits, eps=0.1, start=500, **options)

    What the images come from, with the same judges for all:

    >>> sources = {
    ...     "live": Live(attacks.PGD(random_state=0), refill=True),
    ...     "noise": Noise(),
    ...     "high noise": Noise(low=0.7),
    ...     "control": Originals(),
    ... }
    >>> judges = {f"eps {eps}": Judge(attacks.Exact(), eps=eps) for eps in (0.05, 0.1)}
    >>> histories = {  # doctest: +SKIP
    ...     name: run(source, judge=judges) for name, source in sources.items()
    ... }

    Five models: images are added that fool all of them in the same way, each model is judged
    by itself, and so is the vote:

    >>> makers = [lambda i=i: BNNClassifier("mlp-small", random_state=i) for i in range(5)]
    >>> joint = Live(attacks.JointExact(), refill=True, against="all")
    >>> judges = {
    ...     "each": attacks.Exact(),
    ...     "vote": Judge(attacks.VoteExact(), against="vote"),
    ... }
    >>> history = run(joint, makers, judge=judges, folder="runs/five", n_jobs=2)  # doctest: +SKIP
    """
    check_jobs(n_jobs)
    plan = Plan(
        make_model,
        attack,
        data,
        eps=eps,
        rounds=rounds,
        images_per_round=images_per_round,
        start=start,
        judge=judge,
        n_judge=n_judge,
        recreate=recreate,
        seconds=seconds,
        target=target,
        random_state=random_state,
    )
    run = _Run(plan, folder, n_jobs)
    for index in progress(range(rounds + 1), "robust training"):
        run.round(index)
        if on_round is not None:
            on_round(run.history)
        if run.history.stopped:
            break
    return run.history


class _Run:
    """The state of a run between rounds."""

    def __init__(self, plan, folder, n_jobs):
        self.plan, self.n_jobs = plan, n_jobs
        self.history = History(plan.settings)
        self.models = plan.make()  # new ones, for the round to come
        self.images, self.labels = plan.images, plan.labels
        seed = plan.settings["random_state"]
        seed = np.random.SeedSequence(seed).entropy  # a new one for None
        self.journal = None
        if folder is not None:
            for model in self.models:
                pickled(model)  # an error now, and not after the first fit
            self.journal = Journal(folder, plan.identity(self.models), seed)
            seed = self.journal.seed
        self.stock = plan.stock(seed)

    def round(self, index):
        """Find round `index` in the folder or work on it, and put it into the history."""
        found = self.journal and self.journal.read(index)
        if found:
            finished, self.models, drawn, self.stock.used = found
            self._add(drawn)
        else:
            finished, drawn = self._work(index)
            if self.journal:
                self.journal.save(finished, self.models, drawn, self.stock.used)
        history, plan = self.history, self.plan
        history.append(finished, as_one(self.models), drawn)
        history.stopped = plan.limits.reached(history, self.stock, plan.source)

    def _work(self, index):
        clock, plan = _Clock(), self.plan
        drawn = self.stock.nothing
        if index:
            self.stock.begin(index, plan.limits.left(self.history))
            drawn = plan.source.draw(self.models, plan.images_per_round, self.stock)
        self._add(drawn)
        clock.lap("attack")
        if index and plan.recreate:
            self.models = plan.make()
        self.models = _fitted(self.models, self.images, self.labels, self.n_jobs)
        clock.lap("fit")
        clean, judged = plan.examination.of(self.models)
        clock.lap("judge")
        finished = Round(
            index=index,
            n_attacked=drawn.n_attacked,
            n_added=len(drawn.images),
            n_undecided=drawn.n_undecided,
            n_train=len(self.images),
            clean_accuracy=clean["clean"].share,
            judged=judged,
            seconds=clock.laps,
            clean=clean,
        )
        return finished, drawn

    def _add(self, drawn):
        self.images = np.concatenate([self.images, drawn.images])
        self.labels = np.concatenate([self.labels, drawn.labels])


def _fitted(models, images, labels, n_jobs):
    if len(models) == 1 or n_jobs == 1:
        return [_fit(model, images, labels) for model in models]
    from joblib import Parallel, delayed

    return Parallel(n_jobs=n_jobs)(delayed(_fit)(model, images, labels) for model in models)


def _fit(model, images, labels):
    model.fit(images, labels)
    return model


class _Clock:
    """Seconds from lap to lap."""

    def __init__(self):
        self.laps, self._last = {}, time.perf_counter()

    def lap(self, name):
        now = time.perf_counter()
        self.laps[name], self._last = now - self._last, now
