"""Reading the OPB format of the pseudo-Boolean competitions: linear constraints, no objective.

O. Roussel and V. Manquinho: Input/Output Format and Solver Requirements for the Competitions of
Pseudo-Boolean Solvers, 2012.
"""

from __future__ import annotations

import io
import re
from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bnnkit.formula._arrays import LIMIT
from bnnkit.formula._limits import at_line, check_n_vars, shown

if TYPE_CHECKING:
    from bnnkit.formula._formula import Formula

_HEADER = re.compile(rb"\*\s*#variable=\s*([0-9]{1,18})\s+#constraint=\s*([0-9]{1,18})\b.*")
_RELATION = re.compile(rb"([<>]?=)")
_COEFFICIENT = re.compile(rb"[+-]?[0-9]{1,18}")
_LITERAL = re.compile(rb"(~?)x([0-9]{1,10})")
_LONGEST = 2**26  # bytes of a constraint, some 10 million terms
_FIRST = re.compile(rb"[*;~x]|m(in|ax):")  # in a line that is neither a comment nor a 'p cnf'


def is_opb(data: bytes) -> bool:
    """Whether a text looks like OPB: its first line that is no comment of DIMACS does."""
    for line in io.BytesIO(data):
        line = line.strip()
        if line and not line.startswith(b"c"):
            return not line.startswith(b"p") and _FIRST.search(line) is not None
    return False


def read_opb(data: bytes, new_formula: type[Formula]) -> Formula:
    """See `Formula.from_text`."""
    n_vars, announced = _header(data)
    lits, coefs = array("i"), array("i")  # of four bytes a number
    lengths, bounds, count, greatest = [], [], 0, 0
    for number, statement in _statements(data):
        try:
            row_lits, row_coefs, relation, bound = _constraint(statement)
        except ValueError as error:
            raise at_line(number, statement, error) from error
        greatest = max(greatest, max(map(abs, row_lits), default=0))
        if n_vars is not None and greatest > n_vars:
            reason = f"a variable must be from x1 to x{n_vars} as the first line says"
            raise at_line(number, statement, f"{reason}, got x{greatest}")
        for sign in {">=": [1], "<=": [-1], "=": [1, -1]}[relation]:
            lits.extend(row_lits)
            coefs.extend(sign * coef for coef in row_coefs)
            lengths.append(len(row_lits))
            bounds.append(sign * bound)
        count += 1
    if count < announced:
        raise ValueError(
            f"the text announces {announced} constraints and has {count}; "
            "if it is not cut short, put the right number into its first line"
        )
    formula = new_formula(check_n_vars(greatest if n_vars is None else n_vars, len(data)))
    formula.add_sums(lits, lengths, bounds, coefs)
    return formula


def _header(data: bytes) -> tuple[int | None, int]:
    """Number of variables (None if not said) and of constraints, from the first line."""
    match = _HEADER.match(data.lstrip()[:1000])
    return (int(match[1]), int(match[2])) if match else (None, 0)


def _statements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """What stands before each semicolon, and the number of the line where it begins."""
    pending, began = [], 0
    for number, line in enumerate(io.BytesIO(data), start=1):
        line = line.strip()
        if line.startswith(b"*") or not line:
            continue
        *ends, rest = line.split(b";")
        for part in ends:
            yield began if pending else number, b" ".join([*pending, part])
            pending = []
        if rest.strip():
            began = began if pending else number
            pending.append(rest)
    if pending:
        raise at_line(began, pending[0], "a constraint must end in ;")


def _constraint(statement: bytes) -> tuple[list[int], list[int], str, int]:
    """Literals, coefficients, relation and right side of a constraint."""
    if statement.lstrip().startswith((b"min:", b"max:", b"soft:")):
        raise ValueError("an objective is not supported: bnnkit answers whether there is a model")
    if len(statement) > _LONGEST:
        raise ValueError(f"a constraint must not have more than {_LONGEST} bytes")
    left, *relation = _RELATION.split(statement)
    if len(relation) != 2:
        raise ValueError("a constraint must have one >=, <= or =")
    words = left.split()
    if len(words) % 2:
        raise ValueError(
            "a constraint must be pairs of a coefficient and a literal, as +2 x1 -1 ~x2"
        )
    coefs, bound = [_integer(word) for word in words[::2]], _integer(relation[1].strip())
    if sum(map(abs, coefs)) >= LIMIT:
        raise ValueError("the coefficients of a constraint must add up to less than 2**31")
    lits = [_literal(word) for word in words[1::2]]
    return lits, coefs, relation[0].decode(), bound


def _integer(word: bytes) -> int:
    if not _COEFFICIENT.fullmatch(word):
        raise ValueError(f"a number must be an integer of at most 18 digits, got {shown(word)!r}")
    return int(word)


def _literal(word: bytes) -> int:
    match = _LITERAL.fullmatch(word)
    if not match or not 1 <= int(match[2]) < LIMIT:
        raise ValueError(f"a literal must be x1, ~x1, x2, ..., got {shown(word)!r}")
    return -int(match[2]) if match[1] else int(match[2])
