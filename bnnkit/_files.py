"""Files that are either whole or not there, and archives that are checked before they are read."""

import contextlib
import errno
import gzip
import io
import os
import struct
import tempfile
import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np

_LARGEST = 2**30  # bytes that a compressed archive may grow to; others take what their file does
_PREFIX, _SUFFIX = ".bnnkit-", ".tmp"  # of the files that are not whole yet
# what zipfile and zlib raise on bytes that are not what they should be
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, tokenize.TokenError, SyntaxError),
    *(OSError, EOFError, ValueError, RuntimeError),
)


@contextlib.contextmanager
def atomic_path(path):
    """Yield a temporary path that replaces `path` when the block ends without an error.

    An interrupted write leaves the old file, or none, and no half of a new one.
    """
    path = os.fspath(path)
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, "is a folder, not a file", path)
    folder = os.path.dirname(path) or "."
    os.makedirs(folder, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=_PREFIX, suffix=_SUFFIX)
    os.close(handle)
    try:
        yield temporary
        mask = os.umask(0)  # mkstemp made the file private; give it what open() would have
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def write_text(path, text):
    """Write `text` to `path` as UTF-8, atomically."""
    with atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.write(text)


def remove_leftovers(folder):
    """Delete what killed writes left in `folder`; nothing else may be writing there."""
    for path in Path(folder).glob(f"{_PREFIX}*{_SUFFIX}"):
        path.unlink(missing_ok=True)


def write_npz(path, arrays, compressed=True):
    """Write a dict of arrays as a .npz file, atomically."""
    save = np.savez_compressed if compressed else np.savez
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        save(file, **{k: np.ascontiguousarray(a) for k, a in arrays.items()})


def read_npz(path):
    """Read a .npz file as a dict of arrays; sizes are checked before memory is taken.

    Raises
    ------
    ValueError
        Not a .npz file, damaged, or holding Python objects (which would be unpickled).
    """
    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                members = archive.infolist()
                _check_members(members, os.fstat(file.fileno()).st_size)
                return {
                    info.filename.removesuffix(".npy"): _read_npy(archive, info) for info in members
                }
        except _DAMAGE as e:
            said = str(e)[:200]  # zipfile quotes names, which may be long
            raise ValueError(f"{path}: not a readable .npz file, or damaged ({said})") from None


def _check_members(members, size):
    """Raise ValueError where the members of an archive of some size would take much memory."""
    if len({info.filename for info in members}) < len(members):
        raise ValueError("several members have the same name")
    total = sum(info.file_size for info in members)
    if total > max(_LARGEST, size):
        raise ValueError(f"its members claim {total} bytes, the limit is {_LARGEST}")


def _read_npy(archive, info):
    with archive.open(info) as member:
        if np.lib.format.read_magic(member) != (1, 0):
            raise ValueError(f"{info.filename} is not a version 1 array")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(member)
        data = member.read(info.file_size)
    if dtype.hasobject or fortran:
        raise ValueError(f"{info.filename} holds Python objects or is not in C order")
    count = int(np.prod(shape, dtype=object))
    if count * dtype.itemsize != len(data):
        raise ValueError(f"{info.filename} has {len(data)} bytes for an array {shape} of {dtype}")
    return np.frombuffer(data, dtype=dtype).reshape(shape)


def read_bounded(path, limit):
    """The bytes of a file, unpacked if it is gzipped; ValueError beyond `limit` bytes."""
    with open(path, "rb") as file:
        gzipped = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        content, stream = io.BytesIO(), gzip.GzipFile(fileobj=file) if gzipped else file
        try:  # in pieces: read(limit) would take that much memory at once
            while content.tell() <= limit and (piece := stream.read(2**20)):
                content.write(piece)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"damaged gzip data ({error}); get it anew") from None
    if content.tell() > limit:
        raise ValueError(f"more than {limit} bytes, which is the limit")
    return content.getvalue()


def user_cache(platform, environ):
    """Return bnnkit's folder in the user's cache, by the platform's custom.

    Parameters
    ----------
    platform : str
        As ``sys.platform``.
    environ : mapping of str to str
        As ``os.environ``.
    """
    if platform == "win32":
        base = environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "bnnkit"
