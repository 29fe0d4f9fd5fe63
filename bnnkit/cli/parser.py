"""argparse, with the nearest right name in each complaint about a wrong one."""

import argparse
import itertools

from bnnkit._names import nearest, unknown


class Parser(argparse.ArgumentParser):
    """A parser that asks "did you mean ...?"; its subcommands are parsed by the same class."""

    def parse_known_args(self, args, namespace=None):
        """Parse arguments, all of which must be known.

        Unknown options are looked for first: a misspelt one that is required is not "missing".
        """
        mine = itertools.takewhile(lambda text: text != "--", args)
        if self._subparsers is not None:  # what follows the subcommand is for its own parser
            mine = itertools.takewhile(lambda text: text.startswith("-"), mine)
        for text in mine:
            self._check_option(text.partition("=")[0])
        found, rest = super().parse_known_args(args, namespace)
        if rest:
            self.error(f"unrecognized arguments: {' '.join(rest)}")
        return found, rest

    def _check_option(self, name):
        known = [option for option in self._option_string_actions if option.startswith("--")]
        if name.startswith("--") and not any(option.startswith(name) for option in known):
            self.error(f"there is no option {name}{nearest(name, known)}")

    def _check_value(self, action, value):
        if action.choices is not None and value not in action.choices:
            what = "command" if isinstance(action, argparse._SubParsersAction) else "choice"
            raise argparse.ArgumentError(action, unknown(what, value, action.choices))
