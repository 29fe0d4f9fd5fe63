"""Files that no reader may be harmed by; each function writes one, of something that is whole."""

import functools
import gzip
import io
import os
import pickle
import zipfile

import numpy as np

MARK = "this was run"


class Exploit:
    """Its pickle makes a folder when it is loaded, in the place of worse."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder / MARK),)


def empty(path, whole):
    path.write_bytes(b"")


def random_bytes(path, whole):
    path.write_bytes(np.random.default_rng(0).bytes(5000))


def another_kind(path, whole):
    path.write_bytes(b"%PDF-1.4\n" * 100)


def half(path, whole):
    path.write_bytes(whole[: len(whole) // 2])


def without_its_beginning(path, whole):
    path.write_bytes(whole[7:])


def folder(path, whole):
    path.mkdir()


def missing(path, whole):
    pass


def unreadable(path, whole):
    path.write_bytes(whole)
    path.chmod(0)


def exploit(path, whole):
    path.write_bytes(pickle.dumps(Exploit(path.parent)))


def exploit_in_archive(path, whole):
    """The whole archive with each array in the place of which a pickle stands."""
    names = _names(whole) or ["header", "images", "about", "json"]
    objects = np.array([Exploit(path.parent)], dtype=object)
    with open(path, "wb") as file:
        np.savez(file, **dict.fromkeys(names, objects))


def deep(path, whole):
    path.write_bytes(b"about = " * (path.suffix == ".toml") + b"[" * 200_000)


def deep_in_archive(path, whole):
    _with_arrays(path, whole, lambda name, array: np.frombuffer(b"[" * 200_000, np.uint8))


def names_that_lead_out(path, whole):
    with zipfile.ZipFile(path, "w") as archive:
        for name in ["../out.npy", "/out.npy", *_names(whole)]:
            archive.writestr(f"../{name}", b"not here")


def bomb(path, whole):
    """Two gigabytes, gzipped."""
    path.write_bytes(_zeros() * 32)


def bomb_of_text(path, whole):
    """As many line feeds, after what a reader expects first."""
    path.write_bytes(gzip.compress(whole if whole[:2] != b"\x1f\x8b" else b"") + _feeds() * 32)


def bomb_in_archive(path, whole):
    """Members of which each is small enough, but not all together: zeros that take no place."""
    names = [f"{name}.npy" for name in [*_names(whole), *map(str, range(100))]]
    path.write_bytes(_archive_of_zeros(tuple(names)))


def same_names(path, whole):
    """All members have the name of one that belongs there."""
    path.write_bytes(_archive_of_zeros(tuple([*_names(whole), "x"][:1] * 100)))


def claims(path, whole):
    """Headers that promise far more than there is."""
    texts = {
        b"p cnf": b"p cnf 2000000000 2000000000\n1 0\n",
        b"* #variable": b"+1 x2000000000 +1 x1 >= 1 ;\n",
    }
    for start, text in texts.items():
        if whole.startswith(start):
            path.write_bytes(text)
            return
    if whole[:3] == b"\0\0\x08":
        path.write_bytes(whole[:4] + b"\xff" * 4 * whole[3] + whole[4:])
        return
    names = _names(whole) or ["header"]
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(f"{name}.npy", _npy((2**40, 2**20), b"few"))


def not_numbers(path, whole):
    _with_arrays(path, whole, lambda name, array: np.full(array.shape, np.nan))


def infinite(path, whole):
    _with_arrays(path, whole, lambda name, array: np.full(array.shape, np.inf, np.float32))


def texts(path, whole):
    _with_arrays(path, whole, lambda name, array: np.full(array.shape, "text"))


def no_entries(path, whole):
    _with_arrays(path, whole, lambda name, array: array[:0] if array.ndim else array)


def other_shapes(path, whole):
    _with_arrays(path, whole, lambda name, array: array.reshape(1, *array.shape))


def extreme(path, whole):
    _with_arrays(path, whole, _extreme)


ZOO = (
    *(empty, random_bytes, another_kind, half, without_its_beginning, folder, missing, unreadable),
    *(exploit, exploit_in_archive, deep, deep_in_archive, names_that_lead_out),
    *(bomb, bomb_of_text, bomb_in_archive, same_names, claims),
    *(not_numbers, infinite, texts, no_entries, other_shapes, extreme),
)


def _extreme(name, array):
    if array.dtype.kind not in "iu" or name in ("header", "json", "about"):
        return array
    return np.full(array.shape, np.iinfo(array.dtype).max, array.dtype)


def _names(whole):
    """Of the arrays in an archive; none in other files."""
    try:
        with zipfile.ZipFile(io.BytesIO(whole)) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist()]
    except zipfile.BadZipFile:
        return []


def _with_arrays(path, whole, change):
    """The archive with each array changed but those that are JSON; other files are a line short."""
    if not whole.startswith(b"PK") or b".npy" not in whole:
        path.write_bytes(whole.split(b"\n", 1)[-1][:-1])
        return
    with np.load(io.BytesIO(whole), allow_pickle=False) as arrays:
        changed = {name: change(name, arrays[name]) for name in arrays.files}
    with open(path, "wb") as file:
        np.savez(file, **changed)


def _npy(shape, content):
    stream = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + content


def _archive_of_zeros(names):
    """A quarter of a gigabyte under each of these names, all the same bytes of the file.

    Fifield: A better zip bomb. WOOT 2019.
    """
    local, entry, end = _zipped_zeros()
    entries = b"".join(
        entry[:28] + len(name).to_bytes(2, "little") + entry[30:46] + name
        for name in map(str.encode, names)
    )
    sizes = len(names).to_bytes(2, "little") * 2 + len(entries).to_bytes(4, "little")
    return local + entries + end[:8] + sizes + end[16:]


@functools.cache
def _zipped_zeros():
    """The local part, the entry of the directory and the end of an archive of one member."""
    stream, size = io.BytesIO(), 2**28
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("x", _npy((size,), bytes(size)))
    content = stream.getvalue()
    start, end = content.rindex(b"PK\1\2"), content.rindex(b"PK\5\6")
    return content[:start], content[start:end], content[end:]


@functools.cache
def _zeros():
    return gzip.compress(bytes(2**26), 1)


@functools.cache
def _feeds():
    return gzip.compress(b"\n" * 2**26, 1)
