"""Whether a certificate proves what it says about a network and an image."""

import hashlib
import json
import re
from fractions import Fraction
from pathlib import Path

import numpy as np

from bnnkit._files import read_npz
from bnnkit.checker.network import read_network
from bnnkit.checker.proof import Checked, check_rows
from bnnkit.checker.question import box_of, encode
from bnnkit.checker.text import read_formula

FORMULA, PROOF = "formula.cnf.gz", "proof.gz"
_FRACTION = re.compile("[0-9]{1,1000}(/[0-9]{1,1000})?")


def check_certificate(folder):
    """Check a certificate: image and network give the formula, and the proof refutes it.

    Parameters
    ----------
    folder : path
        With the files that docs/formats.md names. The network's and the image's SHA-256 in the
        answer say which they are.

    Returns
    -------
    Checked

    Raises
    ------
    OSError, ValueError
        A file that cannot be read, or is none of its kind.

    Examples
    --------
    A certificate that a pixel is class 0 within 0.1:

    >>> import tempfile
    >>> import bnnkit
    >>> from bnnkit.checker import check_certificate
    >>> from bnnkit.network import BinaryNetwork, Conv2d, Head
    >>> from bnnkit.quantiser import Quantiser
    >>> head = Head([[[[0]]], [[[1]]]], 1, [0, 0])
    >>> network = BinaryNetwork(Quantiser(0.1), [Conv2d([[[[1]]]], [2], [1])], head, (1, 1, 1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     verdict = bnnkit.verify(network, [0.0], 0, eps=0.1, certificate=f"{folder}/c")
    ...     checked = check_certificate(f"{folder}/c")
    >>> verdict.status, checked.verified
    ('robust', True)
    """
    folder = Path(folder)
    said, label, eps = _read_claim(folder / "certificate.json")
    network, digest = read_network(folder / "network.npz")
    image = _read_image(folder / "image.npz", network["shape"])
    if not 0 <= label < len(network["head"]):
        raise ValueError(f"{folder}: label {label} is no class of the network")
    content = f"{image.dtype.str} {image.shape} ".encode() + image.tobytes()
    claim = (
        f"the network {digest} gives class {label} to every image within {eps} "
        f"of the image {hashlib.sha256(content).hexdigest()}"
    )
    if said != digest:
        return Checked(False, claim, "certificate.json names another network")
    expected = encode(network, *box_of(image, eps, network["step"]), label)
    n_vars, rows, digest = read_formula(folder / FORMULA)
    wrong = _difference(expected, (n_vars, rows))
    if wrong:
        return Checked(False, claim, f"the formula is not that of the question: {wrong}")
    clause, wrong = check_rows(n_vars, rows, digest, folder / PROOF)
    if clause and not wrong:
        wrong = f"the proof claims the clause {list(clause)}, which is not enough"
    return Checked(not wrong, claim, wrong)


def _read_claim(path):
    """The network's digest, the label and eps."""
    try:
        claim = json.loads(path.read_bytes())
        if claim["format"] != "bnnkit-certificate" or claim["version"] != 1:
            raise ValueError("another format")
        network, label = claim["network"], claim["label"]
        if type(label) is not int or not _FRACTION.fullmatch(claim["eps"]):
            raise ValueError("label must be an integer, eps a fraction such as 1/10")
        if (eps := Fraction(claim["eps"])) > 1:
            raise ValueError("eps must be in [0, 1]")
    except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"{path}: not a certificate ({type(error).__name__}: {error})") from None
    return network, label, eps


def _read_image(path, shape):
    image = read_npz(path).get("image")
    if image is None or image.dtype not in (np.uint8, np.float64) or image.shape != shape:
        raise ValueError(f"{path}: must hold an image {shape} of uint8 or float64")
    if not ((image >= 0) & (image <= (255 if image.dtype == np.uint8 else 1))).all():
        raise ValueError(f"{path}: the image must be in [0, 1]")
    return image


def _difference(expected, found):
    """Where two formulas begin to differ; empty if they do not."""
    if expected[0] != found[0]:
        return f"{found[0]} variables instead of {expected[0]}"
    for name, wanted, got in zip(expected[1]._fields, expected[1], found[1], strict=True):
        if wanted.shape != got.shape:
            return f"{len(got)} entries of {name} instead of {len(wanted)}"
        if not np.array_equal(wanted, got):
            place = int(np.flatnonzero(wanted != got)[0])
            return f"{name} {place} is {got[place]} instead of {wanted[place]}"
    return ""
