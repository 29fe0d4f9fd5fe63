"""The decorators of the checker's functions, which call each other across files."""

from pathlib import Path

from bnnkit._compile import entries, inner, shared

__all__ = ["entry", "inner", "shared"]

entry = entries(Path(__file__).parent)
