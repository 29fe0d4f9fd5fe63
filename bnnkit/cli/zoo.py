"""List the certified networks that come with the package, or show the card of one."""

from dataclasses import asdict

from bnnkit.cli import options

EXAMPLES = """\
examples:
  bnnkit zoo
  bnnkit zoo mnist-conv-small-eps0.1
  bnnkit verify zoo:mnist-conv-small-eps0.1 --dataset mnist --eps 0.1

Every command that takes a file of a network takes zoo:NAME too.
"""


def add_arguments(parser):
    """Arguments of ``bnnkit zoo``."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="show the card of this network")
    options.add_json(parser)


def run(args):
    """Print one card, or a table of all."""
    from bnnkit import zoo
    from bnnkit.zoo.catalog import EMPTY

    if args.name is not None:
        card = zoo.card(args.name)
        options.show(args, str(card), asdict(card))
        return 0
    cards = [zoo.card(name) for name in zoo.names()]
    options.show(args, _table(cards) if cards else EMPTY, [asdict(card) for card in cards])
    return 0


def _table(cards):
    from bnnkit._table import table
    from bnnkit.zoo.cards import radius_text

    rows = [
        (
            *(card.name, card.dataset, card.architecture, radius_text(card.eps)),
            *(f"{card.evaluation.clean_accuracy:.2%}", f"{card.evaluation.pgd_accuracy:.2%}"),
            f"{card.evaluation.certified_accuracy:.2%}",
        )
        for card in cards
    ]
    header = ("network", "data set", "architecture", "eps", "clean", "PGD", "certified")
    return table(header, rows, left=(0, 1, 2))
