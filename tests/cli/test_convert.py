import numpy as np
import pytest
from interop.eev_networks import random_layers, write

from bnnkit import BinaryNetwork
from bnnkit.cli import main, options
from bnnkit.interop import eev


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


def test_other_commands_take_checkpoints(tmp_path):
    path = tmp_path / "network.pickle"
    path.write_bytes(write(random_layers(np.random.default_rng(0), "dense"), "plain module"))
    assert options.load_network(str(path)) == eev.load(path)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["{in}", "{out}.txt", "--input-shape", "1x8x8"], "must end in .npz"),
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
