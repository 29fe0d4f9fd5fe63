"""Many questions through joblib, in batches that take about as long as each other."""

import collections
import contextlib
import hashlib
import itertools
import uuid

from bnnkit.campaign import workers
from bnnkit.campaign.answering import SLICE, cook

FIRST, LARGEST = 8, 256  # questions of a batch, before and after it is known what one takes
SHORT = 0.005  # seconds of a batch, near the end too: a shorter one is hardly worth its way


class _Done(Exception):
    """Nobody wants the other answers."""


def ask_all(ask, network, questions, arguments, n_jobs, memory_limit):
    """Have workers answer questions about one network, or several together.

    Parameters
    ----------
    ask : callable
        `bnnkit.verify`, `bnnkit.verify_vote` or `bnnkit.verify_joint`.
    network : BinaryNetwork, or tuple of BinaryNetwork
    questions : dict
        (image, label) by whatever stands for them.
    arguments : dict
        Of `ask`, without network, image and label.
    n_jobs : int or None
        As joblib counts; None for what `joblib.parallel_config` says.
    memory_limit : int or None
        Bytes for each process that answers.

    Yields
    ------
    environment : str
        Where these answers come from, see `bnnkit.campaign.environment`.
    answers : list of (place, Verdict or Lost)
        As soon as they are known, in any order.
    """
    import joblib
    from joblib.parallel import get_active_backend

    # threads, as all work is done in child processes; a backend of the user's comes before that
    backend, _ = get_active_backend(prefer="threads")
    n_workers = joblib.effective_n_jobs(n_jobs)
    names = filter(None, (arguments["solver"], arguments.get("fallback")))
    feed = _Feed(cook(ask, network, names), questions, arguments, n_workers, memory_limit)
    streams = backend.supports_return_generator
    kind = "generator_unordered" if streams else "list"
    with joblib.Parallel(n_jobs, prefer="threads", batch_size=1, return_as=kind) as parallel:
        while feed:
            # without a stream of results only a few batches at a time, or they come at the end
            tasks, replies = itertools.islice(feed, None if streams else 4 * n_workers), None
            try:
                replies = parallel(tasks)
                for places, environment, outcomes in replies:
                    answers = feed.receive(places, outcomes)
                    if answers:
                        yield environment, answers
            except BaseException:  # Ctrl-C, or an error; or nobody wants the other answers
                workers.stop(feed.run)
                if hasattr(replies, "throw"):
                    with contextlib.suppress(_Done, StopIteration):
                        replies.throw(_Done)  # if it were closed, joblib would warn about waste
                raise


class _Feed:
    """The questions that are still to be asked, as tasks for joblib."""

    def __init__(self, recipe, questions, arguments, n_workers, memory_limit):
        self.run, self._recipe = uuid.uuid4().hex, recipe
        self._key = f"{hashlib.sha256(recipe).hexdigest()} {memory_limit}"
        self._unsent = 2 * n_workers  # how many batches take the recipe along
        self._questions, self._todo = questions, collections.deque(questions)
        self._arguments, self._limit, self._n_workers = arguments, memory_limit, n_workers
        self._seconds = None

    def __bool__(self):
        return bool(self._todo)

    def __iter__(self):
        from joblib import delayed

        while self._todo:
            places = [self._todo.popleft() for _ in range(self._size())]
            recipe = self._recipe if self._unsent > 0 else None
            self._unsent -= 1
            yield delayed(workers.answer)(
                *(self.run, self._key, recipe, self._limit, self._arguments),
                *(places, [self._questions[place] for place in places]),
            )

    def _size(self):
        """As many as take a slice of time, if they are like those before; fewer near the end."""
        fair = -(-len(self._todo) // (2 * self._n_workers))
        if self._seconds is None:
            return min(FIRST, fair)
        fair = max(fair, int(SHORT / self._seconds))
        return max(1, min(int(SLICE / self._seconds), fair, LARGEST, len(self._todo)))

    def receive(self, places, outcomes):
        """Answers of a task; what it has not answered is asked again."""
        if outcomes is None:
            self._unsent, outcomes = 1, []
        seconds = sum(outcome.seconds for outcome in outcomes)
        if outcomes:
            mean = max(seconds / len(outcomes), 1e-4)
            self._seconds = mean if self._seconds is None else (self._seconds + mean) / 2
        self._todo.extendleft(reversed(places[len(outcomes) :]))
        return list(zip(places, outcomes, strict=False))
