import numpy as np
import pytest

from bnnkit.cli import main
from bnnkit.network import BinaryNetwork, Head, RealConv2d, RealNetwork
from bnnkit.quantiser import Quantiser

pytest.importorskip("onnx")


@pytest.fixture
def files(tmp_path):
    """A network that says 1 where a pixel is at least 5/2, and questions about it."""
    from bnnkit.interop import onnx

    front = RealConv2d(np.ones((1, 1, 1, 1)), [5], [1])
    head = Head(np.array([-1, 1]).reshape(2, 1, 1, 1), scale=2, bias=[1, 0])
    network = RealNetwork(front, BinaryNetwork(Quantiser(1), [], head, (1, 1, 1)), (1, 1, 1))
    onnx.save(network, tmp_path / "net.onnx")
    for name, high in (("below", "4.75"), ("beyond", "5.5")):
        (tmp_path / f"{name}.vnnlib").write_text(
            "(declare-const X_0 Real)(declare-const Y_0 Real)(declare-const Y_1 Real)"
            f"(assert (>= X_0 0))(assert (<= X_0 {high}))(assert (>= Y_1 Y_0))"
        )
    return tmp_path


def ask(files, name, *more):
    return main(["verify", str(files / "net.onnx"), str(files / f"{name}.vnnlib"), *more])


def test_unsat(files, capsys):
    assert ask(files, "below", "--timeout", "20") == 0
    printed = capsys.readouterr()
    assert printed.out == "unsat\n"
    assert printed.err.startswith("robust (bounds): clean ")


def test_sat_with_its_witness(files, capsys):
    assert ask(files, "beyond", "--results", str(files / "answer.txt")) == 1
    printed = capsys.readouterr()
    word, x, *_ = printed.out.splitlines()
    assert word == "sat"
    assert 5 <= float(x.split()[1].strip(")")) <= 5.5
    assert (files / "answer.txt").read_text() == printed.out
    assert "class 1, first-layer margin" in printed.err


def test_wrong_use(files, capsys):
    assert ask(files, "missing") == 2
    assert "missing.vnnlib" in capsys.readouterr().err
    assert main(["verify", str(files / "below.vnnlib")]) == 2
    assert "one network and one .vnnlib file" in capsys.readouterr().err
    assert main(["verify", str(files / "net.onnx")]) == 2
    assert "--eps is needed" in capsys.readouterr().err
    assert main(["verify", "a.npz", "--eps", "0.1", "--results", "x"]) == 2
    assert "--results is for a .vnnlib file" in capsys.readouterr().err
    (files / "below.vnnlib").write_text("(assert")
    assert ask(files, "below") == 2
    assert "below.vnnlib" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        ["--write-formula", "x.opb"],
        ["--json"],
        ["--csv", "x.csv"],
        ["--certificate", "c"],
        ["--solver", "cp-sat"],
        ["--eps", "0.1"],
        ["--dataset", "mnist"],
        ["--index", "0"],
        ["--jobs", "2"],
        ["--store", "x.sqlite"],
        ["--pixels", "uint8"],
        ["--first", "3"],
    ],
)
def test_options_that_do_not_apply_are_refused(files, capsys, options):
    assert ask(files, "below", *options) == 2
    said = capsys.readouterr().err
    assert f"{options[0]} is not for a .vnnlib question" in said
    assert said.count("\n") == 1


def test_defaults_that_are_written_out_are_taken(files):
    assert ask(files, "below", "--dataset", "digits", "--solver", "native", "--jobs", "1") == 0


def test_numbers_beyond_all_floats(files, capsys):
    text = (files / "beyond.vnnlib").read_text().replace("5.5", "9e999")
    (files / "beyond.vnnlib").write_text(text)
    assert ask(files, "beyond") == 1
    printed = capsys.readouterr()
    assert printed.out.startswith("sat\n((X_0 ")
    assert "class 1, first-layer margin inf" in printed.err
