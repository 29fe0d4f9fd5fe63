import gzip
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import real_boxes

from bnnkit.interop import onnx, vnncomp, vnnlib
from bnnkit.interop.vnnlib import Comparison
from bnnkit.network import BinaryNetwork, Head, RealConv2d, RealNetwork
from bnnkit.quantiser import Quantiser
from bnnkit.verification.real import BoxVerdict, Condition
from bnnkit.verification.real.box import Box

pytest.importorskip("onnx")
SHARED = Path(__file__).parents[3] / "shared" / "vnncomp"


def write_question(path, low, high, condition, n_outputs=3):
    """A VNN-LIB file about inputs in (C, H, W) order; `condition` is its text."""
    lines = [f"(declare-const X_{i} Real)" for i in range(low.size)]
    lines += [f"(declare-const Y_{i} Real)" for i in range(n_outputs)]
    for i, (a, b) in enumerate(zip(low.ravel(), high.ravel(), strict=True)):
        lines += [f"(assert (>= X_{i} {a}))", f"(assert (<= X_{i} {b}))"]
    path.write_text("\n".join([*lines, condition]))


def decimal_ends(rng, shape):
    low = rng.integers(-40, 40, shape) / 10
    return low.round(1), (low + rng.integers(0, 3, shape)).round(1)


def exact(values):
    return np.array([Fraction(str(v)) for v in values.ravel()], object).reshape(values.shape)


@pytest.mark.parametrize("seed", range(8))
def test_answers_about_files(seed, tmp_path):
    rng = np.random.default_rng(seed)
    network = real_boxes.random_network(rng)
    onnx.save(network, tmp_path / "net.onnx")
    low, high = decimal_ends(rng, network.input_shape)
    text = "(assert (or (and (>= Y_1 Y_0)) (and (<= Y_0 Y_2))))"
    write_question(tmp_path / "q.vnnlib", low, high, text)
    truth = real_boxes.has_counterexample(
        network, Box(exact(low), exact(high)), Condition.not_class(0, 3)
    )
    result = vnncomp.solve(tmp_path / "net.onnx", tmp_path / "q.vnnlib", timeout=20)
    assert result.answer == ("sat" if truth else "unsat")
    result.save(tmp_path / "answer.txt")
    lines = (tmp_path / "answer.txt").read_text().splitlines()
    assert lines[0] == result.answer
    if truth:
        assert lines[1].startswith("((X_0 ")
        x = [Fraction(line.split()[1].strip(")")) for line in lines[1 : 1 + low.size]]
        scores = network.scores(np.array(x, object).reshape(1, *low.shape))[0]
        assert max(scores[1:]) >= scores[0]


def test_cases_without_a_box_or_a_hope_are_unsat(tmp_path):
    network = real_boxes.random_network(np.random.default_rng(0))
    onnx.save(network, tmp_path / "net.onnx")
    low = np.zeros(network.input_shape)
    for name, ends, condition in [
        ("empty", (low + 1, low), "(assert (>= Y_0 Y_1))"),
        ("never", (low, low + 1), "(assert (>= 0 1))"),
    ]:
        write_question(tmp_path / name, *ends, condition)
        assert vnncomp.solve(tmp_path / "net.onnx", tmp_path / name, 10).answer == "unsat"
    write_question(tmp_path / "always", low, low + 1, "(assert (>= 1 0))")
    assert vnncomp.solve(tmp_path / "net.onnx", tmp_path / "always", 10).answer == "sat"


def write_threshold(path):
    """A network that says 1 where its only pixel is at least 10."""
    front = RealConv2d(np.ones((1, 1, 1, 1)), [10], [1])
    head = Head(np.array([-1, 1]).reshape(2, 1, 1, 1), scale=2, bias=[1, 0])
    onnx.save(RealNetwork(front, BinaryNetwork(Quantiser(1), [], head, (1, 1, 1)), (1, 1, 1)), path)


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ("31", "31"),
        ("30", "31"),
        ("30.1234567890123456789012345678901234567", "33"),
        ("1e300", "3e310"),
        ("3e308", "1e309"),
        ("1e41", "3e41"),
        ("1e999", "1e999"),
    ],
)
def test_a_witness_that_is_found_is_told(low, high, tmp_path):
    """Even where the ends of the box, thirds of these numbers, have no decimals, or are huge."""
    write_threshold(tmp_path / "net.onnx")
    condition = "(assert (>= Y_1 Y_0))"
    text = "(declare-const X_0 Real)(declare-const Y_0 Real)(declare-const Y_1 Real)"
    text += f"(assert (>= (* 3 X_0) {low}))(assert (<= (* 3 X_0) {high}))"
    (tmp_path / "q.vnnlib").write_text(text + condition)
    result = vnncomp.solve(tmp_path / "net.onnx", tmp_path / "q.vnnlib", 10)
    assert result.answer == "sat"
    x = Fraction(result.text.split()[2].strip(")"))
    if low == high:
        assert abs(3 * x - Fraction(low)) <= Fraction(low) / 10**35
    else:
        assert x == result.x.item() or Fraction(float(x)) == result.x.item()
        assert Fraction(low) <= 3 * result.x.item() <= Fraction(high)


def test_a_third_that_decides_stays_a_third(tmp_path):
    """The witness is one point; its neighbours with decimals are none, or out of the box."""
    write_threshold(tmp_path / "net.onnx")
    case = vnnlib.Case(*np.array([[Fraction(31, 3)], [Fraction(32, 3)]], object), ((),))
    network = onnx.read(tmp_path / "net.onnx").network
    x = np.array([Fraction(31, 3)], object)
    order = np.array([0])
    near = vnncomp._with_decimals(network, order, case, x).item()
    assert vnnlib.has_decimal(near)
    assert case.low.item() <= near <= case.high.item()
    case = case._replace(high=case.low)
    assert vnncomp._with_decimals(network, order, case, x).item() == x.item()


def test_conditions():
    def comparison(coefficients, bound=0, strict=False):
        coefficients = {k: Fraction(c) for k, c in coefficients.items()}
        return Comparison(coefficients, Fraction(bound), strict)

    at_least = comparison({2: 1, 0: -1})
    scaled = comparison({2: Fraction(1, 3), 0: Fraction(-1, 3), 1: 0})
    always, never = comparison({}, -1), comparison({}, 1)
    assert vnncomp.as_condition(((at_least, scaled), (always,))).cases == (
        ((2, 0),),
        ((0, 0),),
    )
    assert vnncomp.as_condition(((at_least, never),)) is None
    assert vnncomp.as_condition(((at_least, always, scaled), (scaled,))).cases == (((2, 0),),)
    for wrong in (
        comparison({2: 1, 0: -1}, strict=True),
        comparison({2: 1, 0: -1}, bound=1),
        comparison({2: 1, 0: -2}),
        comparison({2: 1}),
        comparison({0: 1, 1: 1, 2: -2}),
    ):
        with pytest.raises(ValueError, match="only comparisons of two outputs"):
            vnncomp.as_condition(((wrong,),))


def test_files_that_do_not_belong_together(tmp_path):
    network = real_boxes.random_network(np.random.default_rng(0))
    onnx.save(network, tmp_path / "net.onnx")
    low = np.zeros(3)
    write_question(tmp_path / "q.vnnlib", low, low, "(assert (>= Y_0 Y_1))")
    with pytest.raises(ValueError, match=r"is about 3 inputs and 3 outputs, .* has 4 and 3"):
        vnncomp.solve(tmp_path / "net.onnx", tmp_path / "q.vnnlib")


def test_networks_on_levels_are_refused(tmp_path):
    head = Head(np.ones((2, 1, 2, 2)), 1, [0, 0])
    onnx.save(BinaryNetwork(Quantiser(0.5), [], head, (1, 2, 2)), tmp_path / "net.onnx")
    low = np.zeros(4)
    write_question(tmp_path / "q.vnnlib", low, low, "(assert (>= Y_0 Y_1))", 2)
    with pytest.raises(ValueError, match="rounds pixels to levels"):
        vnncomp.solve(tmp_path / "net.onnx", tmp_path / "q.vnnlib")


def test_out_of_time(tmp_path, monkeypatch):
    network = real_boxes.random_network(np.random.default_rng(2))
    onnx.save(network, tmp_path / "net.onnx")
    low = np.zeros(network.input_shape)
    write_question(tmp_path / "q.vnnlib", low, low + 1, "(assert (>= Y_0 Y_1))")
    late = BoxVerdict("unknown", "prove", reason="timeout")
    monkeypatch.setattr(vnncomp, "verify_box", lambda *arguments: late)
    assert vnncomp.solve(tmp_path / "net.onnx", tmp_path / "q.vnnlib", 1).text == "timeout"


def test_what_takes_too_long_to_read_is_out_of_time(tmp_path):
    network = real_boxes.random_network(np.random.default_rng(2))
    onnx.save(network, tmp_path / "net.onnx")
    low = np.zeros(network.input_shape)
    write_question(tmp_path / "q.vnnlib", low, low + 1, "(assert (>= Y_0 Y_1))")
    result = vnncomp.solve(tmp_path / "net.onnx", tmp_path / "q.vnnlib", 1e-6)
    assert (result.text, result.verdicts) == ("timeout", [])


@pytest.mark.parametrize(
    ("size", "question", "answer"),
    [("30", "8258_eps_1", "unsat"), ("30", "8258_eps_3", "sat"), ("48", "7040_eps_1", "sat")],
)
def test_the_benchmark(size, question, answer):
    """Two answers that no tool gave in 2023, one of them the first proof."""
    runtime = pytest.importorskip("onnxruntime")
    if not SHARED.is_dir():
        pytest.skip(f"the benchmark is not in {SHARED}")
    (model,) = (SHARED / "onnx").glob(f"3_{size}_*.onnx.gz")
    specification = SHARED / "vnnlib" / f"model_{size}_idx_{question}.00000.vnnlib.gz"
    result = vnncomp.solve(model, specification, timeout=60)
    assert result.answer == answer
    if answer == "sat":
        session = runtime.InferenceSession(gzip.decompress(model.read_bytes()))
        x = np.array(result.x.astype(np.float64), np.float32)
        assert [Fraction(float(v)) for v in x] == result.x.tolist()
        feed = {session.get_inputs()[0].name: x.reshape(1, int(size), int(size), 3)}
        y = session.run(None, feed)[0].ravel()
        np.testing.assert_array_equal(y, result.y)
        (case,) = vnnlib.load(specification).cases
        assert case.holds(result.x, y)
        assert float(result.verdicts[0].margins.first) > 0.1
