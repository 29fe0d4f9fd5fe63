"""A verdict as a row of a table, and back; whatever a file holds, sizes are checked first."""

import json
import math
import zlib

import numpy as np

from bnnkit.verification.verdict import STATUSES, Verdict

# of a verdict without its label, in this order
NAMES = (
    *("status", "stage", "clean", "predicted", "eps", "reason", "timings"),
    *("pixels", "pixel_type", "pixel_shape"),
)
COLUMNS = f"""status TEXT NOT NULL CHECK (status IN {STATUSES}),
    stage TEXT NOT NULL, clean INTEGER NOT NULL, predicted INTEGER NOT NULL, eps REAL NOT NULL,
    reason TEXT NOT NULL, timings TEXT NOT NULL,
    pixels BLOB CHECK ((status = 'falsified') = (pixels IS NOT NULL)),
    pixel_type TEXT, pixel_shape TEXT"""
TYPES = ("<f4", "|u1")  # of adversarial images
LARGEST = 2**28  # bytes of an image


def row(verdict):
    """The values of the columns `NAMES`."""
    v, image = verdict, verdict.adversarial
    pixels = (None, None, None)
    if image is not None:
        octets = zlib.compress(np.ascontiguousarray(image).tobytes(), level=1)
        pixels = octets, image.dtype.newbyteorder("<").str, json.dumps(image.shape)
    timings = json.dumps(v.timings)
    return (v.status, v.stage, v.clean, v.predicted, v.eps, v.reason, timings, *pixels)


def verdict(label, row, path):
    """The Verdict of a row in the file `path`.

    Raises
    ------
    ValueError
        If the row is none that this module writes.
    """
    status, stage, clean, predicted, eps, reason, timings, *pixels = row
    try:
        timings = json.loads(timings)
        numbers = [label, clean, predicted]
        if status not in STATUSES or (status == "falsified") != (pixels[0] is not None):
            raise ValueError(f"the status {status!r}, with an image or without one")
        texts = [stage, reason, *timings]
        if not (
            isinstance(eps, float)
            and all(isinstance(number, int) for number in numbers)
            and all(isinstance(text, str) for text in texts)
            and all(isinstance(s, float) and math.isfinite(s) for s in timings.values())
        ):
            raise ValueError("a value of another kind than the column's")
        image = None if pixels[0] is None else _image(*pixels)
    except (ValueError, TypeError, AttributeError, RecursionError, zlib.error) as error:
        raise ValueError(f"{path}: a row is damaged: {error}") from None
    return Verdict(status, label, eps, clean, predicted, stage, image, timings, reason)


def _image(octets, kind, shape):
    shape = json.loads(shape)
    whole = isinstance(shape, list) and all(type(n) is int and n >= 0 for n in shape)
    if kind not in TYPES or not whole or len(shape) != 3:
        raise ValueError(f"an image of type {kind!r} and shape {shape}")
    size = math.prod(shape) * np.dtype(kind).itemsize
    if size > LARGEST:
        raise ValueError(f"an image of {size} bytes, more than {LARGEST}")
    stream = zlib.decompressobj()
    data = stream.decompress(octets, size + 1)
    if len(data) != size:
        raise ValueError(f"{len(data)} bytes or more for an image of {size}")
    return np.frombuffer(data, kind).reshape(shape).copy()
