import json

import numpy as np
import pytest
from interop.eev_networks import random_layers, write

from bnnkit import BinaryNetwork, RealNetwork, datasets
from bnnkit.cli import main, options
from bnnkit.interop import eev, onnx
from bnnkit.network import Head, RealConv2d
from bnnkit.quantiser import Quantiser


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "network.pth"
    path.write_bytes(write(random_layers(np.random.default_rng(0), "conv"), "zipped"))
    return path


def test_convert(checkpoint, tmp_path, capsys):
    out = tmp_path / "network.npz"
    arguments = ["--quant-step", "0.61", "--input-shape", "1x8x8"]
    assert main(["convert", str(checkpoint), str(out), *arguments]) == 0
    assert BinaryNetwork.load(out) == eev.load(checkpoint, 0.61, (1, 8, 8))
    assert "input 1x8x8, 3 levels (step 61/100)" in capsys.readouterr().out


def test_a_converted_network_is_converted_to_itself(checkpoint, tmp_path):
    out, again = tmp_path / "network.npz", tmp_path / "again.npz"
    main(["convert", str(checkpoint), str(out), "--input-shape", "1x8x8"])
    assert main(["convert", str(out), str(again)]) == 0
    assert out.read_bytes() == again.read_bytes()


def test_onnx_there_and_back(checkpoint, tmp_path):
    first, out, again = (tmp_path / name for name in ("a.npz", "b.onnx.gz", "c.npz"))
    main(["convert", str(checkpoint), str(first), "--input-shape", "1x8x8"])
    assert main(["convert", str(first), str(out)]) == 0
    assert main(["convert", str(out), str(again)]) == 0
    images = np.random.default_rng(0).random((50, 1, 8, 8))
    before, after = BinaryNetwork.load(first), BinaryNetwork.load(again)
    assert (before.scores(images) == after.scores(images)).all()


def real_digits():
    """A network over the 64 grey values of the digits, whose pixels are in 0 .. 255."""
    rng = np.random.default_rng(0)
    front = RealConv2d(rng.choice([-1, 1], (50, 1, 8, 8)), [0] * 50, [1] * 50)
    head = Head(rng.choice([-1, 1], (10, 50, 1, 1)), 1, [0] * 10)
    return RealNetwork(front, BinaryNetwork(Quantiser(1), [], head, (50, 1, 1)), (1, 8, 8))


def test_networks_of_real_pixels_are_evaluated_and_otherwise_refused(tmp_path, capsys):
    network, path = real_digits(), tmp_path / "real.npz"
    network.save(path)
    assert main(["convert", str(path), str(tmp_path / "real.onnx")]) == 0
    assert onnx.load(tmp_path / "real.onnx") == network
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / "real.onnx"), "--json"]) == 0
    test = datasets.load("digits").test
    accuracy = float((network.predict(test.images) == test.labels).mean())
    assert json.loads(capsys.readouterr().out)["accuracy"] == accuracy
    assert main(["attack", str(path), "--eps", "0.1"]) == 2
    assert "reads real pixels" in capsys.readouterr().err


def test_the_range_of_pixels(tmp_path):
    network, path = real_digits(), tmp_path / "real.onnx"
    onnx.save(network, path)
    out = tmp_path / "unit.npz"
    assert main(["convert", str(path), str(out), "--input-range", "-1", "1/2"]) == 0
    assert RealNetwork.load(out).input_range == (-1, 0.5)


def test_other_commands_take_checkpoints(tmp_path):
    path = tmp_path / "network.pickle"
    path.write_bytes(write(random_layers(np.random.default_rng(0), "dense"), "plain module"))
    assert options.load_network(str(path)) == eev.load(path)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["{in}", "{out}.txt", "--input-shape", "1x8x8"], "must end in .npz or .onnx"),
        (["{in}", "{out}", "--input-range", "0", "1"], "leave out the input range"),
        (["{in}", "{out}"], "gets (64, 7, 7)|takes 64 inputs"),
        (["{in}.none.pth", "{out}"], "No such file"),
        (["{out}.npz", "{out}"], "No such file"),
        (["{in}", "{out}", "--quant-step", "5", "--input-shape", "1x8x8"], "quant_step must be in"),
    ],
)
def test_mistakes(checkpoint, tmp_path, capsys, arguments, says):
    places = {"in": checkpoint, "out": tmp_path / "network.npz"}
    assert main(["convert", *(text.format(**places) for text in arguments)]) == 2
    error = capsys.readouterr().err
    assert any(part in error for part in says.split("|"))
    assert error.startswith("bnnkit convert: error: ")
    assert error.count("\n") == 1


def test_the_input_is_not_overwritten(checkpoint, tmp_path, capsys):
    out = tmp_path / "network.npz"
    main(["convert", str(checkpoint), str(out), "--input-shape", "1x8x8"])
    content = out.read_bytes()
    assert main(["convert", str(out), str(out)]) == 2
    assert "would be overwritten" in capsys.readouterr().err
    assert out.read_bytes() == content


def test_what_a_file_holds_is_not_said_again(checkpoint, tmp_path, capsys):
    out = tmp_path / "network.npz"
    main(["convert", str(checkpoint), str(out), "--input-shape", "1x8x8"])
    assert main(["convert", str(out), str(tmp_path / "b.npz"), "--quant-step", "0.1"]) == 2
    assert "leave them out" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text", ["28x28", "1x28x28x1", "-1x28x28", "1×28×28", "1x28x٣", "1x2x" + "9" * 30]
)
def test_shapes_are_three_numbers(checkpoint, text, capsys):
    with pytest.raises(SystemExit):
        main(["convert", str(checkpoint), "out.npz", f"--input-shape={text}"])
    assert "write 1x28x28" in capsys.readouterr().err
