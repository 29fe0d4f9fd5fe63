"""Certificates of random networks: those that `verify` writes, and damaged ones."""

import gzip
import hashlib
import json
import re
import shutil
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from checker.test_proof import damaged_bytes
from helpers import hard_question, images_of, plain_class, random_network, random_weights

from bnnkit import BinaryNetwork, verify, verify_all
from bnnkit._files import read_npz, write_npz
from bnnkit.checker import check, check_certificate, question
from bnnkit.checker.question import encode
from bnnkit.checker.text import SUM
from bnnkit.network import Conv2d, Head
from bnnkit.quantiser import Quantiser
from bnnkit.verification.certificate import write_certificate

LAYERS = [("dense",), ("dense", "dense"), ("conv", "pool", "dense"), ("conv", "conv")]


def twins():
    """A network that is robust, and an image: two neurons are equal, which bounds do not see."""
    layer = Conv2d(np.ones((2, 1, 1, 2)), [1, 1], [1, 1])
    head = Head(np.array([0, 0, 1, -1]).reshape(2, 2, 1, 1), 1, [0, 0])
    network = BinaryNetwork(Quantiser(0.5), [layer], head, (1, 1, 2))
    return network, np.array([[[0, 80]]], np.uint8)


def random_twins(rng):
    """More of the kind: each class counts neurons of its own, which are the same."""
    n = int(rng.integers(2, 6))
    half, outer = random_weights(rng, n, 1, 3, 3), random_weights(rng, 1, n, 1, 1)
    thresholds, senses = rng.integers(-2, 5, n), rng.choice([-1, 1], n)
    layer = Conv2d(np.concatenate([half, half]), [*thresholds, *thresholds], [*senses, *senses])
    head = np.concatenate([outer, 0 * outer, 0 * outer, outer], axis=1).reshape(2, 2 * n, 1, 1)
    return BinaryNetwork(Quantiser(0.3), [layer], Head(head, 1, [0, 0]), (1, 3, 3))


@pytest.fixture
def certificate(tmp_path):
    network, image = twins()
    verdict = verify(network, image, 0, 0.5, certificate=tmp_path / "c", falsify=0)
    assert (verdict.status, verdict.stage) == ("robust", "solver")
    assert verdict.timings["certificate"] > 0
    return tmp_path / "c"


def test_random_networks(tmp_path):
    """Every robust verdict has a certificate, for images and pixels of every kind."""
    rng = np.random.default_rng(0)
    stages = []
    for i in range(60):
        network = random_network(rng, (1, 3, 3), LAYERS[i % len(LAYERS)], step=[0.3, 0.1][i % 2])
        if i % 3 == 0:
            network = random_twins(rng)
        image = rng.integers(0, 256, (1, 3, 3)).astype(np.uint8)
        pixels = "uint8" if i % 5 == 0 else "real"
        image = image / 255 if i % 5 == 1 else image
        eps = float(rng.choice([0.0, 0.05, 0.1, 8 / 255, 0.3]))
        folder = tmp_path / str(i)
        label = int(network.predict(image[None])[0])
        options = {"pixels": pixels, "falsify": 0.001 * (i % 2), "certificate": folder}
        verdict = verify(network, image, label, eps, **options)
        assert (folder / "certificate.json").exists() == (verdict.status == "robust")
        if verdict.status == "robust":
            checked = check_certificate(folder)
            assert checked.verified, checked.reason
            assert network.digest in checked.claim
            stages.append(verdict.stage)
    assert stages.count("bounds") > 10
    assert stages.count("solver") > 3


def test_a_made_up_certificate_is_rejected(tmp_path):
    """For questions with an adversarial image, whatever proof is put beside them."""
    rng = np.random.default_rng(1)
    network, image = twins()
    verify(network, image, 0, 0.5, certificate=tmp_path / "true", falsify=0)
    rejected = 0
    while rejected < 20:
        network = random_network(rng, (1, 2, 2), LAYERS[rng.integers(2)])
        image = rng.integers(0, 256, (1, 2, 2)).astype(np.uint8)
        label, eps = int(network.predict(image[None])[0]), 0.3
        low, high = network.quantiser.ball(image, eps)
        if all(plain_class(network, levels) == label for levels in images_of(low, high)):
            continue
        certify(tmp_path / "false", network, image, label, eps)
        checked = check_certificate(tmp_path / "false")
        assert not checked.verified
        assert "the claim" in checked.reason
        rejected += 1


def certify(folder, network, image, label, eps):
    """Write a certificate as `verify` would, whether it is true or not."""
    eps = Fraction(eps).limit_denominator(1000)
    box = [end.transpose(1, 2, 0).ravel() for end in network.quantiser.ball(image, eps)]
    write_certificate(folder, network, image, label, eps, box)


@pytest.mark.parametrize("floats", [False, True])
def test_the_answer_names_network_and_image_as_the_format_defines(floats, tmp_path):
    network, image = twins()
    image = image / 255 if floats else image
    verify(network, image, 0, 0.5, certificate=tmp_path)
    content = (b"<f8" if floats else b"|u1") + b" (1, 1, 2) " + image.tobytes()
    claim = check_certificate(tmp_path).claim
    assert hashlib.sha256(content).hexdigest() in claim
    assert network.digest in claim


@pytest.mark.parametrize(
    ("name", "value"), [("label", 1), ("eps", "1"), ("eps", "0"), ("network", "0" * 64)]
)
def test_another_question(certificate, name, value):
    """The formula is that of the question which the files ask, not of another one."""
    claim = json.loads((certificate / "certificate.json").read_text())
    (certificate / "certificate.json").write_text(json.dumps({**claim, name: value}))
    checked = check_certificate(certificate)
    assert not checked.verified
    assert "formula is not that" in checked.reason or "another network" in checked.reason


def test_another_image_and_network(certificate):
    write_npz(certificate / "image.npz", {"image": np.array([[[0, 200]]], np.uint8)})
    assert "formula is not that" in check_certificate(certificate).reason
    write_npz(certificate / "image.npz", {"image": twins()[1]})
    assert check_certificate(certificate).verified
    arrays = read_npz(certificate / "network.npz")
    write_npz(certificate / "network.npz", {**arrays, "0.threshold": arrays["0.threshold"] + 1})
    assert "another network" in check_certificate(certificate).reason


def test_a_weaker_formula_or_claim(certificate):
    """A formula with one constraint more, and a proof that claims less than that there is none."""
    proof, formula = certificate / "proof.gz", certificate / "formula.cnf.gz"
    text = gzip.decompress(proof.read_bytes()).decode().replace("claim 0", "claim 1 -1 0")
    whole = proof.read_bytes()
    proof.write_bytes(gzip.compress(text.encode()))
    assert "not enough" in check_certificate(certificate).reason
    proof.write_bytes(whole)
    lines = gzip.decompress(formula.read_bytes()).decode().splitlines()
    formula.write_text("\n".join([*lines, "1 0", "-1 0", ""]))
    assert "formula is not that" in check_certificate(certificate).reason
    assert "another formula" in check(formula, proof).reason


def test_damaged_files(certificate, tmp_path):
    """An answer or a ValueError; verified only what is the same in content."""
    rng = np.random.default_rng(2)
    accepted = 0
    for _ in range(200):
        shutil.copytree(certificate, tmp_path / "copy", dirs_exist_ok=True)
        victim = rng.choice(sorted(certificate.iterdir()))
        (tmp_path / "copy" / victim.name).write_bytes(damaged_bytes(rng, victim.read_bytes()))
        try:
            checked = check_certificate(tmp_path / "copy")
        except ValueError:
            continue
        accepted += checked.verified
        if checked.verified:
            assert checked.claim == check_certificate(certificate).claim
    assert accepted < 100


@pytest.mark.parametrize(
    ("eps", "said"),
    [("1e999999999", "such as 1/10"), ("1/0", "Zero"), ("2", "[0, 1]"), ("-1/2", "such as")],
)
def test_radii_that_are_none(eps, said, certificate):
    path = certificate / "certificate.json"
    path.write_text(path.read_text().replace('"1/2"', f'"{eps}"'))
    with pytest.raises(ValueError, match=re.escape(said)):
        check_certificate(certificate)


@pytest.mark.parametrize(
    "change",
    [
        {"quant_step": ["1e999999999"]},
        {"quant_step": [1, 10**9]},
        {"quant_step": [1, 0]},
        {"input_shape": [1, 2**30, 2**30]},
        {"input_shape": [1, 1]},
        {"layers": [{"kind": "pool2d", "pool": "or", "size": 1, "stride": 1}]},
        {
            "layers": [
                {"kind": "conv2d", "kernel_shape": [2, 1, 1, 2], "stride": 1, "padding": 2**30}
            ]
        },
        {"layers": [{"kind": "conv2d", "kernel_shape": [2, 1, 1, 2], "stride": 0, "padding": 0}]},
        {"layers": [{"kind": "conv2d", "kernel_shape": [2, 1, 1], "stride": 1, "padding": 0}]},
        {"head": {"kernel_shape": [2, 2, 1, 1], "scale": 0}},
        {"head": {"kernel_shape": [2, -2, 1, 1], "scale": 1}},
        {"layers": "x"},
        {"version": 2},
    ],
)
def test_networks_that_are_none(change, certificate):
    """Sizes are checked before anything is made of them."""
    arrays = read_npz(certificate / "network.npz")
    header = json.loads(arrays["header"].tobytes()) | change
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    write_npz(certificate / "network.npz", arrays)
    with pytest.raises(ValueError, match=r"network\.npz: not a network"):
        check_certificate(certificate)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("0.threshold", np.array([-(2**63), 1])),  # -z >= 2**63 would be always so, wrapped
        ("0.threshold", np.array([1, 1], ">i4")),
        ("0.sense", np.array([1, 1], np.int32)),
        ("0.sense", np.array([1, -128], np.int8)),
        ("0.sense", np.array([1, 0], np.int8)),
        ("head.bias", np.array([0, 0], np.int32)),
        ("head.bias", np.array([0, 0], np.uint64)),
        ("header", np.array([123, 125], np.int8)),
        ("1.threshold", np.array([1, 1], np.int32)),
        ("comment", np.zeros(1)),
        ("0.mask", None),
    ],
)
def test_a_network_has_exactly_the_members_of_the_format(name, array, certificate):
    arrays = {**read_npz(certificate / "network.npz"), name: array}
    write_npz(certificate / "network.npz", {k: a for k, a in arrays.items() if a is not None})
    with pytest.raises(ValueError, match=r"network\.npz: not a network"):
        check_certificate(certificate)


def test_weights_are_not_unpacked_before_their_number_is_known(certificate):
    """A small file whose weights would take gigabytes."""
    arrays = read_npz(certificate / "network.npz")
    header = json.loads(arrays["header"].tobytes())
    header["layers"][0]["kernel_shape"] = [1, 2**26, 1, 1]
    header["input_shape"] = [2**26, 1, 1]
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    arrays["0.sign"] = arrays["0.mask"] = np.zeros((1, 2**20), np.uint64)
    write_npz(certificate / "network.npz", arrays)
    tracemalloc.start()
    with pytest.raises(ValueError, match="number of weights"):
        check_certificate(certificate)
    assert tracemalloc.get_traced_memory()[1] < 2**26
    tracemalloc.stop()


@pytest.mark.parametrize(("sense", "threshold"), [(-1, -(2**63)), (1, 2**63 - 1), (-1, -(2**31))])
def test_thresholds_beyond_all_sums_stay_there(sense, threshold):
    """The neuron is never 1, and its bound is greater than its terms can reach."""
    layer = {"weights": np.ones((1, 1, 1, 2), np.int64), "stride": 1, "padding": 0}
    layer |= {"sense": np.array([sense]), "threshold": np.array([threshold])}
    network = {"layers": [layer], "head": np.array([[[[1]]], [[[0]]]]), "scale": 1}
    network["bias"] = np.array([0, 0])
    _, rows = encode(network, np.zeros((1, 1, 2), int), np.ones((1, 1, 2), int), 0)
    assert rows.bound[np.flatnonzero(rows.kind == SUM)[0]] > 2


def test_formulas_that_are_too_long_are_not_made(monkeypatch):
    monkeypatch.setattr(question, "MOST_WORDS", 10)
    monkeypatch.setattr(question, "MOST_VARIABLES", 8)
    network = {"layers": [], "head": np.ones((2, 1, 1, 4), int), "scale": 1}
    network["bias"], low = np.array([0, 0]), np.zeros((1, 1, 4), int)
    with pytest.raises(ValueError, match="more than 10 literals"):
        encode(network, low, low + 2, 0)
    with pytest.raises(ValueError, match="more than 8 bits"):
        encode(network, low, low + 3, 0)


@pytest.mark.parametrize(
    "image", [np.full((1, 1, 2), np.nan), np.full((1, 1, 2), 2.0), np.zeros((1, 2)), None]
)
def test_images_that_are_none(image, certificate):
    arrays = {"other": np.zeros(1)} if image is None else {"image": image}
    write_npz(certificate / "image.npz", arrays)
    with pytest.raises(ValueError, match=r"image\.npz"):
        check_certificate(certificate)


def test_solvers_without_proofs_are_refused(tmp_path):
    network, image, label = hard_question()
    with pytest.raises(ValueError, match="minicard gives no proofs"):
        verify(network, image, label, 0.1, "minicard", certificate=tmp_path)
    with pytest.raises(ValueError, match="fallback cp-sat gives no proofs"):
        verify(network, image, label, 0.1, fallback="cp-sat", certificate=tmp_path)


def test_one_certificate_for_one_image(tmp_path):
    network, image = twins()
    with pytest.raises(ValueError, match="about one image"):
        verify_all(network, np.stack([image, image]), [0, 0], 0.5, certificate=tmp_path)


def test_no_certificate_without_a_proof(certificate):
    """An old certificate does not stay behind when the answer is another one."""
    network, image = twins()
    assert verify(network, image, 1, 0.5, certificate=certificate).status == "falsified"
    assert not (certificate / "certificate.json").exists()
