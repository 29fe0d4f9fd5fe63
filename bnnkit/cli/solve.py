"""Solve a formula in a DIMACS or OPB file, as the solvers of the competitions do."""

import sys
import time

from bnnkit.cli import options

EXAMPLES = """\
examples:
  bnnkit solve formula.cnf
  bnnkit solve formula.cnf.gz --solver cadical --timeout 60
  bnnkit solve formula.cnf.gz --proof proof.gz
  gunzip -c formula.cnf.gz | bnnkit solve - --solver minicard

The file is DIMACS CNF, which may have reified sums as well: the line "1 -2 3 >= 2 # 5" says that
variable 5 is true exactly if at least two of the literals 1, -2, 3 are; likewise with <=. The line
"b 1 -2 3 0 2 5 0" of CryptoMiniSat says the same. Or it is OPB, the linear constraints of the
pseudo-Boolean competitions: "+2 x1 -1 ~x2 >= 1 ;". The content decides, not the name.

exit codes: 10 satisfiable (the lines v give an assignment, which has been checked),
20 unsatisfiable, 0 undecided, 2 not a formula or wrong use.
"""

_ANSWERS = {
    "sat": ("s SATISFIABLE", 10),
    "unsat": ("s UNSATISFIABLE", 20),
    "unknown": ("s UNKNOWN", 0),
}
_WIDTH = 78  # characters of a line of values


def add_arguments(parser):
    """Arguments of ``bnnkit solve``."""
    parser.add_argument(
        "file", metavar="FILE", help="plain, .gz, .xz or .bz2; - reads the standard input"
    )
    parser.add_argument(
        "--solver",
        default="native",
        metavar="NAME",
        help="one that bnnkit solvers lists (default: %(default)s)",
    )
    parser.add_argument(
        "--timeout",
        type=options.seconds,
        metavar="S",
        help="seconds for solving, reading not included (default: no limit)",
    )
    parser.add_argument(
        "--proof",
        metavar="FILE",
        help="if there is no solution, write a proof for bnnkit check; gzipped if it ends in .gz",
    )


def run(args):
    """Print comments, the answer and, if there is one, an assignment."""
    from bnnkit import solvers

    solver = solvers.get(args.solver)
    _check_proof(args, solver)
    try:
        formula = _read(args.file)
        outcome = _solve(args, solver(formula, **({"log": True} if args.proof else {})))
    except KeyboardInterrupt:
        print(_ANSWERS["unknown"][0], flush=True)
        raise
    answer, exit_code = _ANSWERS[outcome.status]
    print(answer)
    if outcome.status == "sat":
        print(*_value_lines(outcome.model), sep="\n")
    return exit_code


def _check_proof(args, solver):
    if not args.proof:
        return
    options.check_file(args.proof)
    if not getattr(solver, "proves", False):
        raise ValueError(f"the solver {args.solver} gives no proofs; take native")
    if args.file == "-":
        raise ValueError("a proof is about a file; give its name instead of -")
    from bnnkit.checker.text import read_formula

    read_formula(args.file)  # complains about formats that the checker does not know


def _read(file):
    from bnnkit.formula import Formula

    started = time.monotonic()
    formula = Formula.load(sys.stdin.buffer if file == "-" else file)
    sizes = str(formula).splitlines()[0]
    print(f"c {sizes}, read in {time.monotonic() - started:.2f} s", flush=True)
    return formula


def _solve(args, solver):
    with solver:
        print(f"c solver {solver.name}: {solver.description}", flush=True)
        outcome = solver.solve(timeout=args.timeout)
        statistics = getattr(solver, "statistics", {})
        if args.proof and outcome.status == "unsat":
            solver.proof(outcome).save(args.proof, args.file)
    print(f"c solved in {outcome.seconds:.2f} s")
    for name, number in statistics.items():
        print(f"c {name} {number}")
    if outcome.reason:
        print(f"c unknown: {outcome.reason}")
    return outcome


def _value_lines(model):
    """The lines ``v ...`` of an assignment: a literal for each variable, and 0 at the end."""
    line = "v"
    for variable, value in [*enumerate(model.tolist(), start=1), (0, True)]:
        word = f" {variable}" if value else f" -{variable}"
        if len(line) + len(word) > _WIDTH:
            yield line
            line = "v"
        line += word
    yield line
