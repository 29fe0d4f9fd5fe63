"""Certificates of "robust": the whole question and a proof, as files that others can check.

The proof is about the formula that the definition of the question gives, with all neurons as
variables and nothing worked out before. What the bounds found follows there by unit propagation,
as intervals of sums are what counters of open literals know. So the solver's proof, which is about
what the bounds left open, needs new names for its variables and nothing else.
"""

import json
from pathlib import Path

import numpy as np

from bnnkit._files import write_npz, write_text
from bnnkit.solvers.proof import Proof
from bnnkit.verification.circuit import circuit
from bnnkit.verification.encode import encode_all


def write_certificate(folder, network, image, label, eps, box, question=None, proof=None):
    """Write a certificate; see docs/formats.md for its files.

    Parameters
    ----------
    folder : path
        One that holds no certificate yet; it holds one when certificate.json is there, the last
        file to be written.
    network, image, label, eps
        The question; eps a Fraction.
    box : two ndarrays of integers, shape (n_inputs,)
        Lowest and highest level of each input.
    question : Encoded, optional
        What the bounds left open; left out if that was nothing.
    proof : Proof, optional
        That the formula of `question` has no model.
    """
    folder = Path(folder)
    whole = encode_all(circuit(network), label, *box)
    whole.formula.save(folder / "formula.cnf.gz")
    names = None if question is None else _names(question, whole, label)
    (proof or Proof()).save(folder / "proof.gz", folder / "formula.cnf.gz", names)
    network.save(folder / "network.npz")
    write_npz(folder / "image.npz", {"image": image})
    claim = {"network": network.digest, "label": label, "eps": str(eps)}
    claim = {"format": "bnnkit-certificate", "version": 1, **claim}
    write_text(folder / "certificate.json", json.dumps(claim, indent=1) + "\n")


def _names(question, whole, label):
    """The variable of the whole formula that each variable of a question's formula stands for."""
    nodes = np.flatnonzero(question.first)
    first, wins = question.first[nodes], question.formula.n_vars - len(question.rivals) + 1
    shift = np.repeat(whole.first[nodes] - first, np.diff(first, append=wins))
    rivals = whole.formula.n_vars - len(whole.rivals) + 1 + question.rivals
    return np.concatenate([[0], np.arange(1, wins) + shift, rivals - (question.rivals > label)])
