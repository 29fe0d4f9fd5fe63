import csv
import json
from pathlib import Path

import pytest

from bnnkit import BinaryNetwork, datasets, verify_all
from bnnkit.cli import main


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("assess") / "model.npz"
    training = ["--architecture", "32", "--quant-step", "0.25", "--epochs", "4"]
    assert main(["train", *training, "--mask-decay", "1e-3", "--out", str(path)]) == 0
    return str(path)


def test_all_measures_and_files(model, tmp_path, capsys):
    table, plot = tmp_path / "table.csv", tmp_path / "curve.png"
    command = ["assess", model, "--eps", "0.3", "1/10", "--first", "30"]
    capsys.readouterr()
    assert main([*command, "--csv", str(table), "--plot", str(plot), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    test, network = datasets.load("digits").test, BinaryNetwork.load(model)
    right = network.predict(test.images) == test.labels
    measures = said["models"][model]["measures"]
    by_class = said["models"][model]["by_class"].values()
    assert measures["clean accuracy"]["value"] == right.mean()
    assert measures["clean accuracy"]["n"] == len(right)
    for eps in ("0.1", "0.3"):
        verdicts = verify_all(network, test.images[:30], test.labels[:30], float(eps))
        certified = measures[f"certified accuracy, eps {eps}"]
        assert certified["value"] == verdicts.certified_accuracy
        assert certified["low"] <= certified["value"] < certified["high"]
        for status, count in verdicts.counts.items():
            assert sum(each["eps"][eps][status] for each in by_class) == count
    assert sum(each["right"] for each in by_class) == right[:30].sum()
    with open(table, newline="") as file:
        rows = {row["measure"]: row for row in csv.DictReader(file)}
    assert rows.keys() == measures.keys()
    assert float(rows["ratio"]["value"]) == pytest.approx(measures["ratio"]["value"])
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "curve.png.csv").read_text().startswith("model,eps,n,robust")


def test_several_models_stand_side_by_side(model, tmp_path, capsys):
    plot = tmp_path / "curves.png"
    command = ["assess", model, "zoo:mnist-mlp-eps0.1", "--eps", "0.1", "--first", "30"]
    assert main(command) == 2  # images of another size
    assert "the network takes images of shape (1, 28, 28)" in capsys.readouterr().err
    other = tmp_path / "other.npz"
    other.write_bytes(Path(model).read_bytes())
    assert main(["assess", model, str(other), *command[3:], "--plot", str(plot), "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)["models"].values()
    assert first["measures"] == second["measures"]
    rows = Path(f"{plot}.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["model", "model.npz", "other.npz"]


def test_the_text_has_both_tables(model, capsys):
    assert main(["assess", model, "--eps", "0.1", "--first", "30"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("measure")
    assert "robust/falsified/unknown by class" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--eps", "8"], "for grey levels pass 8/255"),
        (["--eps", "0.1", "--solver", "nativ"], "did you mean 'native'"),
        (["--eps", "0.1", "--csv", "FOLDER"], "is a folder; name a file in it"),
        (["--eps", "0.1", "--csv", "MODEL"], "would be overwritten"),
        (["--eps", "0.1", "--plot", "curve.doc"], "a plot is a .png, .pdf or .svg"),
        (["--eps", "0.1", "--csv", "x.png.csv", "--plot", "x.png"], "is named twice"),
    ],
)
def test_wrong_use(arguments, says, model, tmp_path, capsys):
    places = {"FOLDER": str(tmp_path), "MODEL": model}
    arguments = [places.get(each, each) for each in arguments]
    assert main(["assess", model, *arguments]) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert said.out == ""
