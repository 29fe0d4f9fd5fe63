"""The networks of a folder by name; `names`, `card` and `load` are those of the package."""

from pathlib import Path

from bnnkit._files import write_text
from bnnkit._names import unknown
from bnnkit.zoo.cards import Card

EMPTY = "the zoo is empty; benchmarks/robust_recipes.py makes its networks"
_REPAIR = "install bnnkit anew, or make both with benchmarks/robust_recipes.py"


class Zoo:
    """A folder of networks, ``NAME.npz``, with their cards, ``NAME.json``.

    Parameters
    ----------
    folder : str or path-like

    Examples
    --------
    A folder of your own, with a network from the package:

    >>> import tempfile
    >>> from bnnkit import zoo
    >>> name = "mnist-mlp-eps0.1"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     mine = zoo.Zoo(folder)
    ...     mine.add(zoo.card(name), zoo.load(name))
    ...     mine.names(), mine.load(name) == zoo.load(name)
    (('mnist-mlp-eps0.1',), True)
    """

    def __init__(self, folder):
        self.folder = Path(folder)

    def names(self):
        """See `bnnkit.zoo.names`."""
        return tuple(sorted(path.stem for path in self.folder.glob("[!.]*.json")))

    def card(self, name):
        """See `bnnkit.zoo.card`."""
        path = self._file(name, ".json")
        try:
            card = Card.from_json(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
        if card.name != name:
            raise ValueError(f"{path} is the card of {card.name!r}; {_REPAIR}")
        return card

    def load(self, name):
        """See `bnnkit.zoo.load`."""
        from bnnkit.network import BinaryNetwork

        path, card = self._file(name, ".npz"), self.card(name)
        try:
            network = BinaryNetwork.load(path)
        except FileNotFoundError:
            raise ValueError(f"{path} is missing; {_REPAIR}") from None
        difference = _difference(card, network)
        if difference:
            raise ValueError(f"{path} is not the network of its card: {difference}; {_REPAIR}")
        return network

    def add(self, card, network):
        """Write a network and its card, in place of those of the same name.

        Raises
        ------
        ValueError
            The card is about another network.
        """
        difference = _difference(card, network)
        if difference:
            raise ValueError(f"the card of {card.name} is about another network: {difference}")
        network.save(self.folder / f"{card.name}.npz")
        write_text(self.folder / f"{card.name}.json", card.to_json())

    def _file(self, name, suffix):
        known = self.names()
        if not known:
            raise ValueError(EMPTY)
        if name in known:
            return self.folder / f"{name}{suffix}"
        raise ValueError(unknown("network of the zoo", name, known))


def _difference(card, network):
    """What a card says otherwise than a network: a sentence's part, empty if nothing."""
    facts = {
        "digest": network.digest,
        "quant_step": float(network.quantiser.step),
        "input_shape": list(network.input_shape),
    }
    return ", ".join(
        f"its {name} is {fact}, the card says {getattr(card, name)}"
        for name, fact in facts.items()
        if getattr(card, name) != fact
    )


PACKAGED = Zoo(Path(__file__).parent)


def names():
    """Return the names of the networks that come with the package.

    Returns
    -------
    tuple of str
        "DATASET-ARCHITECTURE-epsRADIUS", for CIFAR-10 with the radius in grey levels:
        "mnist-conv-small-eps0.1", "cifar10-conv-small-eps8".

    Examples
    --------
    >>> from bnnkit import zoo
    >>> zoo.names()[-1]
    'mnist-mlp-eps0.1'
    """
    return PACKAGED.names()


def card(name):
    """Return what is known of a network: how it was trained, and what is proved about it.

    Parameters
    ----------
    name : str
        One of `names`.

    Returns
    -------
    Card

    Raises
    ------
    ValueError
        Unknown name, or a file that is damaged or another network's.

    Examples
    --------
    >>> from bnnkit import zoo
    >>> zoo.card("mnist-mlp-eps0.1").evaluation.certified_accuracy
    0.8498
    """
    return PACKAGED.card(name)


def load(name):
    """Load a network that comes with the package.

    Parameters
    ----------
    name : str
        One of `names`.

    Returns
    -------
    BinaryNetwork
        To the bit the one that its card is about: the digests are compared.

    Raises
    ------
    ValueError
        Unknown name, or a file that is missing, damaged or not the card's.

    Examples
    --------
    >>> from bnnkit import zoo
    >>> zoo.load("mnist-mlp-eps0.1").input_shape
    (1, 28, 28)
    """
    return PACKAGED.load(name)
