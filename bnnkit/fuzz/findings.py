"""Files of cases that something went wrong with, to be asked again."""

import hashlib
import itertools
import json
from pathlib import Path

from bnnkit._files import write_text
from bnnkit.fuzz.formulas import FormulaCase
from bnnkit.fuzz.networks import NetworkCase

SOLVERS = ("native", "minicard", "cadical", "cp-sat")
KINDS = {case.kind: case for case in (FormulaCase, NetworkCase)}
ANSWERS = ("sat", "unsat", "robust", "falsified", "unknown")
_FORMAT, _VERSION = "bnnkit-fuzz", 1
_WRONG = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
_LARGEST = 10**7  # bytes of a file


def contradictory(said):
    """Whether some ways contradict each other, or one of them went wrong.

    Parameters
    ----------
    said : dict of str to list of str
        The answers of each way; a way may have given fewer than others, and None is no answer.

    Examples
    --------
    >>> from bnnkit.fuzz import contradictory
    >>> contradictory({"native": ["sat", "unknown"], "cadical": ["sat", "unsat"]})
    False
    >>> contradictory({"native": ["sat"], "cadical": ["unsat"]})
    True
    """
    known = all(answer in (*ANSWERS, None) for answers in said.values() for answer in answers)
    of_questions = itertools.zip_longest(*said.values())
    return not known or any(len({*some} - {"unknown", None}) > 1 for some in of_questions)


def save(case, said, folder):
    """Write a case and what was said about it to a file named by its content; returns its path.

    Parameters
    ----------
    case : FormulaCase or NetworkCase
    said : dict of str to list
        What each way said, as `replay` gives it; kept for people, and not read again.
    folder : str or Path

    Returns
    -------
    Path

    Examples
    --------
    >>> import tempfile
    >>> from bnnkit.fuzz import FormulaCase, load, save
    >>> case = FormulaCase(2, [["clause", [1, -2]], ["solve", [2]]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save(case, {"native": ["sat"]}, folder)
    ...     path.name, load(path) == case
    ('formula-631596ada30d.json', True)
    """
    content = json.dumps(case.to_dict())
    path = Path(folder) / f"{case.kind}-{hashlib.sha256(content.encode()).hexdigest()[:12]}.json"
    header = {"format": _FORMAT, "version": _VERSION, "kind": case.kind, "said": said}
    write_text(path, json.dumps(header | {"case": case.to_dict()}) + "\n")
    return path


def load(path):
    """The case in a file that `save` wrote.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    FormulaCase or NetworkCase

    Raises
    ------
    OSError, ValueError
        A file that cannot be read, or holds no case.

    Examples
    --------
    >>> import tempfile
    >>> from bnnkit.fuzz import NetworkCase, load, save
    >>> case = NetworkCase.draw(seed=0, index=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = load(save(case, {}, folder))
    >>> again.to_dict() == case.to_dict()
    True
    """
    with open(path, "rb") as file:
        data = file.read(_LARGEST + 1)
    try:
        if len(data) > _LARGEST:
            raise ValueError(f"it has more than {_LARGEST} bytes")
        values = json.loads(data)
        if (values["format"], values["version"]) != (_FORMAT, _VERSION):
            raise ValueError(f"format {values['format']!r}, version {values['version']!r}")
        return KINDS[values["kind"]].from_dict(values["case"])
    except _WRONG as error:
        raise ValueError(
            f"{path}: not a case of bnnkit fuzz ({type(error).__name__}: {error})"
        ) from None


def replay(path, solvers=SOLVERS):
    """What each way to ask some solvers says about the case in a file, see `contradictory`.

    Parameters
    ----------
    path : str or Path
        A file that `save` wrote.
    solvers : sequence of str
        Names from `bnnkit.solvers.available`.

    Returns
    -------
    dict of str to list
        The statement about each question of the case, by the names of the ways to ask.

    Raises
    ------
    OSError, ValueError
        As `load`, and for a solver that there is not.

    Examples
    --------
    >>> import tempfile
    >>> from bnnkit.fuzz import FormulaCase, contradictory, replay, save
    >>> case = FormulaCase(2, [["clause", [1, -2]], ["solve", [2]], ["solve", [-1, 2]]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     said = replay(save(case, {}, folder), solvers=["cadical"])
    >>> contradictory(said), said
    (False, {'cadical': ['sat', 'unsat'], 'enumeration': ['sat', 'unsat']})
    """
    case = load(path)
    ways = {name: way for s in solvers for name, way in case.ways(s).items()}
    return case.statements(ways | case.rare_ways())
