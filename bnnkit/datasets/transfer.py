"""Downloads that are whole or absent: checked first, put in place afterwards."""

import contextlib
import hashlib
import http.client
import os
import shutil
import sys
import tarfile
import urllib.request
import zlib
from dataclasses import dataclass

from bnnkit._progress import progress
from bnnkit.datasets.files import CHUNK

_TIMEOUT = 30.0  # seconds without a byte


@dataclass(frozen=True)
class Resource:
    """A published file.

    Attributes
    ----------
    name : str
        Name of the file here.
    url : str
    size : int
        Number of bytes.
    md5 : str
        The checksum that its publishers give. It guards against damage on the way, not
        against forgery.
    """

    name: str
    url: str
    size: int
    md5: str


def fetch(resource, folder):
    """Download `resource` into `folder`.

    The bytes go to a temporary file beside it, which takes the file's name after its
    size and checksum have been found right. An interrupted download leaves nothing.

    Raises
    ------
    ConnectionError
        Server not reached, or the bytes that came are not those that are published.
    OSError
        The folder cannot be written.
    """
    with _downloaded(resource, folder) as partial:
        os.replace(partial, folder / resource.name)


def fetch_unpacked(resource, names, folder):
    """Download a gzipped tar file and make the new `folder` of its members `names`.

    All of them arrive, or nothing; the archive is not kept.

    Raises
    ------
    ConnectionError, OSError
        As `fetch`.
    ValueError
        As `unpack`.
    """
    with _downloaded(resource, folder.parent) as archive:
        unpack(archive, names, folder)


def unpack(archive, names, folder):
    """Make the new `folder` of the members `names` of a gzipped tar file.

    Members are taken by their exact names and written under the last part of it, so no
    path in the archive has a say in where bytes go. All of them arrive, or nothing.

    Raises
    ------
    ValueError
        The archive is damaged, lacks a member, or has something else (a link, a folder)
        under its name.
    """
    with _temporary(folder) as partial:
        partial.mkdir()
        try:
            with tarfile.open(archive, "r:gz") as tar:
                missing = set(names) - _extract(tar, set(names), partial)
        except (tarfile.TarError, EOFError, zlib.error) as error:
            raise ValueError(f"{archive} is a damaged archive: {error}") from error
        if missing:
            raise ValueError(f"{archive} lacks {', '.join(sorted(missing))}")
        os.replace(partial, folder)


@contextlib.contextmanager
def _downloaded(resource, folder):
    """Yield the path of a temporary file in `folder` that holds all of `resource`, checked."""
    print(f"downloading {resource.url} to {folder}", file=sys.stderr, flush=True)
    with _connected(resource.url) as response:
        folder.mkdir(parents=True, exist_ok=True)
        with _temporary(folder / resource.name) as partial:
            _save(resource, response, partial)
            yield partial


def _save(resource, response, path):
    digest = hashlib.md5(usedforsecurity=False)
    received = 0
    chunks = progress(
        _chunks(response, resource.url),
        f"{resource.name} (MiB)",
        total=-(-resource.size // CHUNK),
    )
    with open(path, "wb") as file:
        for chunk in chunks:
            received += len(chunk)
            if received > resource.size:
                break
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    if received != resource.size:
        came = f"only {received}" if received < resource.size else "more"
        raise ConnectionError(f"{resource.url} should have {resource.size} bytes, but {came} came")
    if digest.hexdigest() != resource.md5:
        raise ConnectionError(
            f"{resource.url} gave a file with MD5 {digest.hexdigest()}, expected {resource.md5}"
        )


def _connected(url):
    with _network_errors(url):
        return urllib.request.urlopen(url, timeout=_TIMEOUT)


def _chunks(response, url):
    with _network_errors(url):
        while chunk := response.read(CHUNK):
            yield chunk


@contextlib.contextmanager
def _network_errors(url):
    """Turn all that can go wrong on the way into a ConnectionError that names the address."""
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        raise ConnectionError(f"{url} cannot be read: {error}") from error


def _extract(tar, names, folder):
    """Write the regular files `names` of `tar` into `folder`; return the names found."""
    found = set()
    for member in tar:
        if member.name not in names:
            continue
        if not member.isreg():
            raise ValueError(f"{tar.name}: {member.name} is not a regular file")
        with tar.extractfile(member) as source, open(folder / _last(member.name), "wb") as target:
            shutil.copyfileobj(source, target, CHUNK)
        found.add(member.name)
    return found


def _last(name):
    return name.rsplit("/", 1)[-1]


@contextlib.contextmanager
def _temporary(target):
    """Yield a path beside `target` that no reader looks at; what is left of it is removed.

    It is in the same folder because only a rename within one file system is atomic.
    """
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield partial
    finally:
        if partial.is_dir():
            shutil.rmtree(partial)
        else:
            partial.unlink(missing_ok=True)
