"""``bnnkit verify MODEL.onnx SPEC.vnnlib``: one question, in the manner of VNN-COMP."""

import argparse
import sys

from bnnkit.cli import options

SUFFIXES = (".vnnlib", ".vnnlib.gz")
EXAMPLES = """\
A second file that ends in .vnnlib or .vnnlib.gz is a question about an ONNX network that reads real
pixels. The answer is one word, sat, unsat, timeout or unknown; after sat comes a witness, which has
been replayed in exact arithmetic. --timeout covers reading as well; --results is the only other
option that applies. What more there is to say goes to the standard error. Exit codes: 0 unsat,
1 sat, 3 timeout or unknown.

  bnnkit verify net.onnx.gz question.vnnlib.gz --timeout 480 --results answer.txt
"""

_OPTIONS = ("model", "timeout", "results")
_EXIT_CODES = {"unsat": 0, "sat": 1, "timeout": 3, "unknown": 3}


def is_specification(models):
    """Whether the files after ``bnnkit verify`` are a network and a question about it."""
    return any(text.lower().endswith(SUFFIXES) for text in models)


def run(args):
    """Print the answer, and write it to a file where one is asked for."""
    from bnnkit.interop import vnncomp

    if len(args.model) != 2 or is_specification(args.model[:1]):
        raise ValueError("one network and one .vnnlib file, in this order, are expected")
    _check_options(args)
    options.check_file(args.results)
    result = vnncomp.solve(*args.model, args.timeout)
    if args.results:
        result.save(args.results)
    print(result.text)
    for verdict in result.verdicts:
        print(_sentence(verdict), file=sys.stderr)
    if result.replayed is False:
        print("in float32, rounding makes another class of the witness", file=sys.stderr)
    return _EXIT_CODES[result.answer]


def _check_options(args):
    """Complain about options of bnnkit verify that are about images of a dataset."""
    from bnnkit.cli import verify

    parser = argparse.ArgumentParser()
    verify.add_arguments(parser)
    for name, default in vars(parser.parse_args(args.model)).items():
        if name not in _OPTIONS and getattr(args, name) != default:
            raise ValueError(
                f"--{name.replace('_', '-')} is not for a .vnnlib question, which takes --timeout "
                "and --results only"
            )


def _sentence(verdict):
    from bnnkit.interop.vnnlib import as_float

    stages = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in verdict.timings.items())
    said = f"{verdict.status} ({verdict.stage}): {stages}"
    if verdict.margins is None:
        return said
    first, later = verdict.margins
    varies = first is not None
    first = f"first-layer margin {as_float(first):g}" if varies else "no first-layer sum varies"
    return f"{said}; class {verdict.scores.argmax()}, {first}, later ones {later}"
