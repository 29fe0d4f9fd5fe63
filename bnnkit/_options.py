"""Checks of numeric options, made when an object is constructed or before work begins."""

import numbers

ROUNDING = 1e-9  # of shares of a number: 0.29 * 100 is a little less than 29


def check_count(name, value, least=1, most=None):
    """Raise unless `value` is a whole number of at least `least` and at most `most`."""
    check_whole(name, value)
    if value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, got {value}")
    if most is not None and value > most:
        raise ValueError(f"{name} must be a whole number of at most {most}, got {value}")


def check_seed(name, value):
    """Raise unless `value` is a whole number of at least 0, or None."""
    if value is not None:
        check_count(name, value, least=0)


def check_jobs(n_jobs):
    """Raise unless `n_jobs` is a number of processes as joblib counts them."""
    check_whole("n_jobs", n_jobs)
    if n_jobs == 0:
        raise ValueError("n_jobs must be at least 1, or -1 for one on each core, got 0")


def check_whole(name, value):
    """Raise unless `value` is a whole number; a bool is none."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be a whole number, got {value!r}")


def check_range(name, value, interval, hint=""):
    """Raise unless `value` is a number in `interval`, such as "[0, 1)" or "(0, inf)".

    `hint` is the end of the sentence: the way out.
    """
    check_number(name, value)
    low, high = (float(end) for end in interval[1:-1].split(","))
    above = value > low or (interval[0] == "[" and value == low)
    below = value < high or (interval[-1] == "]" and value == high)
    if not (above and below):
        raise ValueError(f"{name} must be in {interval}, got {value}{hint}")


def check_number(name, value):
    """Raise unless `value` is a real number; a bool is none. The range is the caller's."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
