"""The decorators of this folder's compiled functions."""

from pathlib import Path

from bnnkit._compile import entries, inner

__all__ = ["entry", "inner"]

entry = entries(Path(__file__).parent)
