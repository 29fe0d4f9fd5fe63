"""Reading formulas and proofs: rows of numbers, each number checked where it stands.

A row is a clause ``1 -2 0``, a sum ``1 -2 3 >= 2 # 5``, a deletion ``d 7 8 0`` or a claim
``claim -5 0``. Formulas have the first two kinds, proofs the others and clauses.
"""

import hashlib
import re
from typing import NamedTuple

import numpy as np

from bnnkit._files import read_bounded
from bnnkit.checker._compile import entry, inner

CLAUSE, SUM, DELETION, CLAIM = range(4)
MOST_BYTES = 2**30  # of an unpacked file
MOST_WORDS = 2**27  # numbers, and signs between them
MOST_VARIABLES = 10**7
_TAB, _NEWLINE, _RETURN, _BLANK = b"\t\n\r "
_MINUS, _ZERO, _NINE = b"-09"
_COMMENT, _PERCENT, _LESS = b"c%<"
_DELETE, _CLAIM, _AT_LEAST, _AT_MOST, _HASH = map(tuple, (b"d", b"claim", b">=", b"<=", b"#"))
_FORMULA_HEADER = re.compile(rb"(?:\s|c[^\n]*\n)*p[ \t]+cnf[ \t]+(\d{1,18})[ \t]+(\d{1,18})\s")
_PROOF_HEADER = re.compile(rb"p bnnkit-proof 1 ([0-9a-f]{64})\s")


class Rows(NamedTuple):
    """Rows of a file, in its order.

    Attributes
    ----------
    kind : ndarray of uint8
        CLAUSE, SUM, DELETION or CLAIM.
    end : ndarray of int64
        Row i has the numbers from ``end[i - 1]``, or 0, to ``end[i] - 1``.
    numbers : ndarray of int32
        Literals ±v; of deletions, which of the clauses before.
    bound : ndarray of int64
        Of sums; 0 for other rows.
    output : ndarray of int32
        The literal that says whether a sum reaches its bound; 0 for other rows.
    """

    kind: np.ndarray
    end: np.ndarray
    numbers: np.ndarray
    bound: np.ndarray
    output: np.ndarray


def read_formula(path):
    """The number of variables, the `Rows` and the SHA-256 of a formula.

    Raises
    ------
    ValueError
        Not a formula; the message says where.
    """
    data = _content(path)
    header = _FORMULA_HEADER.match(data)
    if not header:
        raise ValueError(f"{path}: there is no line 'p cnf VARIABLES CONSTRAINTS'")
    n_vars, announced = map(int, header.groups())
    if n_vars > MOST_VARIABLES:
        raise ValueError(f"{path}: {n_vars} variables are more than {MOST_VARIABLES}")
    rows = _rows(path, data, header.end(), n_vars, proof=False)
    if len(rows.kind) < announced:
        raise ValueError(f"{path}: {announced} constraints announced, {len(rows.kind)} found")
    return n_vars, rows, hashlib.sha256(data).hexdigest()


def read_proof(path, n_vars):
    """The `Rows` of a proof, a claim at the end, and the SHA-256 of its formula.

    Raises
    ------
    ValueError
        Not a proof, or without its end.
    """
    data = _content(path)
    header = _PROOF_HEADER.match(data)
    if not header:
        raise ValueError(f"{path}: there is no line 'p bnnkit-proof 1 SHA-256' at the beginning")
    rows = _rows(path, data, header.end(), n_vars, proof=True)
    claims = np.flatnonzero(rows.kind == CLAIM)
    if claims.tolist() != [len(rows.kind) - 1]:
        raise ValueError(f"{path}: one claim must end a proof, found {len(claims)}; is it whole?")
    return rows, header[1].decode()


def _content(path):
    """The bytes of a file, unpacked if it is gzipped, without a byte order mark."""
    try:
        return read_bounded(path, MOST_BYTES).removeprefix(b"\xef\xbb\xbf")
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _rows(path, data, place, n_vars, proof):
    octets = np.frombuffer(data, np.uint8)
    room, types = count_words(octets, place), (np.uint8, np.int64, np.int32, np.int64, np.int32)
    if room > MOST_WORDS:
        raise ValueError(f"{path}: {room} numbers are more than {MOST_WORDS}")
    rows = Rows(*(np.zeros(room, t) for t in types))
    n_rows, n_numbers, stop = parse(octets, place, n_vars, proof, rows)
    if stop < len(data):
        line = data[:stop].count(b"\n") + 1
        near = data[stop : stop + 20].split(b"\n")[0].decode(errors="replace")
        raise ValueError(f"{path}, line {line}: not as it should be from {near!r} on")
    return Rows(*(part[:n_rows] for part in rows))._replace(numbers=rows.numbers[:n_numbers])


@entry
def parse(data, i, n_vars, proof, rows):
    """Fill in the rows; returns their number, that of their numbers, and where it had to stop."""
    kind, end, numbers, bound, output = rows
    n, row, clauses, current, line_start = 0, 0, 0, CLAUSE, 0
    while True:
        while i < len(data) and blank(data[i]):
            if data[i] == _NEWLINE:
                line_start = n
            i += 1
        first = n == (end[row - 1] if row > 0 else 0) and current == CLAUSE  # of a row
        if i == len(data) or (first and not proof and data[i] == _PERCENT):
            return row, n, len(data) if first else i - 1
        if data[i] == _COMMENT and not word(data, i, _CLAIM):  # a comment
            if i > 0 and data[i - 1] != _NEWLINE:
                return row, n, i
            while i < len(data) and data[i] != _NEWLINE:
                i += 1
        elif first and proof and word(data, i, _DELETE):
            current, i = DELETION, i + 1
        elif first and proof and word(data, i, _CLAIM):
            current, i = CLAIM, i + 5
        elif not proof and (word(data, i, _AT_LEAST) or word(data, i, _AT_MOST)):
            below = data[i] == _LESS
            begin = skip(data, i + 2)
            b, j = number(data, begin)
            k = skip(data, j)
            y, stop = number(data, skip(data, k + 1))
            rest = skip(data, stop)
            whole = j > begin and word(data, k, _HASH) and stop > k + 1
            whole = whole and (rest == len(data) or data[rest] == _NEWLINE)
            one_line = line_start <= (end[row - 1] if row > 0 else 0)
            if not whole or not one_line or y == 0 or abs(y) > n_vars:
                return row, n, i
            kind[row], end[row] = SUM, n  # y <-> s <= b  is  not y <-> s >= b + 1
            bound[row], output[row] = b + below, -y if below else y
            row, i = row + 1, stop
        else:
            value, stop = number(data, i)
            limit = clauses if current == DELETION else n_vars
            if stop == i or abs(value) > limit or (current == DELETION and value < 0):
                return row, n, i
            i = stop
            if value != 0:
                numbers[n] = value
                n += 1
            else:
                kind[row], end[row] = current, n
                clauses += current == CLAUSE
                row, current = row + 1, CLAUSE


@entry
def count_words(data, i):
    """How many words there are from place i on; a row or a number takes one at least."""
    n, before = 0, True
    while i < len(data):
        now = blank(data[i])
        n += before and not now
        before, i = now, i + 1
    return n


@inner
def word(data, i, letters):
    """Whether there is a word at place i, a blank or the end behind it."""
    for k in range(len(letters)):
        if i + k >= len(data) or data[i + k] != letters[k]:
            return False
    return i + len(letters) == len(data) or blank(data[i + len(letters)])


@inner
def number(data, i):
    """The integer at place i and the place behind it; 0 and i if there is none."""
    k, value = i, 0
    negative = k < len(data) and data[k] == _MINUS
    if negative:
        k += 1
    digits = k
    while k < len(data) and k < digits + 18 and _ZERO <= data[k] <= _NINE:
        value = 10 * value + data[k] - _ZERO
        k += 1
    if k == digits or (k < len(data) and not blank(data[k])):
        return 0, i
    return (-value if negative else value), k


@inner
def blank(letter):
    """Whether a letter separates words."""
    return letter == _BLANK or _TAB <= letter <= _RETURN


@inner
def skip(data, i):
    """The next place on the line that is not blank."""
    while i < len(data) and blank(data[i]) and data[i] != _NEWLINE:
        i += 1
    return i
