"""List the solvers that can be used here."""

from bnnkit.cli import options

EXAMPLES = """\
example:
  bnnkit solvers --json
"""


def add_arguments(parser):
    """Arguments of ``bnnkit solvers``."""
    options.add_json(parser)


def run(args):
    """Print names and descriptions."""
    from bnnkit import solvers

    found = dict(solvers.available())
    width = max(map(len, found))
    lines = [f"{name:<{width}}  {description}" for name, description in found.items()]
    options.show(args, "\n".join(lines), found)
    return 0
