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
    """
    graph = read_graph(path)
    content = read_bounded(Path(path), LARGEST_FILE)
    inputs = np.array([float(value) for value in x], np.float32).reshape(1, *graph.input_shape)
    feed = {graph.input: inputs}
    try:
        import onnxruntime
    except ImportError:
        from onnx.reference import ReferenceEvaluator

        return ReferenceEvaluator(content).run(None, feed)[0].ravel()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return session.run(None, feed)[0].ravel()
