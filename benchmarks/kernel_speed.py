"""The kernels against torch: how many times as fast, row by row.

    OMP_NUM_THREADS=1 python benchmarks/kernel_speed.py --csv runs/kernels.csv
    OMP_NUM_THREADS=1 python benchmarks/kernel_speed.py --only products memory --rounds 2

torch is needed for this table only. Unless a row says otherwise, times are CPU time of one
thread, medians of interleaved rounds in one process, and a peer is given its better layout and
batch size. Weights and images are random, since nobody's time depends on them. The rows come
from the files kernel_speed_*.py beside this one, a function for each part.
"""

import argparse
import csv
import platform
from pathlib import Path

import numba
import numpy as np
import torch
from kernel_speed_inference import (
    memory,
    small_batches,
    sparse_networks,
    start,
    two_threads,
    whole_networks,
)
from kernel_speed_products import convolutions, products
from kernel_speed_training import training_products, training_steps

import bnnkit
from bnnkit._table import table
from bnnkit.kernels import lut

PARTS = {
    "products": products,
    "convolutions": convolutions,
    "networks": whole_networks,
    "sparse": sparse_networks,
    "batches": small_batches,
    "training-products": training_products,
    "training-steps": training_steps,
    "threads": two_threads,
    "start": start,
    "memory": memory,
}
HEADER = ("work", "peer", "ours", "theirs", "unit", "ratio", "at least")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument(
        "--only",
        nargs="+",
        choices=PARTS,
        default=list(PARTS),
        metavar="PART",
        help=f"run these parts: {', '.join(PARTS)} (default: all)",
    )
    parser.add_argument("--rounds", type=int, default=9, help="turns of each side in a row")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the rows there as well")
    args = parser.parse_args()
    torch.set_num_threads(1)
    bnnkit.set_threads(1)
    lines = []
    for part in args.only:
        for row in PARTS[part](args.rounds):
            lines.append(cells(row))
            print(*lines[-1], sep=", ", flush=True)
    print(f"\n{environment()}\n\n{table(HEADER, lines, left=(0, 1, 4))}")
    if args.csv:
        args.csv.parent.mkdir(parents=True, exist_ok=True)
        with args.csv.open("w", newline="") as file:
            csv.writer(file).writerows([HEADER, *lines])


def cells(row):
    """A row as text."""
    bar = f"{row.bar:.3g}x" if row.bar else ""
    amounts = (f"{row.ours:.4g}", f"{row.theirs:.4g}", row.unit)
    return (row.work, row.peer, *amounts, f"{row.ratio:.2f}x", bar)


def environment():
    """The processor, what it makes the kernels and torch use, and versions."""
    kernel = "look-up (AVX2)" if lut.FASTEST else "without look-up"
    return (
        f"{_processor()}; fused binary kernel: {kernel}; torch uses "
        f"{torch.backends.cpu.get_cpu_capability()}\nPython {platform.python_version()}, "
        f"NumPy {np.__version__}, numba {numba.__version__}, torch {torch.__version__}"
    )


def _processor():
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        return names[0].split(":")[1].strip() if names else platform.machine()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
