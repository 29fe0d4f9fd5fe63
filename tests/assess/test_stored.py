from dataclasses import fields

import numpy as np
import pytest

from bnnkit.assess import (
    AdversarialPool,
    ByClass,
    Changes,
    Matrix,
    MinimalEpsilons,
    ResistanceCurve,
    Strip,
    Transfer,
    by_class,
    changes,
    differences,
    eps_strip,
    minimal_epsilons,
    resistance_curve,
    transfer_matrix,
)


@pytest.fixture
def results(question):
    network, images, labels = question(1)
    pool = AdversarialPool(
        "a", 0.1, images / np.float32(255), images, labels, np.arange(6), 9, 2, 1, 0.5
    )
    curve = resistance_curve(network, images, labels, [0.1, 0.3])
    return [
        curve,
        minimal_epsilons(network, images, labels),
        by_class(curve.status[0], labels, ["Ä", "b", "c"]),
        changes(images, 1 - images / 255),
        differences({"a": images, "b": images / 255}, {"b": np.zeros(6, bool)}),
        pool,
        transfer_matrix({"t": network}, [pool]),
        eps_strip(network, images[0], labels[0], [0.1]),
    ]


KINDS = [
    *(ResistanceCurve, MinimalEpsilons, ByClass, Changes, Matrix),
    *(AdversarialPool, Transfer, Strip),
]


def same(one, other):
    if isinstance(one, np.ndarray):
        equal_nan = one.dtype.kind == "f"
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=equal_nan)
    return one == other


@pytest.mark.parametrize("place", range(len(KINDS)))
def test_what_was_saved_is_read(place, results, tmp_path):
    result, kind = results[place], KINDS[place]
    result.save(tmp_path / "it.npz")
    again = kind.load(tmp_path / "it.npz")
    for field in fields(kind):
        assert same(getattr(result, field.name), getattr(again, field.name)), field.name
    assert again.to_csv() == result.to_csv()
    result.to_csv(tmp_path / "it.csv")
    assert (tmp_path / "it.csv").read_text(encoding="utf-8") == result.to_csv()
    header, *rows = result.to_csv().splitlines()
    assert len(header.split(",")) == len(result.rows()[0])
    assert len(rows) == len(result.rows()[1]) > 0
    other = KINDS[place - 1]
    with pytest.raises(ValueError, match=f"holds a {kind.__name__}, not a {other.__name__}"):
        other.load(tmp_path / "it.npz")


def test_damaged_files_are_named(results, tmp_path):
    path = tmp_path / "it.npz"
    results[0].save(path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for cut in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(ValueError, match=r"it\.npz: "):
            ResistanceCurve.load(path)
    for _ in range(40):
        damaged = np.frombuffer(whole, np.uint8).copy()
        damaged[rng.integers(0, len(whole), 3)] ^= rng.integers(1, 256, 3).astype(np.uint8)
        path.write_bytes(damaged.tobytes())
        try:
            assert same(ResistanceCurve.load(path).status, results[0].status)
        except ValueError as error:
            assert "it.npz" in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    "about",
    [
        b"\xff",
        b"[]",
        b"{}",
        b'{"kind": "ResistanceCurve"}',
        b"[" * 100_000,
        b'{"kind": "ResistanceCurve", "plain": {}}',
        b'{"kind": "ResistanceCurve", "plain": {"settings": 1, "status": 2}}',
    ],
)
def test_another_content_is_named(about, results, tmp_path):
    path = tmp_path / "it.npz"
    np.savez(path, about=np.frombuffer(about, np.uint8), eps=np.zeros(1))
    with pytest.raises(ValueError, match=r"it\.npz: "):
        ResistanceCurve.load(path)


def test_arrays_that_do_not_fit_each_other_are_errors(results):
    values = {field.name: getattr(results[0], field.name) for field in fields(ResistanceCurve)}
    with pytest.raises(ValueError, match=r"labels must have shape \('N',\), got \(5,\)"):
        ResistanceCurve(**values | {"labels": np.zeros(5, np.int64)})
    with pytest.raises(TypeError, match="eps must be an array"):
        ResistanceCurve(**values | {"eps": [0.1, 0.3]})
    with pytest.raises(ValueError, match="a status is one of"):
        ResistanceCurve(**values | {"status": np.full((2, 6), "fine")})
