"""The ``bnnkit`` command."""

from bnnkit.cli.main import main

__all__ = ["main"]
