"""Several networks side by side as one circuit.

Layer d of it has the nodes of layer d of every network, network after network; the last layer has
the classes of all of them, whatever their depth. Networks with the same quantiser share their
inputs. So bounds, walks and the encoder do with an ensemble what they do with a network.
"""

import functools

import numpy as np

from bnnkit.verification.circuit import Circuit, circuit, reverse_edges
from bnnkit.verification.refinement import quantisers_of


@functools.lru_cache(maxsize=4)
def joint_circuit(networks):
    """The circuit of a tuple of networks with the same input shape and number of classes.

    Returns
    -------
    Circuit
        The inputs are the levels of `quantisers_of`, one block for each; class j of network n is
        class ``n * n_classes + j``. ``needed`` means nothing for classes of different networks.
    """
    parts = [circuit(network) for network in networks]
    blocks = [quantisers_of(networks).index(network.quantiser) for network in networks]
    start, places = _arrange(parts, blocks)
    n = int(start[-1])
    bound, fan_in = np.zeros(n, np.int32), np.zeros(n, np.int64)
    for part, place in zip(parts, places, strict=True):
        bound[place], fan_in[place] = part.bound, np.diff(part.in_start)
    in_start = np.append(0, np.cumsum(fan_in))
    in_edge = np.empty(in_start[-1], np.uint32)
    for part, place in zip(parts, places, strict=True):
        _copy_edges(part, place, in_start, in_edge)
    out_start, out_edge = np.zeros(n + 2, np.int64), np.empty_like(in_edge)
    reverse_edges(in_start, in_edge, out_start, out_edge)
    needed = _block_diagonal([part.needed for part in parts])
    return Circuit(start, bound, in_start, in_edge, out_start[:-1], out_edge, needed)


def _arrange(parts, blocks):
    """The `start` of the joint circuit, and the new number of each node of each part."""
    depth = max(len(part.start) for part in parts) - 2
    sizes = np.zeros(depth + 1, np.int64)
    sizes[0] = parts[0].n_inputs * (max(blocks) + 1)
    for part in parts:
        np.add.at(sizes, _layers(part, depth)[1:], np.diff(part.start)[1:])
    start = np.append(0, np.cumsum(sizes))
    free, places = start[:-1].copy(), []
    for part, block in zip(parts, blocks, strict=True):
        widths, layers = np.diff(part.start), _layers(part, depth)
        begins = np.append(block * part.n_inputs, free[layers[1:]])
        places.append(np.repeat(begins - part.start[:-1], widths) + np.arange(part.n_nodes))
        free[layers[1:]] += widths[1:]
    return start, places


def _layers(part, depth):
    """Where the layers of a part go: its classes to the last layer."""
    return np.append(np.arange(len(part.start) - 2), depth)


def _copy_edges(part, place, in_start, in_edge):
    """Nodes of a layer that are neighbours stay neighbours, hence their edges too."""
    for first, end in zip(part.start[1:-1], part.start[2:], strict=True):
        edges = part.in_edge[part.in_start[first] : part.in_start[end]]
        at = in_start[place[first]]
        in_edge[at : at + len(edges)] = 2 * place[edges >> 1] + (edges & 1)


def _block_diagonal(blocks):
    size = len(blocks[0])
    joint = np.zeros((size * len(blocks),) * 2, np.int64)
    for i, block in enumerate(blocks):
        joint[i * size : (i + 1) * size, i * size : (i + 1) * size] = block
    return joint
