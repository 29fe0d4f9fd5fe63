"""All readers of the package, and files that were made to harm whoever reads them."""

import ast
import os
import pickle
import struct
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace

import bad_files
import numpy as np
import pytest
from helpers import random_network, random_real_network
from interop import eev_networks
from interop.mutations import _alarm, _most_memory

import bnnkit
from bnnkit import BinaryNetwork, RealNetwork, assess, checker, fuzz, robust, study
from bnnkit._files import write_npz
from bnnkit.attacks import RandomNoise
from bnnkit.campaign.report import rows, status
from bnnkit.checker.network import read_network
from bnnkit.checker.text import read_formula, read_proof
from bnnkit.datasets import cifar, idx
from bnnkit.formula import Formula
from bnnkit.interop import eev, onnx, vnnlib
from bnnkit.interop.formulas import write_formula
from bnnkit.network import Conv2d, Head
from bnnkit.nn.checkpoint import RunFolder
from bnnkit.quantiser import Quantiser
from bnnkit.study.identity import identity
from bnnkit.study.laboratory import Laboratory
from bnnkit.study.made import Made
from bnnkit.zoo import Card
from bnnkit.zoo.catalog import Zoo

PACKAGE = Path(bnnkit.__file__).parent
MEMORY = 2e9  # bytes that reading may take; a formula may have a quarter of it, unpacked
VNNLIB = "(declare-const X_0 Real)(declare-const Y_0 Real)(assert (<= X_0 1))(assert (>= X_0 0))"
VNNLIB += "(assert (>= Y_0 0))"


class First:
    """The smallest model there is; at the top, so that it can be pickled."""

    def fit(self, images, labels):
        return self

    def predict(self, images):
        return np.zeros(len(images), int)


def network():
    return random_network(np.random.default_rng(1), (1, 2, 2), ("conv", "dense"))


def text(content):
    return np.frombuffer(content, np.uint8)


def formula():
    made = Formula(3)
    made.add_clauses([1, -2, 2, -1], [2, 2])
    made.add_sum([1, 2, 3], 2, output=3)
    return made


def certificate(folder):
    """Of one pixel, for which two equal neurons never differ."""
    twins = Conv2d(np.ones((2, 1, 1, 1), np.int8), [1, 1], [1, 1])
    head = Head(np.array([0, 0, 1, -1]).reshape(2, 2, 1, 1), 1, [0, 0])
    made = BinaryNetwork(Quantiser(1.0), [twins], head, (1, 1, 1))
    verdict = bnnkit.verify(made, np.zeros((1, 1, 1), np.uint8), 0, 1.0, certificate=folder)
    assert verdict.status == "robust"


def card():
    """A card with something in each of its entries."""
    kinds = {str: "x", int: 1, float: 0.5, dict: {"random_state": 0}, list: [1, 2, 2]}

    def filled(part):
        return part(**{f.name: kinds.get(f.type) or filled(f.type) for f in fields(part)})

    return replace(filled(Card), name="x")


def idx_images(path):
    path.write_bytes(struct.pack(">4I", 0x803, 9, 5, 4) + bytes(180))


def cifar_pickle(path):
    images = np.zeros((3, 3072), np.uint8)
    path.write_bytes(pickle.dumps({"data": images, "labels": [1, 2, 3]}, 2))


def robust_training(path):
    images, labels = np.zeros((4, 1, 2, 2), np.uint8), np.arange(4) % 2
    split = SimpleNamespace(images=images, labels=labels)
    data = SimpleNamespace(train=split, test=split)
    settings = {"eps": 0.1, "rounds": 1, "images_per_round": 1, "folder": path.parent}
    robust.train(First, RandomNoise(tries=1, random_state=0), data, **settings)


def proof(path):
    made = formula()
    made.add_clauses([1, 2, -3], [1, 1, 1])
    made.save(path.parent / "x.cnf")
    with bnnkit.solvers.get("native")(made, log=True) as solver:
        solver.proof(solver.solve()).save(path, path.parent / "x.cnf")


def eev_checkpoint(form):
    layers = eev_networks.random_layers(np.random.default_rng(0), "dense")
    return lambda path: path.write_bytes(eev_networks.write(layers, form))


def curve(path):
    one = np.zeros((1, 2))
    status = np.full((1, 2), "robust")
    named = {"eps": one[0, :1], "status": status, "answers": status, "seconds": one}
    assess.ResistanceCurve(**named, labels=np.arange(2), settings={}).save(path)


def finding(case):
    return lambda path: fuzz.save(case.draw(0, 0), {}, path.parent).rename(path)


def store(path):
    made = network()
    images = np.zeros((2, 1, 2, 2), np.uint8)
    bnnkit.verify_all(made, images, made.predict(images), 0.1, store=path)


def laboratory(path):
    Laboratory(study.load("loop", quick=True), path.parent, 1)


def made(path):
    laboratory(path)
    known = identity(study.load("loop", quick=True).settings, ("runs", "source"))
    record = Made(path)
    record.check("[runs.source]", "runs/source", known)
    record.note("runs/source", known)


def journal(path):
    fuzz.run("formula", 1, solvers=["native"], journal=path)


# where a file is in its folder; what writes it, and others beside it; what reads it
READERS = {
    "network": ("x.npz", lambda path: network().save(path), BinaryNetwork.load),
    "real network": (
        "x.npz",
        lambda path: random_real_network(np.random.default_rng(0)).save(path),
        RealNetwork.load,
    ),
    "network to check": ("x.npz", lambda path: network().save(path), read_network),
    "formula": ("x.cnf", lambda path: formula().save(path), Formula.load),
    "formula of clauses": ("x.cnf", lambda path: write_formula(formula(), path), Formula.load),
    "formula in OPB": ("x.opb", lambda path: write_formula(formula(), path), Formula.load),
    "formula to check": ("x.cnf", lambda path: formula().save(path), read_formula),
    "proof": ("proof", proof, lambda path: read_proof(path, 3)),
    "IDX images": ("x", idx_images, idx.read_images),
    "IDX labels": (
        "x",
        lambda path: path.write_bytes(struct.pack(">2I", 0x801, 9) + bytes(9)),
        idx.read_labels,
    ),
    "CIFAR-10": ("x.bin", lambda path: path.write_bytes(bytes(3073 * 3)), cifar.read_records),
    "CIFAR-10, pickled": ("x", cifar_pickle, cifar.read_pickled),
    "training": (
        "checkpoint.npz",
        lambda path: write_npz(path, {"json": text(b'{"identity": {}, "seed": 0, "run": {}}')}),
        lambda path: RunFolder(path.parent, {}, 0),
    ),
    "robust training": ("round-000.npz", robust_training, robust_training),
    "robust training's run": ("run.json", robust_training, robust_training),
    "pool": (
        "x.npz",
        lambda path: robust.Pool(np.zeros((2, 3)), [0, 1]).save(path),
        robust.Pool.load,
    ),
    "result": ("x.npz", curve, assess.ResistanceCurve.load),
    "card": (
        "x.json",
        lambda path: path.write_text(card().to_json()),
        lambda path: Zoo(path.parent).card("x"),
    ),
    "EEV, torch": ("x.pth", eev_checkpoint("zipped"), eev.load),
    "EEV, older torch": ("x.pth", eev_checkpoint("legacy"), eev.load),
    "ONNX": ("x.onnx", lambda path: onnx.save(network(), path), onnx.load),
    "VNN-LIB": ("x.vnnlib", lambda path: path.write_text(VNNLIB), vnnlib.load),
    "campaign": ("x.sqlite", store, status),
    "campaign, exported": ("x.sqlite", store, lambda path: list(rows(path))),
    "campaign that goes on": ("x.sqlite", store, store),
    "study": (
        "x.toml",
        lambda path: path.write_text(study.reading.source("loop")),
        study.load,
    ),
    "study that goes on": ("made.json", made, made),
    "finding": ("x.json", finding(fuzz.NetworkCase), fuzz.load),
    "finding about a formula": ("x.json", finding(fuzz.FormulaCase), fuzz.load),
    "fuzz's journal": ("x.json", journal, journal),
    **{
        f"certificate, {name}": (
            name,
            lambda path: certificate(path.parent),
            lambda path: checker.check_certificate(path.parent),
        )
        for name in ("certificate.json", "image.npz", "network.npz", "formula.cnf.gz", "proof.gz")
    },
}

# what nobody has to refuse: nothing is wrong with it for some readers
HARMLESS = {"missing", "bomb_of_text", "not_numbers", "infinite", "texts", "no_entries"}
HARMLESS |= {"other_shapes", "extreme", "names_that_lead_out", "deep_in_archive"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A function that gives the folder with the whole files of a reader."""
    made = {}

    def of(name):
        if name not in made:
            made[name] = tmp_path_factory.mktemp("whole")
            place, write, _ = READERS[name]
            write(made[name] / place)
        return made[name]

    return of


@pytest.mark.parametrize("name", READERS)
def test_whole_files_are_read(name, whole):
    place, _, read = READERS[name]
    read(whole(name) / place)


@pytest.fixture
def _short_proofs(monkeypatch):
    """A limit for proofs that is no multiple of all others: a gigabyte takes its time."""
    monkeypatch.setattr(checker.text, "MOST_BYTES", 2**28)


@pytest.mark.usefixtures("_short_proofs")
@pytest.mark.parametrize("bad", bad_files.ZOO, ids=lambda bad: bad.__name__)
@pytest.mark.parametrize("name", READERS)
def test_bad_files_do_no_harm(name, bad, whole, tmp_path, capsys):
    place, _, read = READERS[name]
    folder = tmp_path / "inner"
    folder.mkdir()
    for path in whole(name).iterdir():
        if path.name != place:
            (folder / path.name).write_bytes(path.read_bytes())
    bad(folder / place, (whole(name) / place).read_bytes())
    before, outside, error = _most_memory(), sorted(os.listdir(tmp_path)), None
    try:
        with _alarm(60):
            read(folder / place)
    except (ValueError, OSError) as refusal:
        error = refusal
    if (name, bad.__name__) in (("campaign that goes on", "empty"), ("card", "missing")):
        return  # a database without anything in it is a new one; a zoo names what it has
    if error is None:
        assert bad.__name__ in HARMLESS or (bad.__name__ == "unreadable" and os.geteuid() == 0)
    else:
        assert len(str(error)) < 2_000, "an error is a sentence, not the file"
        assert str(folder) in str(error) or str(folder) in str(error.filename), error
    assert not (folder / bad_files.MARK).exists(), "something in the file was run"
    assert sorted(os.listdir(tmp_path)) == outside, "something was written elsewhere"
    assert _most_memory() - before < MEMORY, "limits come before memory"


OPENING = {"open", "opened", "read_npz", "read_bytes", "read_text", "read_bounded", "read_file"}
OPENING |= {"connect", "urlopen", "ZipFile", "GzipFile", "reader", "DictReader"}
OPENING |= {"fromfile", "memmap", "loadtxt", "genfromtxt"}
OWN, HELPS = "what bnnkit itself has just written, or came with it", "called by the others here"
# the modules that open files, by a reader that comes there
OPENED_BY = {
    "_compile.py": OWN,
    "_files.py": HELPS,
    "assess/_stored.py": "result",
    "campaign/store.py": "campaign",
    "checker/certificate.py": "certificate, image.npz",
    "checker/network.py": "network to check",
    "checker/text.py": "proof",
    "cli/demo.py": OWN,
    "datasets/digits.py": OWN,
    "datasets/files.py": HELPS,
    "datasets/idx.py": "IDX images",
    "datasets/transfer.py": "what is downloaded has a known size and checksum; see its tests",
    "formula/_files.py": "formula",
    "formula/_formula.py": "formula",
    "fuzz/findings.py": "finding",
    "fuzz/run.py": "fuzz's journal",
    "interop/_torch_files.py": "EEV, torch",
    "interop/onnx/graph.py": "ONNX",
    "interop/onnx/replaying.py": "a file that the reader of ONNX has read before",
    "interop/vnnlib.py": "VNN-LIB",
    "network/files.py": "network",
    "nn/checkpoint.py": "training",
    "robust/journal.py": "robust training",
    "robust/pool.py": "pool",
    "robust/seal.py": "a file of 32 bytes, whose content is a number; see its tests",
    "solvers/proof.py": OWN,
    "study/made.py": "study that goes on",
    "study/reading.py": "study",
    "study/report.py": OWN,
    "zoo/catalog.py": "card",
}
# calls that run what they are given, and who may make them with what
RUNNING = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "shelve.open"}
RUNNING |= {
    f"{m}.{f}"
    for m in ("pickle", "cloudpickle", "marshal", "joblib", "dill", "torch")
    for f in ("load", "loads", "Unpickler")
}
MAY_RUN = {
    ("solvers/_process.py", "pickle.load"): "the pipes between a process and its own child",
    ("campaign/answering.py", "pickle.loads"): "what the process that started this one sends",
    ("robust/journal.py", "joblib.load"): "models, once their seal is found to be this user's",
}


def calls():
    """(module, what is called, the call) for all calls in the package."""
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield file.relative_to(PACKAGE).as_posix(), ast.unparse(node.func), node


def writes(call):
    modes = [*call.args[1:2], *(k.value for k in call.keywords if k.arg == "mode")]
    return any(isinstance(m, ast.Constant) and "w" in str(m.value) for m in modes)


def test_every_module_that_opens_files_is_known_here():
    found = {
        module
        for module, name, call in calls()
        if name == "np.load" or (name.rsplit(".", 1)[-1] in OPENING and not writes(call))
    }
    assert found == set(OPENED_BY), "add a reader of the new module to READERS, and to OPENED_BY"


def test_nothing_unpickles_or_evaluates_what_comes_from_elsewhere():
    found = {(module, name) for module, name, _ in calls() if name in RUNNING}
    assert found == set(MAY_RUN)
    for module, name, call in calls():
        options = {k.arg: ast.unparse(k.value) for k in call.keywords}
        assert name != "np.load" or options.get("allow_pickle") == "False", module
        assert options.get("shell", "False") == "False", module
    imports = {
        alias.name
        for file in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module in ("pickle", "joblib", "marshal")
        for alias in node.names
    }
    assert not imports & {"load", "loads", "Unpickler"}, "import the module, as this test sees that"
