"""bnnkit check, and the commands that write what it checks."""

import pytest
from families_counting import pigeon_hole

from bnnkit.cli import main
from bnnkit.datasets import load
from bnnkit.zoo import names


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
    digits = [name for name in names() if "digits" in name]
    if not digits or not len(load("digits").test):
        pytest.skip("the zoo has no network for the digits")
    asked = ["verify", f"zoo:{digits[0]}", "--dataset", "digits", "--eps", "0.05"]
    folder = str(tmp_path / "certificate")
    codes = [main([*asked, "--index", str(i), "--certificate", folder]) for i in range(3)]
    i = codes.index(0)
    main([*asked, "--index", str(i), "--certificate", folder])
    capsys.readouterr()
    assert main(["check", folder]) == 0
    assert "everywhere" not in capsys.readouterr().out
    assert main([*asked, "--certificate", folder]) == 2
    assert "give --index" in capsys.readouterr().err
