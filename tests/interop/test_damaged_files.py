"""Damaged files for the readers of the other rooms; those of this room have it in their tests."""

import gzip
import pickle
import struct

import numpy as np
import pytest
from helpers import random_network
from interop.mutations import check_reader, mutations

from bnnkit import BinaryNetwork
from bnnkit.datasets import cifar, idx


def test_there_is_damage_of_many_kinds():
    content = bytes(range(256)) * 4 + b"1 2 3\n" * 20
    damaged = list(mutations(content, 80))
    assert damaged == list(mutations(content, 80))
    assert len(set(damaged)) > 75
    assert content not in damaged[:7]
    assert min(map(len, damaged)) < len(content) < max(map(len, damaged))


@pytest.mark.parametrize("layers", [("dense",), ("conv", "pool", "dense")])
def test_networks(tmp_path, layers):
    network = random_network(np.random.default_rng(0), (1, 6, 6), layers)
    network.save(tmp_path / "whole.npz")
    content = (tmp_path / "whole.npz").read_bytes()
    for other in check_reader(BinaryNetwork.load, tmp_path / "bad.npz", content, count=200):
        assert other == network, "checksums find whatever matters"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_idx(tmp_path, pack):
    rng = np.random.default_rng(0)
    images = struct.pack(">4I", 0x803, 9, 5, 4) + rng.bytes(180)
    labels = struct.pack(">2I", 0x801, 9) + bytes(range(9))
    for found in check_reader(idx.read_images, tmp_path / "images", images, 150, pack=pack):
        assert found.dtype == np.uint8
    for found in check_reader(idx.read_labels, tmp_path / "labels", labels, 150, pack=pack):
        assert found.dtype == np.int64


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_cifar(tmp_path, pack):
    rng = np.random.default_rng(0)
    records = b"".join(bytes([k]) + rng.bytes(3072) for k in range(3))
    images = np.frombuffer(rng.bytes(3 * 3072), np.uint8).reshape(3, 3072)
    pickled = pickle.dumps({"data": images, "labels": [1, 2, 3]}, 2)
    for read, content in ((cifar.read_records, records), (cifar.read_pickled, pickled)):
        for images, labels in check_reader(read, tmp_path / "batch", content, 150, pack=pack):
            assert images.shape == (len(labels), 3, 32, 32)


def test_gzip(tmp_path):
    content = gzip.compress(struct.pack(">4I", 0x803, 9, 5, 4) + bytes(180))
    check_reader(idx.read_images, tmp_path / "images.gz", content, 200)
