"""The bytes of files with formulas, which are often compressed."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import zlib
from pathlib import Path
from typing import BinaryIO

from bnnkit._files import atomic_path

COMPRESSIONS = (".gz", ".xz", ".bz2")
GZIP_LEVEL = 4  # numbers get hardly smaller by more, which takes ten times as long
_LARGEST = 2**29  # bytes of a text; what would be unpacked beyond is never made
_LARGEST_DICTIONARY = 2**28  # bytes that an xz file may claim for unpacking
_CHUNK = 2**20
_MAGIC = {"gzip": b"\x1f\x8b", "xz": b"\xfd7zXZ\0", "bzip2": b"BZh"}
_BOM = b"\xef\xbb\xbf"  # some editors begin UTF-8 files with it
_DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError, OSError)


def read_file(file: str | os.PathLike | BinaryIO) -> tuple[str, bytes]:
    """The name of a file, and its content, unpacked if it is compressed."""
    if isinstance(file, (str, os.PathLike)):
        name = os.fspath(file)
        with open(file, "rb") as opened:
            data = _read(opened, name)
    else:
        name = getattr(file, "name", "the file")
        data = _read(file, name)
    kind = next((kind for kind, magic in _MAGIC.items() if data.startswith(magic)), None)
    try:
        if kind == "gzip":
            data = _read(gzip.GzipFile(fileobj=io.BytesIO(data)), name)
        elif kind == "xz":
            data = _unpacked(data, lambda: lzma.LZMADecompressor(memlimit=_LARGEST_DICTIONARY))
        elif kind == "bzip2":
            data = _unpacked(data, bz2.BZ2Decompressor)
    except _DAMAGE as error:
        raise ValueError(f"{name} is damaged {kind} data ({error}); get it anew") from error
    return name, data.removeprefix(_BOM)


def write_file(path: str | os.PathLike, text: str) -> None:
    """Write `text` atomically, compressed as the name says; same text, same bytes."""
    data, name = text.encode(), os.fspath(path)
    if name.endswith(".gz"):
        data = gzip.compress(data, GZIP_LEVEL, mtime=0)
    elif name.endswith(".xz"):
        data = lzma.compress(data)
    elif name.endswith(".bz2"):
        data = bz2.compress(data)
    with atomic_path(path) as temporary:
        Path(temporary).write_bytes(data)


def _read(stream: BinaryIO, name: str) -> bytes:
    content = bytearray()
    while chunk := stream.read(_CHUNK):
        content += chunk
        if len(content) > _LARGEST:
            raise ValueError(f"{name} has more than the {_LARGEST} bytes that a formula may have")
    return bytes(content)


def _unpacked(data: bytes, new: type) -> bytes:
    """The content of compressed streams, one after another."""
    content = b""
    while data:
        decompressor = new()
        content += decompressor.decompress(data, _LARGEST + 1 - len(content))
        if len(content) > _LARGEST:
            raise EOFError(f"it has more than {_LARGEST} bytes")
        if not decompressor.eof:
            raise EOFError("it is cut short")
        data = decompressor.unused_data
    return content
