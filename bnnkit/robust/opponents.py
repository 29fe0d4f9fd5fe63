"""Which of several models an attack is run against."""

from bnnkit.ensemble import Vote

AGAINST = ("each", "all", "vote")


def check_against(against):
    """Raise unless `against` is one of `AGAINST`."""
    if not isinstance(against, str) or against not in AGAINST:
        raise ValueError(f"against must be one of {', '.join(AGAINST)}, got {against!r}")


def check_attack(attack):
    """Raise unless `attack` can be called as an attack is."""
    if not is_attack(attack):
        raise TypeError(f"attack must be an Attack such as PGD(), got {attack!r}")


def is_attack(candidate):
    """Whether it is an object with the protocol of `bnnkit.attacks.Attack`."""
    return (
        callable(candidate) and hasattr(candidate, "complete") and not isinstance(candidate, type)
    )


def opponents(models, against):
    """What an attack gets: each of the `models`, the list of them all, or their vote."""
    if against == "all":
        return [list(models)]
    if against == "vote":
        return [Vote(models)]
    return list(models)


def as_one(models):
    """A single model as it is, several as their `Vote`."""
    return models[0] if len(models) == 1 else Vote(models)


def numbered(name, count):
    """Names for `count` things: `name`, or `name[0]`, `name[1]`, ... for several.

    >>> numbered("PGD", 1), numbered("PGD", 2)
    (['PGD'], ['PGD[0]', 'PGD[1]'])
    """
    return [name] if count == 1 else [f"{name}[{i}]" for i in range(count)]
