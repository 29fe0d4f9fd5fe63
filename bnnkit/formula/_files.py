"""The bytes of files with formulas, which are often gzipped."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path
from typing import BinaryIO

from bnnkit._files import atomic_path

_GZIP_MAGIC = b"\x1f\x8b"
GZIP_LEVEL = 4  # numbers get hardly smaller by more, which takes ten times as long
_BOM = b"\xef\xbb\xbf"  # some editors begin UTF-8 files with it


def read_file(file: str | os.PathLike | BinaryIO) -> tuple[str, bytes]:
    """The name of a file, and its content, unpacked if it is gzipped."""
    if isinstance(file, (str, os.PathLike)):
        name, data = os.fspath(file), Path(file).read_bytes()
    else:
        name, data = getattr(file, "name", "the file"), file.read()
    if not data.startswith(_GZIP_MAGIC):
        return name, data.removeprefix(_BOM)
    try:
        return name, gzip.decompress(data).removeprefix(_BOM)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{name} is damaged gzip data ({error}); get it anew") from error


def write_file(path: str | os.PathLike, text: str) -> None:
    """Write `text` atomically, gzipped if the name ends in .gz; same text, same bytes."""
    data = text.encode()
    if os.fspath(path).endswith(".gz"):
        data = gzip.compress(data, GZIP_LEVEL, mtime=0)
    with atomic_path(path) as temporary:
        Path(temporary).write_bytes(data)
