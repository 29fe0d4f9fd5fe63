"""Running commands as a user does."""

import json

from bnnkit.cli import main

TRAINING = ["--architecture", "32", "--quant-step", "0.5", "--epochs", "4", "--mask-decay", "1e-3"]


def report(capsys, *arguments):
    """Run with --json; return exit code and the object."""
    capsys.readouterr()
    code = main([*map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)
