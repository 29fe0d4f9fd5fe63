"""Reading DIMACS CNF and its dialects with reified sums; clauses are parsed many at once."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bnnkit.formula._arrays import LIMIT
from bnnkit.formula._limits import at_line, check_n_vars, shown

if TYPE_CHECKING:
    from bnnkit.formula._formula import Formula

_NO_INTEGERS = re.compile(rb"[^0-9\s-]|-(?![0-9])|[0-9]-")
_COUNT = re.compile(rb"[0-9]{1,18}")
_INTEGER = re.compile(rb"-?[0-9]{1,18}")
_SUM = re.compile(rb"([^<>]*)([<>]=)\s+(-?[0-9]{1,18})\s+#\s+(-?[0-9]{1,18})")
_BNN_END = re.compile(rb"\s+(-?[0-9]{1,18})(?:\s+(-?[0-9]{1,18}))?(\s+0)?")
_SPACE = re.compile(rb"\s")
_BATCH = 200_000  # lines that are parsed at once
_PIECE = 2**24  # bytes of them


@dataclass
class _Lines:
    """Lines with literals, and their numbers in the text."""

    lines: list[bytes] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    def append(self, line: bytes, number: int) -> None:
        self.lines.append(line)
        self.numbers.append(number)


@dataclass
class _Sums(_Lines):
    """The literals of sums, line by line, and what stands behind them."""

    bounds: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)

    def append(self, line: bytes, number: int, bound: int, output: int) -> None:
        super().append(line, number)
        self.bounds.append(max(-LIMIT, min(bound, LIMIT)))
        self.outputs.append(output)


def read_dimacs(data: bytes, new_formula: type[Formula]) -> Formula:
    """See `Formula.from_text`."""
    formula, announced, clauses, sums = _sort(data, new_formula)
    _check_end(clauses)
    lits, lengths = _rows(clauses, b"", formula.n_vars)
    formula.add_clauses(lits, lengths)
    n_constraints = len(lengths) + len(sums.lines)
    lits, lengths = _rows(sums, b" 0", formula.n_vars)
    if len(lengths) != len(sums.lines):  # one of them has a 0
        raise _blame(sums, 1, formula.n_vars)
    formula.add_sums(lits, lengths, sums.bounds, outputs=sums.outputs)
    if n_constraints < announced:
        raise ValueError(
            f"the text announces {announced} constraints and has {n_constraints}; "
            "if it is not cut short, put the right number into its line 'p cnf'"
        )
    return formula


def _sort(data: bytes, new_formula: type[Formula]) -> tuple[Formula, int, _Lines, _Sums]:
    """An empty formula, the announced number of constraints, and the lines with these."""
    formula, announced, clauses, sums = None, 0, _Lines(), _Sums()
    for number, line in enumerate(_lines(data), start=1):
        line = line.strip()
        if not line or line.startswith(b"c"):
            continue
        if line.startswith(b"%"):  # files of SATLIB end so, with a 0 that is no clause
            break
        append = _append_bnn if line.startswith(b"b") else _append_sum if b"#" in line else None
        if append:
            _check_end(clauses)
        try:
            if formula is None or line.startswith(b"p"):
                n_vars, announced = _header(line, formula)
                formula = new_formula(check_n_vars(n_vars, len(data)))
            elif append:
                append(sums, line, number, formula.n_vars)
            else:
                clauses.append(line, number)
        except ValueError as error:
            raise at_line(number, line, error) from error
    if formula is None:
        raise ValueError("the text has no line 'p cnf VARIABLES CONSTRAINTS'")
    return formula, announced, clauses, sums


def _lines(data: bytes) -> Iterator[bytes]:
    """The lines, one by one, whatever system they come from."""
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return io.BytesIO(data)


def _header(line: bytes, formula: Formula | None) -> tuple[int, int]:
    words = line.split()
    if formula is not None:
        raise ValueError("there must be one line 'p cnf' only")
    if words[:2] != [b"p", b"cnf"] or len(words) != 4 or not all(map(_COUNT.fullmatch, words[2:])):
        raise ValueError("the line 'p cnf VARIABLES CONSTRAINTS' must come before the constraints")
    return int(words[2]), int(words[3])


def _append_sum(sums: _Sums, line: bytes, number: int, n_vars: int) -> None:
    match = _SUM.fullmatch(line)
    if match is None:
        raise ValueError("a sum must end in '>= BOUND # OUTPUT' or '<= BOUND # OUTPUT'")
    lits, relation, bound, output = match[1], match[2], int(match[3]), int(match[4])
    _check_output(output, n_vars)
    if relation == b"<=":  # y <-> (sum <= b)  is  not y <-> (sum >= b + 1)
        bound, output = bound + 1, -output
    sums.append(lits, number, bound, output)


def _append_bnn(sums: _Sums, line: bytes, number: int, n_vars: int) -> None:
    """The line of CryptoMiniSat: b LITERALS 0 BOUND OUTPUT 0, the last two of which may lack."""
    lits, *rest = re.split(rb"\s0(?=\s|$)", line[1:], maxsplit=1)
    match = _BNN_END.fullmatch(*rest) if rest else None
    if match is None or (match[2] == b"0" and match[3]):
        raise ValueError("a line b must be 'b LITERALS 0 BOUND OUTPUT 0'")
    output = int(match[2] or 0)  # 0 where the sum must reach its bound
    if output:
        _check_output(output, n_vars)
    sums.append(lits, number, int(match[1]), output)


def _check_output(output: int, n_vars: int) -> None:
    if not 1 <= abs(output) <= n_vars:
        raise ValueError(f"the output must be +v or -v with v in [1, {n_vars}], got {output}")


def _check_end(clauses: _Lines) -> None:
    if clauses.lines and clauses.lines[-1].rsplit(maxsplit=1)[-1] != b"0":
        raise at_line(clauses.numbers[-1], clauses.lines[-1], "a clause must end in 0")


def _rows(part: _Lines, end: bytes, n_vars: int) -> tuple[np.ndarray, np.ndarray]:
    """The literals of rows, and their lengths; `end` stands behind each line, a 0 ends a row."""
    pieces = [np.zeros(0, dtype=np.int32)]
    for start in range(0, len(part.lines), _BATCH):
        lines = part.lines[start : start + _BATCH]
        data = (end + b" ").join([*lines, b""])
        pieces += [_integers(part, piece, n_vars) for piece in _pieces(data)]
    numbers = np.concatenate(pieces)
    is_end = numbers == 0
    return numbers[~is_end], np.diff(np.flatnonzero(is_end), prepend=-1) - 1


def _pieces(data: bytes) -> Iterator[bytes]:
    """Cut a long text between words: memory for numbers is taken for a piece at a time."""
    start = 0
    while start < len(data):
        space = _SPACE.search(data, start + _PIECE)
        end = space.start() if space else len(data)
        yield data[start:end]
        start = end


def _integers(part: _Lines, data: bytes, n_vars: int) -> np.ndarray:
    if data.isspace():
        return np.zeros(0, dtype=np.int32)
    if _NO_INTEGERS.search(data):
        raise _blame(part, 0, n_vars)
    numbers = np.fromstring(data, dtype=np.int64, sep=" ")  # saturates where it would overflow
    if ((numbers < -n_vars) | (numbers > n_vars)).any():
        raise _blame(part, 0, n_vars)
    return numbers.astype(np.int32)


def _blame(part: _Lines, least: int, n_vars: int) -> ValueError:
    """The error about the first word that is wrong."""
    for line, number in zip(part.lines, part.numbers, strict=True):
        for word in line.split():
            if not _INTEGER.fullmatch(word) or not least <= abs(int(word)) <= n_vars:
                reason = f"a literal must be +v or -v with v in [1, {n_vars}], got {shown(word)}"
                return at_line(number, line, reason)
    raise AssertionError("only called when there is one")
