"""Ask, exactly, whether any image within eps is misclassified."""

import itertools

from bnnkit.cli import options, specification

EXAMPLES = f"""\
examples:
  bnnkit verify mlp-small.npz --dataset mnist --eps 0.05 --first 100
  bnnkit verify mlp-small.npz --dataset mnist --eps 0.05 --solver minicard cadical cp-sat
  bnnkit verify mlp-small.npz --dataset mnist --eps 8/255 --index 7
  bnnkit verify mlp-small.npz --dataset mnist --eps 8/255 --index 7 --certificate c7
  bnnkit verify mlp-small.npz --dataset mnist --eps 0.1 --first 10000 --jobs 2 --store run.sqlite
  bnnkit verify mlp-small.npz --dataset mnist --eps 0.1 --index 7 --write-formula seven.opb.gz
  bnnkit verify a.npz b.npz c.npz --dataset mnist --eps 0.05 --question vote

robust: proved for every image of the ball. falsified: a misclassified image was found and
checked; images that are wrong as they are count here. unknown: out of time, or an error. If an
answer of a solver fails its check, that is a defect in the solver or in bnnkit: the question is
unknown, the others are asked, and the exit code is 70.

Of several models, --question vote asks whether an image makes their vote wrong, joint whether one
makes all of them choose the same wrong class.

--write-formula puts a question to any other solver, about one image and one network that rounds
pixels to levels: its formula is satisfiable exactly if the image is not robust. The end of the name
says the format: .cnf clauses alone, .rcnf DIMACS with reified sums, .bnn the lines of
CryptoMiniSat, .opb linear constraints; .gz, .xz or .bz2 may follow. bnnkit solve reads them all.

{specification.EXAMPLES}"""

_EXIT_CODES = {"robust": 0, "falsified": 1, "unknown": 3}


def add_arguments(parser):
    """Arguments of ``bnnkit verify``."""
    options.add_network(parser, nargs="+")
    options.add_data(parser)
    options.add_question(parser, required=False)
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
    parser.add_argument(
        "--write-formula",
        metavar="FILE",
        help="with --index: write the question as a formula instead of answering it",
    )
    parser.add_argument(
        "--question",
        choices=["vote", "joint"],
        default="vote",
        help="what to ask of several models (default: vote)",
    )
    options.add_campaign(parser)
    parser.add_argument("--csv", metavar="FILE", help="write a row for each image and solver")
    parser.add_argument(
        "--results", metavar="FILE", help="of a .vnnlib question: write the answer here, too"
    )
    options.add_json(parser)


def run(args):
    """Verify with each solver in turn; keep what is finished if interrupted."""
    from bnnkit import solvers
    from bnnkit.verification import combine
    from bnnkit.verification.pipeline import check_fallback

    if specification.is_specification(args.model):
        return specification.run(args)
    if args.eps is None:
        raise ValueError("--eps is needed: the radius of the ball, such as 0.1 or 8/255")
    if args.results:
        raise ValueError("--results is for a .vnnlib file after the model; take --csv or --json")
    options.check_file(args.csv)
    options.check_folder(args.certificate)
    if args.index is not None and args.at_least is not None:
        raise ValueError("--at-least is about many images; with --index the exit code answers")
    if args.certificate and (args.index is None or len(args.solver) > 1 or len(args.model) > 1):
        raise ValueError("--certificate is about one image, network and solver: give --index")
    if args.write_formula:
        _check_formula(args)
    networks = [options.load_network(text) for text in args.model]
    network = networks if len(networks) > 1 else networks[0]
    data = options.load_data(args)
    images, labels = _chosen(args, data.test)
    if args.write_formula:
        return _write_formula(args, network, images, labels)
    names = list(dict.fromkeys(args.solver))
    for name in names:
        solvers.get(name)
        check_fallback(name, args.timeout, args.fallback)
    results, interrupted = {}, None
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
        raise interrupted
    if any(verdicts.wrong for verdicts in results.values()):
        return 70  # the warning has told which
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


def _check_formula(args):
    """Complain, before any work, about a question that cannot be written."""
    from bnnkit.interop.formulas import writer_for

    options.check_file(args.write_formula)
    writer_for(args.write_formula)
    if args.index is None:
        raise ValueError("--write-formula is about one image; name it with --index")
    if len(args.model) > 1:
        raise ValueError(f"--write-formula is about one model, got {len(args.model)}")


def _write_formula(args, network, images, labels):
    from bnnkit.interop import write_formula
    from bnnkit.verification import encode_question

    formula = encode_question(network, images[0], labels[0], args.eps, args.pixels).formula
    comments = [
        f"network {network.digest}",
        f"{args.dataset} test image {args.index}, label {labels[0]}, eps {args.eps}, "
        f"{args.pixels} pixels",
        "satisfiable exactly if an image within eps gets another class",
        f"{formula.n_vars} variables before any of the encoding",
    ]
    write_formula(formula, args.write_formula, comments)
    print(f"{args.write_formula}: {str(formula).splitlines()[0]}")
    return 0


def _verdicts(args, network, images, labels, solver):
    """The Verdicts of one solver, and the interrupt that cut them short, if one did."""
    from bnnkit.campaign import iter_verdicts
    from bnnkit.verification import Verdicts

    found, interrupted = {}, None
    names = "pixels", "fallback", "question", "store", "retry", "memory_limit"
    chosen = {name: getattr(args, name) for name in names}
    try:
        if args.certificate:
            chosen["certificate"] = args.certificate
        for place, verdict in iter_verdicts(
            *(network, images, labels, args.eps, solver, args.timeout, args.jobs),
            **chosen,
        ):
            found[place] = verdict
    except KeyboardInterrupt as error:
        interrupted = error
    # up to the first one that is missing, as an image is known by its place
    known = itertools.takewhile(found.__contains__, range(len(images)))
    return Verdicts(found[place] for place in known), interrupted


def _text(args, results, wrong):
    from bnnkit._table import table

    if args.index is not None:
        return "\n".join(
            f"{name}: {_sentence(args, verdict)}"
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


def _sentence(args, verdict):
    joint = len(args.model) > 1 and args.question == "joint"
    everywhere = f"class {verdict.label} everywhere" if not joint else "no class fools all models"
    said = {
        "robust": f"robust: {everywhere} within {verdict.eps:g}",
        "falsified": f"falsified: class {verdict.predicted} instead of {verdict.label}",
        "unknown": f"unknown: {verdict.reason}",
    }[verdict.status]
    return f"{said} ({verdict.stage}, {verdict.seconds:.3f} s)"


def _report(args, results, wrong):
    several = {"model": args.model, "question": args.question}
    return {
        **(several if len(args.model) > 1 else {"model": args.model[0]}),
        "dataset": args.dataset,
        "eps": float(args.eps),
        "timeout": args.timeout,
        "solvers": {
            name: {
                "n": len(verdicts),
                **verdicts.counts,
                "misclassified": verdicts.misclassified,
                "wrong": verdicts.wrong,
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
