"""Parse the command line, run one command, turn errors into sentences and exit codes."""

import argparse
import importlib
import sys
import traceback

from bnnkit._version import __version__
from bnnkit.cli.parser import Parser

COMMANDS = (
    *("demo", "train", "evaluate", "verify", "attack", "harden"),
    *("assess", "study", "campaign", "compare", "solve", "check", "convert", "fuzz"),
    *("data", "solvers", "zoo"),
)

_EPILOG = """\
exit codes: 0 done; 1 a definite "no" where one was asked for (verify --index, --at-least; check)
or solvers contradict each other (compare); 2 wrong use; 3 verify --index could not decide in
time; verify MODEL SPEC.vnnlib: 0 unsat, 1 sat, 3 neither; solve: 10 satisfiable, 20 unsatisfiable,
0 undecided; 70 an error in bnnkit, or an answer of a solver that failed its check (verify,
campaign status); 130 interrupted.

Every command explains itself: bnnkit verify --help, or bnnkit help verify
"""


def main(argv=None):
    """Run ``bnnkit`` with the arguments `argv` (those of the process by default).

    Returns
    -------
    int
        The exit code.
    """
    argv = sys.argv[1:] if argv is None else argv
    parser = _parser()
    if not argv:
        parser.print_help(sys.stderr)
        return 2
    if argv[0] == "help":
        argv = [*argv[1:], "--help"]
    args = parser.parse_args(argv)
    try:
        return args.run(args)
    except KeyboardInterrupt as interrupt:
        print(f"bnnkit: interrupted{f': {interrupt}' if str(interrupt) else ''}", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has left, as `head` does
        sys.stderr.close()
        return 0
    except OSError as error:
        named = error.filename is not None and error.strerror
        return _complain(args, f"{error.filename}: {error.strerror}" if named else error)
    except (ValueError, TypeError, FloatingPointError) as error:
        return _complain(args, error)
    except Exception:  # not the user's doing; and 1, Python's own code, would say "no"
        traceback.print_exc()
        return 70


def _complain(args, error):
    print(f"bnnkit {args.command}: error: {error}", file=sys.stderr)
    return 2


def _parser():
    parser = Parser(
        prog="bnnkit",
        description="Train, attack, harden and exactly verify binarized neural networks.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"bnnkit {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        module = importlib.import_module(f"bnnkit.cli.{name}")
        command = commands.add_parser(
            name,
            help=module.__doc__,
            description=module.__doc__,
            epilog=module.EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser
