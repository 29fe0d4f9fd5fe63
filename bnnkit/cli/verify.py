"""Ask, exactly, whether any image within eps is misclassified."""

from bnnkit.cli import options

EXAMPLES = """\
examples:
  bnnkit verify mlp-small.npz --dataset mnist --eps 0.05 --first 100
  bnnkit verify mlp-small.npz --dataset mnist --eps 0.05 --solver minicard cadical cp-sat
  bnnkit verify mlp-small.npz --dataset mnist --eps 8/255 --index 7
  bnnkit verify mlp-small.npz --dataset mnist --eps 8/255 --index 7 --certificate c7

robust: proved for every image of the ball. falsified: a misclassified image was found and
checked; images that are wrong as they are count here. unknown: out of time.
"""

_EXIT_CODES = {"robust": 0, "falsified": 1, "unknown": 3}


def add_arguments(parser):
    """Arguments of ``bnnkit verify``."""
    options.add_network(parser)
    options.add_data(parser)
    options.add_question(parser)
    parser.add_argument(
        "--solver",
        nargs="+",
        default=["native"],
        metavar="NAME",
        help="one or more of those that bnnkit solvers lists (default: native)",
    )
    parser.add_argument(
        "--index",
        type=int,
        metavar="I",
        help="test image I alone; exit code 0 robust, 1 falsified, 3 unknown",
    )
    parser.add_argument(
        "--at-least",
        type=options.share,
        metavar="A",
        help="exit code 1 if the share of images proved robust, by any solver, is below A",
    )
    parser.add_argument(
        "--pixels",
        choices=["real", "uint8"],
        default="real",
        help="adversarial images may be any, or 8-bit ones only",
    )
    parser.add_argument(
        "--fallback",
        metavar="NAME",
        help="a second solver for what is open after 15 s, such as cp-sat",
    )
    parser.add_argument(
        "--certificate",
        metavar="FOLDER",
        help="with --index: if the answer is robust, write a certificate for bnnkit check",
    )
    parser.add_argument("--csv", metavar="FILE", help="write a row for each image and solver")
    options.add_json(parser)


def run(args):
    """Verify with each solver in turn; keep what is finished if interrupted."""
    from bnnkit import solvers
    from bnnkit.verification import combine
    from bnnkit.verification.pipeline import check_fallback

    options.check_file(args.csv)
    options.check_folder(args.certificate)
    if args.index is not None and args.at_least is not None:
        raise ValueError("--at-least is about many images; with --index the exit code answers")
    if args.certificate and (args.index is None or len(args.solver) > 1):
        raise ValueError("--certificate is about one image and one solver: give --index")
    network = options.load_network(args.model)
    data = options.load_data(args)
    images, labels = _chosen(args, data.test)
    names = list(dict.fromkeys(args.solver))
    for name in names:
        solvers.get(name)
        check_fallback(name, args.timeout, args.fallback)
    results, interrupted = {}, False
    for name in names:
        results[name], interrupted = _verdicts(args, network, images, labels, name)
        if interrupted:
            break
    statuses, wrong = combine(results.values())
    options.show(args, _text(args, results, wrong), _report(args, results, wrong))
    if args.csv:
        _write_csv(args.csv, results)
    if wrong:
        raise RuntimeError(f"the solvers disagree on images {wrong}, please report this")
    if interrupted:
        raise KeyboardInterrupt
    if args.index is not None:
        return _EXIT_CODES[statuses[0]]
    certified = statuses.count("robust") / len(statuses)
    return int(args.at_least is not None and certified < args.at_least)


def _chosen(args, split):
    if args.index is None:
        return split.images[: args.first], split.labels[: args.first]
    if not 0 <= args.index < len(split):
        raise ValueError(f"--index must be from 0 to {len(split) - 1}, got {args.index}")
    return split.images[[args.index]], split.labels[[args.index]]


def _verdicts(args, network, images, labels, solver):
    """The Verdicts of one solver, and whether Ctrl-C cut them short."""
    from bnnkit.verification import Verdicts, iter_verdicts

    found = []
    try:
        chosen = {"pixels": args.pixels, "fallback": args.fallback}
        chosen["certificate"] = args.certificate
        for verdict in iter_verdicts(
            network, images, labels, args.eps, solver, args.timeout, args.jobs, **chosen
        ):
            found.append(verdict)
    except KeyboardInterrupt:
        return Verdicts(found), True
    return Verdicts(found), False


def _text(args, results, wrong):
    from bnnkit._table import table

    if args.index is not None:
        return "\n".join(
            f"{name}: {_sentence(verdict)}"
            for name, verdicts in results.items()
            for verdict in verdicts
        )
    header = ("solver", "images", "robust", "falsified", "unknown", "wrong as is", "mean s")
    rows = [
        (
            name,
            len(verdicts),
            *verdicts.counts.values(),
            verdicts.misclassified,
            f"{verdicts.seconds / max(len(verdicts), 1):.4f}",
        )
        for name, verdicts in results.items()
    ]
    if len(results) == 1:
        return table(header, rows)
    agreement = f"disagreement on images {wrong}" if wrong else "no disagreement between solvers"
    return table(header, rows) + "\n" + agreement


def _sentence(verdict):
    said = {
        "robust": f"robust: class {verdict.label} everywhere within {verdict.eps:g}",
        "falsified": f"falsified: class {verdict.predicted} instead of {verdict.label}",
        "unknown": f"unknown: {verdict.reason}",
    }[verdict.status]
    return f"{said} ({verdict.stage}, {verdict.seconds:.3f} s)"


def _report(args, results, wrong):
    return {
        "model": args.model,
        "dataset": args.dataset,
        "eps": float(args.eps),
        "timeout": args.timeout,
        "solvers": {
            name: {
                "n": len(verdicts),
                **verdicts.counts,
                "misclassified": verdicts.misclassified,
                "seconds": verdicts.seconds,
                "status": verdicts.status.tolist(),
            }
            for name, verdicts in results.items()
        },
        "disagreements": wrong,
    }


def _write_csv(path, results):
    from bnnkit._files import write_text

    lines = []
    for name, verdicts in results.items():
        header, *rows = verdicts.to_csv().splitlines()
        lines += [f"solver,{header}"] if not lines else []
        lines += [f"{name},{row}" for row in rows]
    write_text(path, "\n".join(lines) + "\n")
