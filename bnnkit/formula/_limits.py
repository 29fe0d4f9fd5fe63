"""What the readers of formulas have in common: errors with a line, and a limit of variables."""

from __future__ import annotations

_MOST_UNUSED = 1_000_000  # variables that a text may announce without being long enough for them


def at_line(number: int, line: bytes, reason: object) -> ValueError:
    """The error about a line."""
    return ValueError(f"line {number} ({shown(line)!r}): {reason}")


def shown(data: bytes) -> str:
    """The beginning of some bytes, for an error."""
    return data[:60].decode(errors="replace")


def check_n_vars(n_vars: int, n_bytes: int) -> int:
    """Return a number of variables, or raise where a short text claims memory for very many."""
    if n_vars > max(n_bytes, _MOST_UNUSED):
        raise ValueError(
            f"the text has {n_bytes} bytes, too few for {n_vars} variables; "
            "number the variables from 1 without gaps"
        )
    return n_vars
