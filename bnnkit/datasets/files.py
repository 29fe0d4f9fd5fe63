"""Reading data files of unknown origin: plain or gzipped, never more than is bounded."""

import contextlib
import gzip
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

CHUNK = 1 << 20

_GZIP_MAGIC = b"\x1f\x8b"
_DEFLATE_MAX_RATIO = 1032  # deflate cannot expand a byte to more than this


@dataclass(frozen=True)
class Found:
    """The files of one data set, as they lie on this machine."""

    where: Path
    train: tuple[Path, ...]
    test: tuple[Path, ...]


def plain_or_gzipped(folder, name):
    """Return the path of `name` or `name`.gz in `folder`, None where neither is there."""
    candidates = (folder / name, folder / f"{name}.gz")
    return next((path for path in candidates if path.is_file()), None)


@contextlib.contextmanager
def opened(path):
    """Open a file that may be gzipped; its first bytes decide, not its name.

    Yields
    ------
    stream : binary file object
    most : int
        The number of bytes that the stream can give at the very most: a length that a
        header claims is checked against it before memory is allocated.

    Raises
    ------
    ValueError
        Damaged gzip data, met while reading; names the file.
    """
    size = os.path.getsize(path)
    with open(path, "rb") as raw:
        gzipped = raw.read(2) == _GZIP_MAGIC
        raw.seek(0)
        if not gzipped:
            yield raw, size
            return
        try:
            with gzip.GzipFile(fileobj=raw) as stream:
                yield stream, size * _DEFLATE_MAX_RATIO
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"{path} is damaged gzip data ({error}); get it anew") from error


def read_at_most(path, most):
    """Return the content of a plain or gzipped file as bytes.

    Raises
    ------
    ValueError
        It holds more than `most` bytes (not one of them beyond a chunk is unpacked),
        or is damaged.
    """
    content = bytearray()
    with opened(path) as (stream, _):
        while chunk := stream.read(CHUNK):
            content += chunk
            if len(content) > most:
                raise ValueError(f"{path} holds more than the {most} bytes that it may have")
    return bytes(content)


def check_labels(labels, n_classes, path):
    """Raise ValueError where a label is not in 0..`n_classes`-1; `labels` is an array (N,)."""
    wrong = (labels < 0) | (labels >= n_classes)
    if wrong.any():
        at = int(wrong.argmax())
        raise ValueError(
            f"{path}: the label of image {at} is {labels[at]}, "
            f"but labels go from 0 to {n_classes - 1}; the file is damaged or of another data set"
        )
