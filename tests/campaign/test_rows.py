import json
import zlib

import numpy as np
import pytest

from bnnkit.campaign import rows
from bnnkit.verification import EnsembleVerdict, Verdict

TIMES = {"clean": 0.1, "solve": 1 / 3}
IMAGES = {
    "real": np.linspace(0, 1, 24, dtype=np.float32).reshape(2, 3, 4),
    "grey": np.arange(24, dtype=np.uint8).reshape(2, 3, 4)[:, ::-1],
}
VERDICTS = [
    EnsembleVerdict("robust", 3, 0.1, 3, 3, "solver", timings=TIMES, choices=(3, 1, 3)),
    EnsembleVerdict("falsified", 3, 0.1, 3, 5, "clean", np.full((1, 1, 2), 0.1), choices=(5,)),
    Verdict("robust", 3, 1 / 3, 3, 3, "bounds", timings=TIMES),
    Verdict("unknown", 3, 0.1, 3, 3, "lost", timings={"lost": 2.0}, reason='"killed", and\nso on'),
    *(Verdict("falsified", 3, 0.1, 3, 5, "solver", image, TIMES) for image in IMAGES.values()),
]


@pytest.mark.parametrize("verdict", VERDICTS, ids=lambda verdict: verdict.status)
def test_a_row_is_the_verdict(verdict):
    row = rows.row(verdict)
    assert len(row) == len(rows.NAMES)
    again = rows.verdict(verdict.label, row, "run.sqlite")
    for name in ("status", "label", "eps", "clean", "predicted", "stage", "timings", "reason"):
        assert getattr(again, name) == getattr(verdict, name)
    assert type(again) is type(verdict)
    assert vars(again).get("choices") == vars(verdict).get("choices")
    if verdict.adversarial is None:
        assert again.adversarial is None
    else:
        assert again.adversarial.dtype == verdict.adversarial.dtype
        assert np.array_equal(again.adversarial, verdict.adversarial)
        assert again.adversarial.flags.writeable


@pytest.mark.parametrize(
    "change",
    [
        {"status": "certainly robust"},
        {"status": "robust"},  # with an image
        {"pixels": None},  # falsified without one
        {"stage": 3},
        {"stage": "magic"},
        {"stage": "bounds"},  # which falsify nothing
        {"stage": "lost"},
        {"predicted": 3},  # falsified, with the label
        {"clean": "3"},
        {"eps": "0.1"},
        {"reason": b"x"},
        {"timings": "{"},
        {"timings": "[1]"},
        {"timings": '{"clean": "x"}'},
        {"timings": '{"clean": Infinity}'},
        {"timings": "[" * 100_000},
        {"timings": None},
        {"choices": "{"},
        {"choices": "3"},
        {"choices": '["3"]'},
        {"choices": b"[3]"},
        {"pixels": b"no zlib"},
        {"pixels": zlib.compress(bytes(23))},
        {"pixels": zlib.compress(bytes(25))},
        {"pixels": zlib.compress(bytes(10**6))},
        {"pixels": "text"},
        {"pixel_type": "|O"},
        {"pixel_type": "<f8"},  # twice as many bytes,
        {"pixel_type": None},
        {"pixel_shape": "[2, 3]"},
        {"pixel_shape": "[2, -3, -4]"},
        {"pixel_shape": "[1000000, 1000000, 1000000]"},
        {"pixel_shape": "[true, 3, 4]"},
        {"pixel_shape": "24"},
        {"pixel_shape": None},
    ],
    ids=lambda change: str(change)[:40],
)
def test_a_damaged_row_is_an_error_not_a_verdict(change):
    row = dict(zip(rows.NAMES, rows.row(VERDICTS[-1]), strict=True)) | change
    with pytest.raises(ValueError, match=r"run\.sqlite: a row is damaged"):
        rows.verdict(3, tuple(row.values()), "run.sqlite")


@pytest.mark.parametrize("change", [{"clean": 5}, {"predicted": 5}, {"stage": "clean"}])
def test_what_is_robust_has_the_label(change):
    row = dict(zip(rows.NAMES, rows.row(VERDICTS[2]), strict=True)) | change
    with pytest.raises(ValueError, match=r"run\.sqlite: a row is damaged"):
        rows.verdict(3, tuple(row.values()), "run.sqlite")


def test_a_bomb_is_not_unpacked(monkeypatch):
    monkeypatch.setattr(rows, "LARGEST", 1000)
    row = dict(zip(rows.NAMES, rows.row(VERDICTS[-1]), strict=True))
    row |= {"pixels": zlib.compress(bytes(1001)), "pixel_shape": json.dumps([1, 1, 1001])}
    with pytest.raises(ValueError, match="1001 bytes, more than 1000"):
        rows.verdict(3, tuple(row.values()), "run.sqlite")
