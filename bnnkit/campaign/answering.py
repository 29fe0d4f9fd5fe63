"""The child process of a worker: it answers questions about one network, some at a time.

A native solver can end its process, and a question can eat the memory of a machine. So whoever
answers is a process of its own, which another one watches and replaces (see `workers`).
"""

import functools
import pickle
import time
from dataclasses import dataclass

from bnnkit._options import check_whole
from bnnkit.solvers import WrongAnswer

ROOM = 2**26  # bytes that a memory limit has to leave for questions
LONGEST = 1000  # letters of a reason
SLICE = 0.1  # seconds after which the answers so far are handed back


@dataclass(frozen=True)
class Lost:
    """In the place of a verdict: the process ended over this question, or there was an error.

    The stage is that of the verdict: "wrong" if the error is an answer that failed its check.
    """

    reason: str
    seconds: float
    stage: str = "lost"


def answer_one(ask, network, image, label, arguments):
    """The Verdict about one image, or a Lost where that ends in an error.

    Arguments have been checked before, so it is an error of a solver's, which shall not keep the
    other questions from their answers. MemoryError is raised: nobody knows what state is left.
    """
    started = time.perf_counter()
    try:
        return ask(network, image, label, **arguments)
    except MemoryError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"[:LONGEST]
        stage = "wrong" if isinstance(error, WrongAnswer) else "lost"
        return Lost(reason, time.perf_counter() - started, stage)


class Answerer:
    """Answers questions about one network, or several; lives in a child process.

    Parameters
    ----------
    recipe : bytes
        What to ask about what, and solver classes by their names, as `cook` makes it.
    memory_limit : int or None
        Bytes of address space for this process, and as many for each that it starts.
    warm : bool
        Whether to answer an easy question first: what is loaded or compiled then is no image's
        time.
    """

    def __init__(self, recipe, memory_limit, warm):
        from bnnkit import set_threads, solvers

        if memory_limit is not None:
            _limit(memory_limit)
        set_threads(1)  # there are as many of these processes as there shall be work at a time
        # the recipe comes from the process that started this one
        self._ask, self._network, engines = pickle.loads(recipe)
        for name, engine in engines.items():
            solvers.register(name, engine)
        for name in engines if warm else ():
            self._answer_easily(name)

    def _answer_easily(self, solver):
        import numpy as np

        first = self._network[0] if isinstance(self._network, tuple) else self._network
        image = np.zeros(first.input_shape, np.uint8)
        answer_one(self._ask, self._network, image, 0, {"eps": 0, "solver": solver})

    def answer(self, arguments, questions):
        """Answer the first questions: as many as a slice of time takes, at least one.

        Parameters
        ----------
        arguments : dict
            Of `bnnkit.verify`, or what is asked, without network, image and label.
        questions : list of (image, label)

        Returns
        -------
        list of Verdict or Lost
        """
        end, verdicts = time.perf_counter() + SLICE, []
        for image, label in questions:
            verdicts.append(answer_one(self._ask, self._network, image, label, arguments))
            if time.perf_counter() >= end:
                break
        return verdicts

    def environment(self):
        """See `bnnkit.campaign.environment`."""
        from bnnkit.campaign.environment import environment

        return environment()


def cook(ask, network, names):
    """What an `Answerer` needs to know, as bytes that any process with bnnkit understands.

    `ask` is `bnnkit.verify`, or a function like it about a tuple of networks. Solvers that the
    running program has registered go along, by value if it is a script.
    """
    import cloudpickle

    from bnnkit import solvers

    engines = {name.partition(":")[0]: solvers.get(name) for name in names}
    engines = {name: getattr(engine, "func", engine) for name, engine in engines.items()}
    return cloudpickle.dumps((ask, network, engines))


def check_memory_limit(limit):
    """Raise unless `limit` is None, or bytes that can be set as a limit on this machine."""
    if limit is None:
        return
    check_whole("memory_limit", limit)
    if limit < 2**20:
        raise ValueError(
            f"memory_limit is in bytes, got {limit}, less than a megabyte; 4 * 2**30 is 4 GiB"
        )
    if not hasattr(_resource(), "RLIMIT_AS"):
        raise ValueError(
            "this system cannot limit the memory of a process (there is no RLIMIT_AS); "
            "leave memory_limit out"
        )


@functools.cache
def _resource():
    try:
        import resource
    except ImportError:  # Windows
        return None
    return resource


def _limit(n_bytes):
    resource = _resource()
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    if hard != resource.RLIM_INFINITY:
        n_bytes = min(n_bytes, hard)
    resource.setrlimit(resource.RLIMIT_AS, (n_bytes, hard))
    bytearray(ROOM)  # a MemoryError, if Python and the libraries have taken it all
