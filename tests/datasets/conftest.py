"""Files in the formats of the data sets, and a server to download them from."""

import gzip
import hashlib
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from bnnkit.datasets.mnist import IdxDataset
from bnnkit.datasets.transfer import Resource


def idx_bytes(array):
    """`array` as the bytes of an IDX file."""
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return header + array.astype(np.uint8).tobytes()


@pytest.fixture
def to_idx():
    return idx_bytes


@pytest.fixture
def idx_files():
    """Published names and contents of a small data set: 30 + 20 images of 28x28."""
    rng = np.random.default_rng(0)
    files = {}
    for split, n in (("train", 30), ("t10k", 20)):
        images = rng.integers(0, 256, (n, 28, 28))
        files[f"{split}-images-idx3-ubyte.gz"] = gzip.compress(idx_bytes(images))
        files[f"{split}-labels-idx1-ubyte.gz"] = gzip.compress(idx_bytes(np.arange(n) % 10))
    return files


@pytest.fixture
def batch():
    """Records of a CIFAR-10 batch: `batch(n, seed)` gives images, labels, the file's bytes."""

    def make(n, seed=0):
        rng = np.random.default_rng(seed)
        images = rng.integers(0, 256, (n, 3, 32, 32), np.uint8)
        labels = rng.integers(0, 10, n, np.uint8)
        records = np.column_stack([labels, images.reshape(n, -1)])
        return images, labels.astype(np.int64), records.tobytes()

    return make


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.strip("/")
        self.server.asked.append(name)
        if name not in self.server.files:
            self.send_error(404)
            return
        content = self.server.files[name]
        self.send_response(200)
        self.send_header("Content-Length", self.server.promised.get(name, len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()
        if name in self.server.stalling:
            self.server.reached.set()
            self.server.released.wait(20)

    def log_message(self, *_):
        """Keep the test's output clean."""


class FileServer(ThreadingHTTPServer):
    """Serves `files` (name -> bytes); `promised` overrides the length that it announces."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files, self.promised, self.stalling, self.asked = {}, {}, set(), []
        self.reached, self.released = threading.Event(), threading.Event()

    def publish(self, name, content):
        """Serve `content` and return its Resource."""
        self.files[name] = content
        url = f"http://127.0.0.1:{self.server_port}/{name}"
        return Resource(name, url, len(content), hashlib.md5(content).hexdigest())


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with FileServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def small_mnist(server, idx_files):
    """MNIST's layout with `idx_files`, published by the local server."""
    resources = tuple(server.publish(name, content) for name, content in idx_files.items())
    return IdxDataset("small", tuple("0123456789"), "MNIST/raw", resources)


def tree(folder):
    """All files and folders below `folder`, hidden ones included."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.fixture
def listing():
    return tree
