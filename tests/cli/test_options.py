"""Arguments are parsed before any work is done, and a wrong one is named."""

import argparse

import pytest

from bnnkit.cli import options


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (options.seconds, "0.5", 0.5),
        (options.seconds, "1e3", 1000.0),
        (options.n_bytes, "4GiB", 4 * 2**30),
        (options.n_bytes, "1.5 gb", 1_500_000_000),
        (options.n_bytes, "123", 123),
        (options.jobs, "2", 2),
        (options.jobs, "-1", -1),
    ],
)
def test_right(parse, text, value):
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        *((options.n_bytes, text) for text in ("", "4 apples", "-1GB", "1e9", "GB", "9" * 20)),
        *((options.seconds, text) for text in ("0", "-1", "inf", "nan", "soon", "")),
        *((options.jobs, text) for text in ("0", "1.5", "--1", "all", "")),
    ],
)
def test_wrong(parse, text):
    with pytest.raises(argparse.ArgumentTypeError, match=f"{text!r} is not a"):
        parse(text)
