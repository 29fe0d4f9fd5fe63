"""Files of models that somebody else has written are refused before anything is unpickled."""

import os
import stat

import numpy as np
import pytest

from bnnkit._files import read_npz, write_npz
from bnnkit.robust import seal
from bnnkit.robust.journal import Journal, pickled


class Exploit:
    """Its pickle calls `print`, or rather whatever its author likes."""

    def __reduce__(self):
        return print, ("this was run",)


@pytest.fixture
def round_file(tmp_path):
    """Where the journal of an empty run has its first round."""
    Journal(tmp_path, {}, 0)
    return tmp_path / "round-000.npz"


def forged(**others):
    return {"json": np.zeros(2, np.uint8), "model-0": pickled(Exploit()), **others}


@pytest.mark.parametrize("sealed", [None, np.zeros(32, np.uint8), np.zeros(0, np.uint8)])
def test_a_forged_round_is_refused_unread(round_file, sealed, capsys):
    write_npz(round_file, forged() if sealed is None else forged(seal=sealed))
    with pytest.raises(ValueError, match=r"has not been written with the key in .*: not loaded"):
        Journal(round_file.parent, {}, 0).read(0)
    assert "this was run" not in capsys.readouterr().out


def test_a_seal_of_other_models_or_of_another_user_is_none(round_file, monkeypatch):
    arrays = forged()
    right = seal.seal(arrays)
    seal.check_seal(round_file, arrays, right)
    changed = arrays["model-0"].copy()
    changed[0] ^= 1
    moved = {"model-1" if name == "model-0" else name: array for name, array in arrays.items()}
    for others in (arrays | {"model-0": changed}, arrays | {"model-1": changed}, moved):
        with pytest.raises(ValueError, match="has not been written"):
            seal.check_seal(round_file, others, right)
    monkeypatch.setenv("BNNKIT_KEY", str(round_file.parent / "other" / "key"))
    with pytest.raises(ValueError, match="other/key"):
        seal.check_seal(round_file, arrays, right)


def test_arrays_are_told_apart_whatever_their_names_end_in():
    one, other = {"a": np.arange(2), "b": np.arange(3)}, {"a": np.arange(3), "b": np.arange(2)}
    assert seal.seal(one).tolist() != seal.seal(other).tolist()
    assert seal.seal(one).tolist() == seal.seal(dict(reversed(one.items()))).tolist()


def test_the_key_is_made_once_and_is_the_users_alone(tmp_path, monkeypatch):
    place = tmp_path / "new" / "key"
    monkeypatch.setenv("BNNKIT_KEY", str(place))
    first = seal.seal({})
    assert seal.seal({}).tolist() == first.tolist()
    assert os.listdir(place.parent) == ["key"]
    if os.name == "posix":
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
    place.write_bytes(b"short")
    with pytest.raises(ValueError, match="is no key: 5 bytes, not 32"):
        seal.seal({})


def test_a_round_comes_back_with_its_key(round_file):
    arrays = forged()
    write_npz(round_file, arrays | {"seal": seal.seal(arrays)})
    found = read_npz(round_file)
    seal.check_seal(round_file, found, found.pop("seal"))
