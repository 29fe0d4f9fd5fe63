"""Operators on constants, which exporters leave in the graph: computed as a runtime would."""

import math

import numpy as np

MOST_BYTES = 2**28  # of all results in a file
_LARGEST_NUMBER = 8  # bytes


def fold(node, arrays, room=MOST_BYTES):
    """The result of a node all of whose inputs are arrays (None where one is left out).

    Parameters
    ----------
    node : Node
    arrays : list of ndarray or None
    room : int
        Bytes that the result may take.

    Raises
    ------
    ValueError
        The operator is not among those that are computed here, or does not fit the arrays.
    """
    elementwise = node.op in _ELEMENTWISE
    size = sum(a.size for a in arrays if a is not None)
    if elementwise:
        size = math.prod(np.broadcast_shapes(*(a.shape for a in arrays)))
    if size * _LARGEST_NUMBER > room:
        raise ValueError(
            f"a constant of {size} values; all that are computed may take {MOST_BYTES} bytes"
        )
    if elementwise:
        with np.errstate(all="ignore"):
            return np.asarray(_ELEMENTWISE[node.op](*arrays))
    if node.op not in _SHAPES:
        raise ValueError("this operator is not supported on constants")
    return np.asarray(_SHAPES[node.op](node.attributes, *arrays))


def _divide(a, b):
    if np.issubdtype(a.dtype, np.integer):
        if (b == 0).any():
            raise ValueError("a division by 0")
        return (np.sign(a) * np.sign(b)) * (abs(a) // abs(b))  # towards 0
    return a / b


_ELEMENTWISE = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": _divide,
    "Neg": np.negative,
    "Abs": np.abs,
    "Sign": np.sign,
    "Sqrt": np.sqrt,
    "Reciprocal": lambda a: a.dtype.type(1) / a,
    "Where": np.where,
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "Less": np.less,
    "LessOrEqual": np.less_equal,
    "Identity": lambda a: a,
}


def new_shape(shape, wanted):
    """`wanted` as ONNX reads it: 0 copies the size of an axis, and -1 (left to NumPy) fits."""
    wanted = [int(n) for n in np.asarray(wanted).ravel()]
    if any(n == 0 and i >= len(shape) for i, n in enumerate(wanted)):
        raise ValueError(f"a shape {wanted} for a tensor {tuple(shape)}")
    return tuple(shape[i] if n == 0 else n for i, n in enumerate(wanted))


def unsqueezed(shape, axes):
    """`shape` with axes of size 1 at the places `axes` of the result."""
    n = len(shape) + np.size(axes)
    places = {int(axis) % n for axis in np.asarray(axes).ravel() if -n <= axis < n}
    if len(places) != np.size(axes):
        raise ValueError(f"axes {axes} for a tensor {tuple(shape)}")
    rest = iter(shape)
    return tuple(1 if i in places else next(rest) for i in range(n))


def squeezed(shape, axes):
    """`shape` without the `axes`, of size 1; without all such axes if none are given."""
    n = len(shape)
    places = {int(axis) % n for axis in np.asarray(axes).ravel()} if axes is not None else None
    if places is None:
        places = {i for i in range(n) if shape[i] == 1}
    if any(shape[i] != 1 for i in places):
        raise ValueError(f"axes {sorted(places)} of a tensor {tuple(shape)} are not of size 1")
    return tuple(size for i, size in enumerate(shape) if i not in places)


def _axes(attributes, given):
    return attributes.get("axes") if given is None else given


def _gather(attributes, data, indices):
    if data.ndim != 1:
        raise ValueError("only entries of a list are gathered")
    return data[indices]


def cast_dtype(attributes):
    """The NumPy type that a Cast asks for."""
    from onnx import helper

    dtype = helper.tensor_dtype_to_np_dtype(attributes["to"])
    if dtype.kind not in "fiub":
        raise ValueError(f"a cast to {dtype}")
    return dtype


_SHAPES = {
    "Cast": lambda attributes, a: a.astype(cast_dtype(attributes)),
    "Transpose": lambda attributes, a: a.transpose(attributes.get("perm")),
    "Reshape": lambda attributes, a, shape: a.reshape(new_shape(a.shape, shape)),
    "Unsqueeze": lambda attributes, a, axes=None: a.reshape(
        unsqueezed(a.shape, _axes(attributes, axes))
    ),
    "Squeeze": lambda attributes, a, axes=None: a.reshape(
        squeezed(a.shape, _axes(attributes, axes))
    ),
    "Concat": lambda attributes, *arrays: np.concatenate(arrays, axis=attributes["axis"]),
    "Gather": _gather,
}
