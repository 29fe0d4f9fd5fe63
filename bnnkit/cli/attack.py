"""Attack a saved network with one or more attacks."""

from bnnkit.cli import options

EXAMPLES = """\
examples:
  bnnkit attack mlp-small.npz --dataset mnist --eps 0.05 --attack noise fgsm pgd exact
  bnnkit attack mlp-small.npz --dataset mnist --eps 0.1 --attack pgd --out pgd

fooled: the attack found a misclassified image, or the image is wrong as it is. withstood
is a proof for the exact attack alone. undecided: out of time.
"""

NAMES = ("noise", "fgsm", "pgd", "exact")


def add_arguments(parser):
    """Arguments of ``bnnkit attack``."""
    options.add_network(parser)
    options.add_data(parser)
    options.add_question(parser)
    options.add_attack_settings(parser)
    parser.add_argument(
        "--attack",
        nargs="+",
        type=options.one_of("attack", NAMES),
        default=["pgd"],
        metavar="NAME",
        help=f"one or more of {', '.join(NAMES)} (default: pgd)",
    )
    parser.add_argument("--seed", type=options.seed, default=0, metavar="N", help="default: 0")
    parser.add_argument(
        "--out", metavar="DIR", help="write the adversarial images there, as .npz and .png"
    )
    options.add_json(parser)


def make_attack(name, args):
    """The attack `name` with the settings in `args`."""
    from bnnkit import attacks

    if name == "noise":
        return attacks.RandomNoise(tries=args.steps, random_state=args.seed)
    if name == "fgsm":
        return attacks.FGSM()
    if name == "pgd":
        return attacks.PGD(steps=args.steps, random_state=args.seed)
    return attacks.Exact(solver=args.solver, timeout=args.timeout, n_jobs=args.jobs)


def run(args):
    """Run each attack, print the counts, write the images."""
    from bnnkit._table import table

    options.check_folder(args.out)
    network = options.load_network(args.model)
    data = options.load_data(args)
    images, labels = data.test.images[: args.first], data.test.labels[: args.first]
    attacks = {name: make_attack(name, args) for name in args.attack}
    rows, report, interrupted = [], {}, False
    for name, attack in attacks.items():
        try:
            result = attack(network, images, labels, args.eps)
        except KeyboardInterrupt:  # show what is finished
            interrupted = True
            break
        counts = {
            "fooled": int(result.success.sum()),
            "withstood": int(result.withstood.sum()),
            "undecided": int(result.undecided.sum()),
        }
        rows.append((name, len(images), *counts.values(), f"{result.seconds:.2f}"))
        report[name] = {"n": len(images), **counts, "seconds": result.seconds}
        if args.out:
            _write(args.out, name, network, images, labels, result)
    text = table(("attack", "images", "fooled", "withstood", "undecided", "s"), rows)
    options.show(args, text, {"model": args.model, "eps": float(args.eps), "attacks": report})
    if interrupted:
        raise KeyboardInterrupt
    return 0


def _write(folder, name, network, images, labels, result):
    from pathlib import Path

    import numpy as np

    from bnnkit._files import write_npz
    from bnnkit.cli.pictures import write_sheet

    found = result.success
    arrays = {"images": result.adversarial[found], "labels": labels[found]}
    arrays |= {"origin": found.nonzero()[0], "split": np.array("test")}  # as `robust.Pool` reads it
    write_npz(Path(folder) / f"{name}.npz", arrays)
    sheet = Path(folder) / f"{name}.png"
    write_sheet(sheet, network, images[found], result.adversarial[found], labels[found])
