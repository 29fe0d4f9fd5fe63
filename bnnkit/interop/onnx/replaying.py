"""What other software makes of an ONNX file, in float32, beside our exact reading of it."""

from pathlib import Path

import numpy as np

from bnnkit._files import read_bounded
from bnnkit.interop.onnx.graph import LARGEST_FILE, read_graph


def replay(path, x):
    """Evaluate an ONNX file as it is.

    By onnxruntime where it is installed, else by the slow evaluator of the package onnx.

    Parameters
    ----------
    path : path-like
    x : array_like of numbers
        Inputs in the order of the file's input, row-major.

    Returns
    -------
    ndarray of float32, one-dimensional

    Raises
    ------
    OverflowError
        Inputs or outputs are beyond float32.

    Examples
    --------
    >>> import tempfile
    >>> import bnnkit
    >>> from bnnkit.interop import onnx
    >>> network = bnnkit.zoo.load("mnist-mlp-eps0.1")
    >>> image = np.zeros((1, 1, 28, 28))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     onnx.save(network, f"{folder}/network.onnx")
    ...     scores = onnx.replay(f"{folder}/network.onnx", image.ravel())
    >>> bool((scores == network.scores(image)[0].astype(np.float32)).all())
    True
    """
    graph = read_graph(path)
    content = read_bounded(Path(path), LARGEST_FILE)
    inputs = _finite([float(value) for value in x])
    feed = {graph.input: inputs.reshape(1, *graph.input_shape)}
    try:
        import onnxruntime
    except ImportError:
        from onnx.reference import ReferenceEvaluator

        return _finite(ReferenceEvaluator(content).run(None, feed)[0].ravel())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return _finite(session.run(None, feed)[0].ravel())


def _finite(values):
    with np.errstate(over="ignore"):
        values = np.array(values, np.float32)
    if not np.isfinite(values).all():
        raise OverflowError("numbers beyond float32")
    return values
