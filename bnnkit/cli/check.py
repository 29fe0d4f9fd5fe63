"""Check a proof or a certificate, with code that shares nothing with the solvers."""

from pathlib import Path

EXAMPLES = """\
examples:
  bnnkit verify mlp-small.npz --dataset mnist --eps 0.05 --index 7 --certificate c7
  bnnkit check c7
  bnnkit solve formula.cnf.gz --proof proof.gz
  bnnkit check formula.cnf.gz proof.gz
  bnnkit check formula.cnf.gz proof.gz --veripb theirs   # and then: veripb theirs.opb theirs.pbp

A certificate holds network, image, formula and proof; the formula is made anew from network and
image, and compared. docs/formats.md defines the files.

exit codes: 0 verified, 1 rejected (the place is named), 2 not a file of that kind or wrong use.
"""


def add_arguments(parser):
    """Arguments of ``bnnkit check``."""
    parser.add_argument("path", metavar="CERTIFICATE|FORMULA", help="a folder, or a formula")
    parser.add_argument("proof", metavar="PROOF", nargs="?", help="the proof about the formula")
    parser.add_argument(
        "--veripb",
        metavar="PREFIX",
        help="also write formula and proof for VeriPB, PREFIX.opb and PREFIX.pbp",
    )


def run(args):
    """Say what is proved, or what is wrong."""
    try:
        return _run(args)
    except MemoryError:
        raise ValueError(
            f"{args.path}: checking it takes more memory than there is; "
            "use a machine with more, or do not believe it"
        ) from None


def _run(args):
    from bnnkit.checker import check, check_certificate
    from bnnkit.checker.certificate import FORMULA, PROOF

    checked = check(args.path, args.proof) if args.proof else check_certificate(args.path)
    if args.veripb:
        from bnnkit.interop import veripb

        folder = Path(args.path)
        files = (args.path, args.proof) if args.proof else (folder / FORMULA, folder / PROOF)
        veripb.save(*files, args.veripb)
    if checked.verified:
        print(f"verified: {checked.claim}")
        return 0
    print(f"rejected: {checked.reason}")
    return 1
