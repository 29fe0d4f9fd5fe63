"""A verdict as a row of a table, and back; whatever a file holds, sizes are checked first."""

import json
import math
import zlib

import numpy as np

from bnnkit.verification.joint import EnsembleVerdict
from bnnkit.verification.verdict import STATUSES, Verdict

# of a verdict without its label, in this order
NAMES = (
    *("status", "stage", "clean", "predicted", "eps", "reason", "timings"),
    *("choices", "pixels", "pixel_type", "pixel_shape"),
)
COLUMNS = f"""status TEXT NOT NULL CHECK (status IN {STATUSES}),
    stage TEXT NOT NULL, clean INTEGER NOT NULL, predicted INTEGER NOT NULL, eps REAL NOT NULL,
    reason TEXT NOT NULL, timings TEXT NOT NULL, choices TEXT,
    pixels BLOB CHECK ((status = 'falsified') = (pixels IS NOT NULL)),
    pixel_type TEXT, pixel_shape TEXT"""
STAGES = {
    "robust": ("bounds", "solver"),
    "falsified": ("clean", "falsify", "solver"),
    "unknown": ("clean", "bounds", "falsify", "solver", "lost", "wrong"),
}
TYPES = ("<f4", "<f8", "|u1")  # of adversarial images
LARGEST = 2**28  # bytes of an image


def row(verdict):
    """The values of the columns `NAMES`."""
    v, image = verdict, verdict.adversarial
    pixels = (None, None, None)
    if image is not None:
        octets = zlib.compress(np.ascontiguousarray(image).tobytes(), level=1)
        pixels = octets, image.dtype.newbyteorder("<").str, json.dumps(image.shape)
    timings = json.dumps(v.timings)
    choices = json.dumps(v.choices) if isinstance(v, EnsembleVerdict) else None
    return (v.status, v.stage, v.clean, v.predicted, v.eps, v.reason, timings, choices, *pixels)


def verdict(label, row, path):
    """The Verdict of a row in the file `path`.

    Raises
    ------
    ValueError
        If the row is none that this module writes.
    """
    status, stage, clean, predicted, eps, reason, timings, choices, *pixels = row
    try:
        texts = [stage, reason, timings, *([] if choices is None else [choices])]
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("bytes or a number in the place of a text")
        timings = json.loads(timings)
        chosen = [] if choices is None else json.loads(choices)
        numbers = [label, clean, predicted, *chosen]
        if status not in STATUSES or (status == "falsified") != (pixels[0] is not None):
            raise ValueError(f"the status {status!r}, with an image or without one")
        if not (
            isinstance(eps, float)
            and all(type(number) is int for number in numbers)
            and all(isinstance(s, float) and math.isfinite(s) for s in timings.values())
        ):
            raise ValueError("a value of another kind than the column's")
        if stage not in STAGES[status]:
            raise ValueError(f"the status {status!r} from the stage {stage!r}")
        if {"robust": predicted != label or clean != label, "falsified": predicted == label}.get(
            status
        ):
            raise ValueError(f"{status!r} for class {predicted}, label {label}")
        image = None if pixels[0] is None else _image(*pixels)
    except (ValueError, TypeError, AttributeError, RecursionError, zlib.error) as error:
        raise ValueError(f"{path}: a row is damaged: {error}") from None
    made = (status, label, eps, clean, predicted, stage, image, timings, reason)
    return Verdict(*made) if choices is None else EnsembleVerdict(*made, tuple(chosen))


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
