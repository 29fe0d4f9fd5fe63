"""All MNIST test images of one reference network, on all cores.

    python benchmarks/all_images.py SET_FOLDER --data-home DATA_HOME [--eps 0.1] [--jobs 2]

SET_FOLDER holds the network (see `reference.load_set`), DATA_HOME the data set as `bnnkit data`
puts it there. Prints the answers and the wall time of the whole call, processes included.
"""

import argparse
import time

from reference import load_network

from bnnkit import datasets, verify_all


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--data-home")
    parser.add_argument("--eps", type=float, nargs="+", default=[0.1])
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    network = load_network(f"{options.folder}/net.npz")
    test = datasets.load("mnist", data_home=options.data_home).test
    for eps in options.eps:
        started = time.perf_counter()
        verdicts = verify_all(network, test.images, test.labels, eps, n_jobs=options.jobs)
        seconds = time.perf_counter() - started
        print(f"eps {eps:g}: {verdicts.counts}, {seconds:.1f} s, {options.jobs} cores", flush=True)


if __name__ == "__main__":
    main()
