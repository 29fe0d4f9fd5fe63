"""`Card`: what is known of a network of the zoo, and the commands that reproduce it."""

import json
from dataclasses import asdict, dataclass, fields

from bnnkit._checks import simplest_fraction


class _Part:
    """A part of a card; TypeError where an entry is not of the type that its class declares."""

    def __post_init__(self):
        for field in fields(self):
            name, value = field.name, getattr(self, field.name)
            types = (int, float) if field.type is float else field.type
            if not isinstance(value, types) or isinstance(value, bool):
                raise TypeError(f"{name} must be of type {field.type.__name__}, got {value!r}")


@dataclass(frozen=True)
class Training(_Part):
    """How a network was trained.

    Attributes
    ----------
    settings : dict
        All arguments of `bnnkit.BNNClassifier`, defaults included: plain values, and the
        text of what is none, such as "PGDTraining(eps=0.1, ...)".
    images : int
        Size of the training set, held-out images included.
    epochs : int
        Epochs that were trained; fewer than ``settings["epochs"]`` after an early stop.
    best_epoch : int
        The one whose network this is, from 1: chosen by held-out training images.
    minutes : float
        Of these epochs, validation included; one thread.
    machine, date, version : str
        Where, when (ISO 8601), and by which bnnkit.
    command : str
        Trains the network anew, from the repository's root.

    Examples
    --------
    >>> from bnnkit import zoo
    >>> training = zoo.card("mnist-mlp-eps0.1").training
    >>> training.settings["architecture"], training.best_epoch <= training.epochs
    ('500-300-200-100', True)
    """

    settings: dict
    images: int
    epochs: int
    best_epoch: int
    minutes: float
    machine: str
    date: str
    version: str
    command: str

    @property
    def seed(self):
        """Seed of the training."""
        return self.settings["random_state"]


@dataclass(frozen=True)
class Evaluation(_Part):
    """What was measured on the test images, all of them; numbers are counts of images.

    Attributes
    ----------
    images : int
    images_digest : str
        SHA-256 of the images and labels: the numbers are about these and no others.
    correct : int
        Classified as their label.
    withstood_pgd : int
        Correct, and not fooled by `attack`.
    robust, falsified, unknown : int
        Verdicts (`bnnkit.Verdict`); they add up to `images`. A wrong one is falsified.
    first : dict of str to int
        Verdicts of the first 1,000 images alone, to be found again sooner than all.
    attack : str
        What `withstood_pgd` is about, "PGD(steps=100, ...)".
    solver : str
    timeout : float
        Seconds after which a question is unknown.
    verify_ms : float
        Mean milliseconds of a question, all stages: a process on one core.
    machine, date, version : str
        Where, when (ISO 8601), and by which bnnkit.
    command : str
        Verifies all images anew, from the repository's root.

    Examples
    --------
    >>> from bnnkit import zoo
    >>> found = zoo.card("mnist-mlp-eps0.1").evaluation
    >>> found.robust + found.falsified + found.unknown == found.images
    True
    >>> found.certified_accuracy <= found.pgd_accuracy <= found.clean_accuracy
    True
    """

    images: int
    images_digest: str
    correct: int
    withstood_pgd: int
    robust: int
    falsified: int
    unknown: int
    first: dict
    attack: str
    solver: str
    timeout: float
    verify_ms: float
    machine: str
    date: str
    version: str
    command: str

    @property
    def clean_accuracy(self):
        """Share of the images that are classified as their label."""
        return self.correct / self.images

    @property
    def pgd_accuracy(self):
        """Share of the images for which the attack found nothing: no proof."""
        return self.withstood_pgd / self.images

    @property
    def certified_accuracy(self):
        """Share of the images that are proved robust."""
        return self.robust / self.images


@dataclass(frozen=True)
class Card(_Part):
    """What is known of one network of the zoo.

    Attributes
    ----------
    name : str
    dataset : str
        As `bnnkit.datasets.load` takes it.
    architecture : str
        As `bnnkit.BNNClassifier` takes it.
    quant_step : float
        Width of an input level, on the [0, 1] scale.
    input_shape : list of int
        Channels, height and width of an image.
    eps : float
        Radius that the network was evaluated for, on the [0, 1] scale.
    sparsity : list of float
        Share of zeros among the weights of each layer, the head last.
    total_sparsity : float
        Share of zeros among all weights.
    digest : str
        SHA-256 of the network, `bnnkit.BinaryNetwork.digest`.
    training : Training
    evaluation : Evaluation

    Examples
    --------
    >>> from bnnkit import zoo
    >>> card = zoo.card("mnist-mlp-eps0.1")
    >>> card.dataset, card.eps, card.quant_step
    ('mnist', 0.1, 0.1)
    """

    name: str
    dataset: str
    architecture: str
    quant_step: float
    input_shape: list
    eps: float
    sparsity: list
    total_sparsity: float
    digest: str
    training: Training
    evaluation: Evaluation

    @classmethod
    def from_json(cls, text):
        """Read what `to_json` wrote.

        Raises
        ------
        ValueError
            No JSON, or an entry that is missing, of another type, or that a card does not have.
        """
        try:
            content = json.loads(text)
            content["training"] = Training(**content["training"])
            content["evaluation"] = Evaluation(**content["evaluation"])
            return cls(**content)
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise ValueError(f"not a card of the zoo: {error}") from None

    def to_json(self):
        """The card as indented JSON text, the same for the same card."""
        return json.dumps(asdict(self), indent=2) + "\n"

    def __str__(self):
        """What a reader asks for first, as lines of text."""
        found, trained = self.evaluation, self.training
        layers = ", ".join(f"{share:.1%}" for share in self.sparsity)
        return "\n".join(
            [
                f"{self.name}: {self.architecture}, step {self.quant_step:g}, "
                f"for eps {radius_text(self.eps)} on {self.dataset}",
                f"test images        {found.images}",
                f"clean accuracy     {found.clean_accuracy:.2%}",
                f"PGD accuracy       {found.pgd_accuracy:.2%} ({found.attack})",
                f"certified accuracy {found.certified_accuracy:.2%} ({found.robust} robust, "
                f"{found.falsified} falsified, {found.unknown} unknown)",
                f"verification       {found.verify_ms:.2f} ms an image ({found.solver}, "
                f"{found.timeout:g} s at most; {found.machine}, {found.date})",
                f"zeros              {self.total_sparsity:.1%} (layers: {layers})",
                f"trained            {trained.epochs} epochs (best: {trained.best_epoch}) on "
                f"{trained.images} images, seed {trained.seed}, {trained.minutes:.0f} min "
                f"({trained.machine}, {trained.date}, bnnkit {trained.version})",
                f"to train it        {trained.command}",
                f"to verify it       {found.command}",
                f"SHA-256            {self.digest}",
            ]
        )


def radius_text(eps):
    """A radius as it was meant.

    >>> radius_text(0.3), radius_text(8 / 255)
    ('0.3', '8/255')
    """
    text = f"{eps:g}"
    return text if float(text) == eps else str(simplest_fraction(eps))
