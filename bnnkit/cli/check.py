"""Check a proof or a certificate, with code that shares nothing with the solvers."""

EXAMPLES = """\
examples:
  bnnkit verify mlp-small.npz --dataset mnist --eps 0.05 --index 7 --certificate c7
  bnnkit check c7
  bnnkit solve formula.cnf.gz --proof proof.gz
  bnnkit check formula.cnf.gz proof.gz

A certificate holds network, image, formula and proof; the formula is made anew from network and
image, and compared. docs/formats.md defines the files.

exit codes: 0 verified, 1 rejected (the place is named), 2 not a file of that kind or wrong use.
"""


def add_arguments(parser):
    """Arguments of ``bnnkit check``."""
    parser.add_argument("path", metavar="CERTIFICATE|FORMULA", help="a folder, or a formula")
    parser.add_argument("proof", metavar="PROOF", nargs="?", help="the proof about the formula")


def run(args):
    """Say what is proved, or what is wrong."""
    from bnnkit.checker import check, check_certificate

    checked = check(args.path, args.proof) if args.proof else check_certificate(args.path)
    if checked.verified:
        print(f"verified: {checked.claim}")
        return 0
    print(f"rejected: {checked.reason}")
    return 1
