"""The question about many images: in this process, in several, or on a cluster; kept in a file."""

import inspect
import json
import warnings

import numpy as np

from bnnkit._checks import as_eps, as_images, as_labels
from bnnkit._options import check_jobs
from bnnkit._progress import progress
from bnnkit.campaign.answering import Lost, answer_one, check_memory_limit
from bnnkit.campaign.asking import ask_all
from bnnkit.campaign.store import Store, image_key
from bnnkit.network import BinaryNetwork
from bnnkit.verification import witness
from bnnkit.verification._question import checked_limits
from bnnkit.verification.joint import (
    EnsembleVerdict,
    checked_networks,
    verify_joint,
    verify_vote,
)
from bnnkit.verification.pipeline import check_certifying, checked_engines, verify
from bnnkit.verification.rules import rule
from bnnkit.verification.verdict import STATUSES, Verdict, Verdicts

QUESTIONS = {"vote": verify_vote, "joint": verify_joint}


def verify_all(
    network,
    images,
    labels,
    eps,
    solver="native",
    timeout=60.0,
    n_jobs=None,
    question="vote",
    store=None,
    memory_limit=None,
    retry=False,
    **options,
):
    """Verify many images; see `verify` for the question that is asked about each.

    Parameters
    ----------
    network : BinaryNetwork, or a sequence of such, or a Vote of such
        Several are asked what `question` says.
    images : array_like
        uint8 in 0..255 or floats in [0, 1]; (N, C, H, W), (N, H, W) or (N, features).
    labels : array_like of int, shape (N,)
    eps : float or Fraction
        Radius on the [0, 1] scale.
    solver : str
    timeout : float or None
        Seconds for each image.
    n_jobs : int, optional
        Number of processes, as joblib counts them (-1: one for each core). Left out, it is 1, or
        what a surrounding ``joblib.parallel_config`` says: with ``parallel_config("dask")``, the
        cluster.
    question : "vote", "joint"
        Whether to ask `verify_vote` or `verify_joint` about several networks. About one, both
        are what `verify` is.
    store : str or Path, optional
        A file that every verdict is written to as soon as it is known. What is there already is
        not asked again, so the same call goes on after an end of any kind.
    memory_limit : int, optional
        Bytes of address space for each process that answers. A question that needs more is
        unknown.
    retry : bool
        Ask again what the store has as unknown because a process ended over it (stage "lost").
        What is "wrong" stays: it is the evidence of a defect. Mend that, and take a new store.
    **options
        ``pixels``, ``falsify`` and ``fallback`` of `verify`.

    Returns
    -------
    Verdicts
        In the order of the images.

    Raises
    ------
    TypeError, ValueError
        As `verify`; and for a store that is another kind of file, damaged, or in use.
    KeyboardInterrupt
        On Ctrl-C; the message says what the store has, and what is missing.

    Warns
    -----
    RuntimeWarning
        At the end, if an answer failed its check; it names the images and the solver.

    Notes
    -----
    With several processes, a store, or a memory limit, questions are answered in child processes.
    One that ends by itself, or does not answer in time, makes its question "unknown", with the
    stage "lost" and the reason, once it has ended over this question alone; so does an error that
    a solver raises, in this process too. All others are answered. Statuses do not depend on the
    number of processes, except for time-outs.

    A model or a witness that fails its check is no such error, but a defect in a solver or in
    bnnkit. Its question is "unknown", with the stage "wrong", and the campaign goes on; until the
    defect is found, no "robust" of this solver should be relied on. (`verify` raises
    `bnnkit.solvers.WrongAnswer`.)

    Examples
    --------
    >>> import bnnkit
    >>> network = bnnkit.zoo.load("mnist-mlp-eps0.1")
    >>> images = np.zeros((2, 1, 28, 28), np.uint8)
    >>> labels = network.predict(images)
    >>> bnnkit.verify_all(network, images, labels, eps=0.01).counts
    {'robust': 2, 'falsified': 0, 'unknown': 0}
    """
    found = dict(
        iter_verdicts(
            *(network, images, labels, eps, solver, timeout),
            *(n_jobs, question, store, memory_limit, retry),
            **options,
        )
    )
    return Verdicts(found[place] for place in range(len(found)))


def iter_verdicts(
    network,
    images,
    labels,
    eps,
    solver="native",
    timeout=60.0,
    n_jobs=None,
    question="vote",
    store=None,
    memory_limit=None,
    retry=False,
    **options,
):
    """Like `verify_all`, but yield pairs of an image's index and its verdict, as they are ready.

    Whoever iterates keeps what is finished if the work is interrupted.

    Parameters
    ----------
    network, images, labels, eps, solver, timeout, n_jobs, question, store, memory_limit, retry
        As of `verify_all`.
    **options
        ``pixels``, ``falsify`` and ``fallback`` of `verify`.

    Yields
    ------
    index : int
    verdict : Verdict

    Raises
    ------
    TypeError, ValueError
        As `verify_all`.

    Examples
    --------
    >>> import bnnkit
    >>> from bnnkit.campaign import iter_verdicts
    >>> network = bnnkit.zoo.load("mnist-mlp-eps0.1")
    >>> images = np.zeros((2, 1, 28, 28), np.uint8)
    >>> labels = network.predict(images)
    >>> for index, verdict in iter_verdicts(network, images, labels, eps=0.01, n_jobs=1):
    ...     print(index, verdict.status)
    0 robust
    1 robust
    """
    if question not in QUESTIONS:
        raise ValueError(f"question must be 'vote' or 'joint', got {question!r}")
    asked = _Asked(question, network)
    images = as_images(images, asked.first.input_shape)
    labels = [int(label) for label in as_labels(labels, len(images), asked.first.n_classes)]
    eps = as_eps(eps)
    # a wrong argument is an error now, not in a worker later
    check_memory_limit(memory_limit)
    if n_jobs is not None:
        check_jobs(n_jobs)
    bound = inspect.signature(asked.ask).bind(
        asked.network, images[0], labels[0], eps, solver, timeout, **options
    )
    bound.apply_defaults()
    arguments = dict(list(bound.arguments.items())[3:])
    if arguments.get("certificate") is not None and (len(images) > 1 or store is not None):
        raise ValueError("a certificate is about one image and not kept in a store; use verify")
    checked_engines(*(arguments[name] for name in ("solver", "timeout", "fallback", "falsify")))
    check_certifying(solver, arguments["fallback"], arguments.get("certificate"))
    if arguments.get("certificate") is None:  # so that stored verdicts are those without one
        arguments.pop("certificate", None)
    radius = checked_limits(images[0], eps, timeout, arguments["pixels"])
    run = _Run(asked, images, labels, arguments, float(radius))
    return run.verdicts(n_jobs, store, memory_limit, retry)


class _Asked:
    """What is asked about which network, or networks."""

    def __init__(self, question, network):
        if isinstance(network, BinaryNetwork):
            self.ask, self.network, self.first = verify, network, network
            self._networks = (network,)
            self.name = network.digest
            return
        self.ask, self.network = QUESTIONS[question], checked_networks(network)
        self._networks = self.network
        self.first, self._question = self.network[0], question
        self.name = " ".join([question, *(member.digest for member in self.network)])

    def answer(self, image, label):
        """The class that each network gives to an image, and what they come to."""
        choices = tuple(witness.predict_one(network, image) for network in self._networks)
        if self.network is self.first:
            return choices, choices[0]
        n_classes = self.first.n_classes
        return choices, rule(self._question, len(choices), label, n_classes).outcome(choices)

    def lost(self, image, label, radius, lost):
        """The Verdict in the place of a `Lost`."""
        choices, outcome = self.answer(image, label)
        made = {"stage": lost.stage, "timings": {"lost": lost.seconds}, "reason": lost.reason}
        if self.network is self.first:
            return Verdict("unknown", label, radius, outcome, outcome, **made)
        return EnsembleVerdict("unknown", label, radius, outcome, outcome, **made, choices=choices)

    def check(self, image, verdict, radius, as_uint8):
        """Raise an error unless a verdict from a file can be one about this image."""
        choices, shown = getattr(verdict, "choices", (verdict.predicted,)), verdict.adversarial
        classes = {verdict.clean, verdict.predicted, *choices}
        same_size = len(choices) == len(self._networks)
        if not classes <= set(range(self.first.n_classes)) or not same_size:
            raise ValueError(f"classes {sorted(classes)} of {len(choices)} networks")
        if isinstance(verdict, EnsembleVerdict) != (self.network is not self.first):
            raise ValueError("one network in the place of several, or several in the place of one")
        if verdict.eps != radius:
            raise ValueError(f"eps {verdict.eps}, asked for was {radius}")
        if shown is None:
            return
        if shown.shape != image.shape or (shown.dtype == np.uint8) != as_uint8:
            raise ValueError(f"a witness of shape {shown.shape} and type {shown.dtype}")
        if self.answer(shown, verdict.label) != (choices, verdict.predicted):
            raise ValueError("the witness is not classified as the row says")
        witness.check_class_and_place(verdict.predicted, image, shown, verdict.label, radius)


class _Run:
    """One call of `verify_all`."""

    def __init__(self, asked, images, labels, arguments, radius):
        self._asked, self._images, self._labels = asked, images, labels
        self._arguments, self._radius = arguments, radius
        self._counts, self._wrong = dict.fromkeys(STATUSES, 0), {}

    def verdicts(self, n_jobs, store, memory_limit, retry):
        import joblib

        if store is not None:
            answers = self._stored_answers(n_jobs, store, memory_limit, retry)
        elif memory_limit is not None or joblib.effective_n_jobs(n_jobs) > 1:
            answers = self._answers(range(len(self._images)), n_jobs, memory_limit)
        else:
            answers = self._shown(self._answers_here(), len(self._images))
        return self._counted(answers)

    def _counted(self, answers):
        try:
            for place, verdict in answers:
                self._counts[verdict.status] += 1
                if verdict.stage == "wrong":
                    self._wrong[place] = verdict.reason
                yield place, verdict
        finally:  # also if this is interrupted
            if self._wrong:
                self._warn()

    def _warn(self):
        names = filter(None, (self._arguments["solver"], self._arguments.get("fallback")))
        first = min(self._wrong)
        places = ", ".join(map(str, sorted(self._wrong)[:10]))
        more = f" and {len(self._wrong) - 10} more" if len(self._wrong) > 10 else ""
        warnings.warn(
            f"answers of the solver {' or '.join(names)} failed their check on images {places}"
            f"{more}: a defect in the solver or in bnnkit, please report it. They are unknown; "
            f"its other answers may be wrong, too. Of image {first}: {self._wrong[first]}",
            RuntimeWarning,
            stacklevel=3,
        )

    def _shown(self, answers, n):
        return progress(answers, f"verifying, eps {self._radius:g}", n, self._note)

    def _note(self):
        counts = self._counts | ({"WRONG": len(self._wrong)} if self._wrong else {})
        return ", ".join(f"{count} {status}" for status, count in counts.items())

    def _answers_here(self):
        for place, question in enumerate(zip(self._images, self._labels, strict=True)):
            answer = answer_one(self._asked.ask, self._asked.network, *question, self._arguments)
            yield place, self._verdict(place, answer)

    def _answers(self, places, n_jobs, memory_limit, keep=None):
        """Answers from other processes; `keep` is called with them before they are handed out."""
        questions = {place: (self._images[place], self._labels[place]) for place in places}

        def answers():
            asked = self._asked
            for environment, batch in ask_all(
                asked.ask, asked.network, questions, self._arguments, n_jobs, memory_limit
            ):
                answers = [(place, self._verdict(place, outcome)) for place, outcome in batch]
                if keep is not None:
                    keep(environment, answers)
                yield from answers

        return self._shown(answers(), len(questions))

    def _verdict(self, place, outcome):
        if not isinstance(outcome, Lost):
            return outcome
        image, label = self._images[place], self._labels[place]
        return self._asked.lost(image, label, self._radius, outcome)

    def _stored_answers(self, n_jobs, store, memory_limit, retry):
        keys = [
            (image_key(image), label)
            for image, label in zip(self._images, self._labels, strict=True)
        ]
        places = {}  # the same question may be there several times
        for place, key in enumerate(keys):
            places.setdefault(key, []).append(place)
        with Store(store) as opened:
            opened.begin(self._setting(), keys)
            found = opened.finished(keys)
            if retry:
                found = {key: v for key, v in found.items() if v.stage != "lost"}
            for key, verdict in found.items():
                self._check(places[key][0], verdict, store)
            for key, verdict in found.items():
                yield from ((place, verdict) for place in places[key])
            missing = [first for key, (first, *_) in places.items() if key not in found]
            open_ones = set(missing)

            def keep(environment, answers):
                opened.add(environment, [(keys[place], verdict) for place, verdict in answers])
                open_ones.difference_update(place for place, _ in answers)

            try:
                for first, verdict in self._answers(missing, n_jobs, memory_limit, keep):
                    yield from ((place, verdict) for place in places[keys[first]])
            except KeyboardInterrupt:
                raise KeyboardInterrupt(
                    f"{len(places) - len(open_ones)} of {len(places)} verdicts are in {store}; "
                    f"the same call asks for the other {len(open_ones)}"
                ) from None

    def _check(self, place, verdict, store):
        """Raise ValueError about a verdict in the store that cannot be one to this question."""
        as_uint8 = self._arguments["pixels"] == "uint8"
        try:
            self._asked.check(self._images[place], verdict, self._radius, as_uint8)
        except (ValueError, RuntimeError) as error:
            raise ValueError(f"{store}: a row is damaged: {error}") from None

    def _setting(self):
        """(network, eps, solver, options): what a verdict's key has besides image and label."""
        options = dict(self._arguments)
        eps, solver = str(options.pop("eps")), options.pop("solver")
        options = {name: _plain(value) for name, value in options.items()}
        return self._asked.name, eps, solver, json.dumps(options, sort_keys=True)


def _plain(value):
    """A number as a float: 60 and 60.0 are the same limit."""
    return value if value is None or isinstance(value, (str, bool)) else float(value)
