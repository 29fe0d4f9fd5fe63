"""The file of a proof."""

import gzip
import hashlib

import numpy as np
import pytest

from bnnkit.formula import Formula
from bnnkit.solvers.proof import Proof

STEPS = (False, np.array([1, -2, 0, 3, 0])), (True, np.array([2, 1, 0])), (False, np.array([-1, 0]))


@pytest.mark.parametrize("name", ["proof", "proof.gz"])
def test_save(name, tmp_path):
    Formula(3).save(tmp_path / "f.cnf.gz")
    Proof(STEPS, (-3,)).save(tmp_path / name, tmp_path / "f.cnf.gz")
    data = (tmp_path / name).read_bytes()
    text = (gzip.decompress(data) if name.endswith("gz") else data).decode()
    digest = hashlib.sha256(Formula(3).to_text().encode()).hexdigest()
    expected = f"p bnnkit-proof 1 {digest}\n1 -2 0\n3 0\nd 2 1 0\n-1 0\nclaim -3 0\n"
    assert text == expected


def test_names(tmp_path):
    """Other numbers for the variables, the same for the steps."""
    Formula(30).save(tmp_path / "f.cnf")
    Proof(STEPS, ()).save(tmp_path / "proof", tmp_path / "f.cnf", np.array([0, 10, 20, 30]))
    lines = (tmp_path / "proof").read_text().splitlines()[1:]
    assert lines == ["10 -20 0", "30 0", "d 2 1 0", "-10 0", "claim 0"]


def test_number_of_steps():
    assert Proof(STEPS).n_steps == 3
    assert Proof().n_steps == 0
