"""Bring a network from another tool's file into bnnkit's own, or into ONNX."""

import os

from bnnkit.cli import options

EXAMPLES = """\
examples:
  bnnkit convert model2_MNIST.pth small.npz
  bnnkit convert checkpoint.pickle network.npz --quant-step 0.61 --input-shape 1x28x28
  bnnkit convert foreign.onnx network.npz --input-range 0 1
  bnnkit convert network.npz network.onnx

Reads and writes .npz and .onnx (or .onnx.gz), and reads checkpoints of EEV: .pth, .pt, .pickle,
.pkl. They are decoded as data, nothing in them is run. The other commands take such files as they
are; checkpoints with the step that they hold or 0.1, and images of MNIST's or CIFAR-10's shape.
"""


def add_arguments(parser):
    """Arguments of ``bnnkit convert``."""
    parser.add_argument("input", metavar="IN", help="a network; the end of its name says what kind")
    parser.add_argument("output", metavar="OUT", help="the file to write, a .npz or .onnx")
    parser.add_argument(
        "--quant-step",
        type=options.fraction,
        metavar="S",
        help="width of an input level on the [0, 1] scale, where the file does not say",
    )
    parser.add_argument(
        "--input-shape",
        type=options.shape,
        metavar="CxHxW",
        help="shape of the images, where the file does not say",
    )
    parser.add_argument(
        "--input-range",
        type=options.fraction,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="lowest and highest pixel of an ONNX network, where the file does not say "
        "(0 255, or 0 1 where pixels are rounded to levels)",
    )


def run(args):
    """Read, write, and show what it is."""
    from bnnkit.interop import read_network, write_network

    options.check_file(args.output)
    if os.path.realpath(args.input) == os.path.realpath(args.output):
        raise ValueError(f"{args.output} is the input and would be overwritten")
    network = read_network(args.input, args.quant_step, args.input_shape, args.input_range)
    write_network(network, args.output)
    print(network.summary())
    return 0
