"""Several models, several measures: one table."""

from bnnkit import verify_all
from bnnkit._checks import as_eps
from bnnkit._table import table
from bnnkit.assess._radius import eps_text
from bnnkit.assess._stored import Tabular
from bnnkit.assess.measures import WhiteBox, accuracy, exact_networks
from bnnkit.assess.rates import Between, Rate
from bnnkit.attacks import FGSM, PGD, VoteExact
from bnnkit.attacks.models import exact_network, gradient_of, predict, predict_clean
from bnnkit.ensemble import Vote


class Overview(Tabular):
    """A table of models and measures.

    Parameters
    ----------
    models : dict of str to dict of str to object
        For each model its measures: `Rate`, `Between`, `Mean`, numbers, or None for what cannot be
        measured of this model, which is shown as "-", as are measures that it lacks.

    Attributes
    ----------
    models : dict

    Examples
    --------
    >>> from bnnkit.assess import Overview, Rate
    >>> print(Overview({
    ...     "BNN": {"clean accuracy": Rate(95, 100), "certified accuracy, eps 0.1": Rate(60, 100)},
    ...     "real": {"clean accuracy": Rate(97, 100), "certified accuracy, eps 0.1": None},
    ... }))
    measure                        n                    BNN                   real
    clean accuracy               100  95.0 % (88.8 to 97.8)  97.0 % (91.5 to 99.0)
    certified accuracy, eps 0.1  100  60.0 % (50.2 to 69.1)                      -
    """

    def __init__(self, models):
        self.models = {name: dict(measures) for name, measures in models.items()}

    @property
    def measures(self):
        """The names of all measures, in the order in which they come."""
        return list(dict.fromkeys(name for found in self.models.values() for name in found))

    def __str__(self):
        """The table; n is the number of images, where all models have the same."""
        rows = []
        for name in self.measures:
            values = [found.get(name) for found in self.models.values()]
            rows.append((name, _size(values), *map(_shown, values)))
        return table(("measure", "n", *self.models), rows)

    def rows(self):
        """Header and rows of a table with one row for each model and measure."""
        header = ("model", "measure", "value", "most", "n", "low", "high")
        return header, [
            (model, name, *_parts(found.get(name)))
            for model, found in self.models.items()
            for name in self.measures
        ]

    def to_dict(self):
        """For each model and measure value, most, n, low and high, as plain numbers or None."""
        keys, rows = self.rows()
        result = {model: {} for model in self.models}
        for model, name, *parts in rows:
            result[model][name] = {
                key: None if part == "" else part for key, part in zip(keys[2:], parts, strict=True)
            }
        return result


def measure(
    model,
    images,
    labels,
    *,
    eps=(),
    pools=None,
    attacks=None,
    solver="native",
    timeout=60.0,
    n_jobs=1,
    **options,
):
    """Everything that can be measured of a model, for a row of an `Overview`.

    Parameters
    ----------
    model : object
        With ``predict(images)``.
    images, labels : array_like
        Test images.
    eps : sequence of float
        Radii for verification and attacks.
    pools : dict of str to AdversarialPool or tuple (images, labels), optional
        Fixed adversarial images of other models, for transfer accuracy.
    attacks : dict of str to Attack, optional
    solver, timeout, n_jobs, **options
        As for `verify_all`.

    Returns
    -------
    dict of str to Rate, Between or None
        "clean accuracy"; "accuracy on POOL"; for each eps "accuracy under ATTACK" (`Between`
        where it ran out of time), "certified accuracy" and "vulnerable". None where the model
        lacks what is needed: an exact network, or a gradient. So a real-valued net has attacks
        and transfer alone.

    Examples
    --------
    >>> import bnnkit
    >>> from bnnkit.assess import measure
    >>> network = bnnkit.zoo.load("mnist-mlp-eps0.1")
    >>> images = np.zeros((2, 1, 28, 28), np.uint8)
    >>> labels = network.predict(images)
    >>> for name, measured in measure(network, images, labels, eps=[0.01]).items():
    ...     print(f"{name}: {measured}")
    clean accuracy: 100.0 % (34.2 to 100.0)
    certified accuracy, eps 0.01: 100.0 % (34.2 to 100.0)
    vulnerable, eps 0.01: 0.0 % (0.0 to 65.8)
    """
    found = {"clean accuracy": accuracy(predict_clean(model, images), labels)}
    for name, pool in (pools or {}).items():
        shown, true = pool if isinstance(pool, tuple) else (pool.images, pool.labels)
        found[f"accuracy on {name}"] = accuracy(predict(model, shown), true)
    for radius in map(as_eps, eps):
        for name, attack in (attacks or {}).items():
            rate = None
            if _applies(attack, model):
                rate = _withstood(attack(model, images, labels, radius))
            found[f"accuracy under {name}, eps {eps_text(radius)}"] = rate
        counts = None
        if _has(exact_networks, model):
            networks = exact_networks(model)
            asked = networks if len(networks) > 1 else networks[0]
            counts = WhiteBox.of(
                verify_all(asked, images, labels, radius, solver, timeout, n_jobs, **options)
            )
        found |= whitebox_measures(counts, radius)
    return found


def whitebox_measures(counts, eps):
    """The measures of `WhiteBox` counts under the names that `measure` gives them.

    Parameters
    ----------
    counts : WhiteBox or None
    eps : float

    Returns
    -------
    dict

    Examples
    --------
    >>> from bnnkit.assess import WhiteBox, whitebox_measures
    >>> counts = WhiteBox(robust=80, falsified=15, unknown=5)
    >>> for name, measured in whitebox_measures(counts, eps=0.1).items():
    ...     print(f"{name}: {measured}")
    certified accuracy, eps 0.1: 80.0 % (71.1 to 86.7)
    vulnerable, eps 0.1: 15.0 to 20.0 % (9.3 to 28.9)
    """
    names = {"certified_accuracy": "certified accuracy", "vulnerable": "vulnerable"}
    return {
        f"{name}, eps {eps_text(eps)}": None if counts is None else getattr(counts, attribute)
        for attribute, name in names.items()
    }


def _applies(attack, model):
    """Whether the model has what an attack asks for."""
    if isinstance(attack, VoteExact):
        return isinstance(model, Vote) and _has(exact_networks, model)
    if attack.complete:
        return _has(exact_network, model)
    return not isinstance(attack, (FGSM, PGD)) or _has(gradient_of, model)


def _withstood(result):
    """The Rate of images that are not fooled; between which counts it is, where some are open."""
    least, open_ = int(result.withstood.sum()), int(result.undecided.sum())
    n = len(result.success)
    return Between(least, least + open_, n) if open_ else Rate(least, n)


def _has(need, model):
    try:
        need(model)
    except TypeError:
        return False
    return True


def _size(values):
    sizes = {value.n for value in values if hasattr(value, "n")}
    return min(sizes) if len(sizes) == 1 else ""


def _shown(value):
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _parts(value):
    """value, most, n, low, high; "" for what there is not."""
    if value is None:
        return ("",) * 5
    if not hasattr(value, "interval"):
        return (value, "", "", "", "")
    least, most = value.share if isinstance(value.share, tuple) else (value.share, "")
    return (least, most, value.n, *value.interval)
