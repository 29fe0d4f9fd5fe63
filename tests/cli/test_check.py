"""bnnkit check, and the commands that write what it checks."""

from pathlib import Path

import pytest
from families_counting import pigeon_hole

from bnnkit import BNNClassifier
from bnnkit.cli import main
from bnnkit.datasets import load


@pytest.fixture
def formula(tmp_path):
    pigeon_hole(5).save(tmp_path / "formula.cnf.gz")
    return str(tmp_path / "formula.cnf.gz")


@pytest.mark.parametrize("name", ["proof", "proof.gz"])
def test_a_proof(name, formula, tmp_path, capsys):
    proof = str(tmp_path / name)
    assert main(["solve", formula, "--proof", proof]) == 20
    assert main(["check", formula, proof]) == 0
    assert f"verified: there is no solution: {formula}" in capsys.readouterr().out
    assert main(["check", formula, proof, "--veripb", str(tmp_path / "theirs")]) == 0
    assert (tmp_path / "theirs.pbp").read_text().startswith("pseudo-Boolean proof version 3.0")
    assert (tmp_path / "theirs.opb").exists()


def test_a_proof_of_something_else(formula, tmp_path, capsys):
    proof, other = str(tmp_path / "proof"), str(tmp_path / "other.cnf")
    main(["solve", formula, "--proof", proof])
    pigeon_hole(4).save(other)
    assert main(["check", other, proof]) in (1, 2)
    lines = (tmp_path / "proof").read_text().splitlines()
    (tmp_path / "proof").write_text("\n".join([lines[0], lines[-1], ""]))
    capsys.readouterr()
    assert main(["check", formula, proof]) == 1
    assert capsys.readouterr().out.startswith("rejected: the claim, [], does not follow")


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "no line 'p bnnkit-proof"), ("p bnnkit-proof 1 " + "0" * 64 + "\n1 2\n", "line 2")],
)
def test_no_proof(text, said, formula, tmp_path, capsys):
    (tmp_path / "proof").write_text(text)
    assert main(["check", formula, str(tmp_path / "proof")]) == 2
    assert said in capsys.readouterr().err


def test_proofs_that_cannot_be(formula, tmp_path, capsys):
    assert main(["solve", formula, "--proof", str(tmp_path / "p"), "--solver", "minicard"]) == 2
    assert "gives no proofs" in capsys.readouterr().err
    assert main(["solve", "-", "--proof", str(tmp_path / "p")]) == 2
    assert main(["check", str(tmp_path / "nothing"), str(tmp_path / "p")]) == 2
    assert main(["check", str(tmp_path)]) == 2


def test_a_certificate(tmp_path, capsys):
    data = load("digits", limit=600)
    classifier = BNNClassifier("16", quant_step=0.5, epochs=2, random_state=0)
    network = classifier.fit(data.train.images, data.train.labels).network_
    network.save(tmp_path / "model.npz")
    right = (network.predict(data.test.images) == data.test.labels).argmax()
    folder = str(tmp_path / "certificate")
    asked = ["verify", str(tmp_path / "model.npz"), "--eps", "0.01", "--certificate", folder]
    assert main([*asked, "--index", str(right)]) == 0
    capsys.readouterr()
    assert main(["check", folder]) == 0
    said = f"verified: the network {network.digest} gives class {data.test.labels[right]} to every"
    assert capsys.readouterr().out.startswith(said)
    assert main(asked) == 2
    assert "give --index" in capsys.readouterr().err


def test_more_memory_than_there_is(formula, tmp_path, capsys):
    proof = str(tmp_path / "proof")
    main(["solve", formula, "--proof", proof])
    (tmp_path / "proof").write_bytes((tmp_path / "proof").read_bytes() + b"\n" * 2**28)
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_AS)
    status = Path("/proc/self/statm")
    if not status.exists():
        pytest.skip("this system does not tell the size of a process")
    taken = int(status.read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + 2**27, limits[1]))
    try:
        assert main(["check", formula, proof]) == 2
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
    assert "takes more memory than there is" in capsys.readouterr().err
