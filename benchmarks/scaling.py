"""What parallel processes and the store cost: efficiency, and seconds for each question.

    python benchmarks/scaling.py [MODEL] [--dataset mnist] [--eps 0.1] [--first 1000] [--jobs 2]

Runs the same questions in this process, in `--jobs` processes, and in as many with a store, in
turns, `--repeats` times. Processes are started and warm before the clock, as they are in a long
campaign. Prints the medians: wall seconds, speed-up, efficiency (speed-up by processes), and
statuses that differ, of which there must be none.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from bnnkit import verify_all
from bnnkit._table import table
from bnnkit.cli import options


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", default="zoo:mnist-conv-small-eps0.1")
    options.add_data(parser, default="mnist")
    parser.add_argument("--eps", type=options.fraction, default=options.fraction("0.1"))
    parser.add_argument("--first", type=options.positive, default=1000)
    parser.add_argument("--jobs", type=options.jobs, default=2)
    parser.add_argument("--repeats", type=options.positive, default=5)
    args = parser.parse_args()
    network = options.load_network(args.model)
    test = options.load_data(args).test
    questions = network, test.images[: args.first], test.labels[: args.first], args.eps
    kinds = [
        ("serial", 1, False),
        ("parallel", args.jobs, False),
        ("with a store", args.jobs, True),
    ]
    seconds, statuses = {kind: [] for kind, *_ in kinds}, set()
    for repeat in range(args.repeats + 1):  # the first time to warm up
        for kind, jobs, stored in kinds:
            taken, verdicts = timed(questions, jobs, stored)
            statuses.add(tuple(verdicts.status))
            if repeat > 0:
                seconds[kind].append(taken)
    serial = statistics.median(seconds["serial"])
    rows = []
    for kind, jobs, _ in kinds:
        median = statistics.median(seconds[kind])
        each, speed_up = 1e3 * median * jobs / len(questions[1]), serial / median
        rows.append((kind, f"{median:.3f}", f"{each:.3f}", f"{speed_up:.2f}"))
        rows[-1] += (f"{speed_up / jobs:.0%}",)
    print(table(("", "s", "ms x processes / question", "speed-up", "efficiency"), rows))
    print(f"{verdicts}; {len(statuses) - 1} runs with other statuses")


def timed(questions, jobs, stored):
    """Seconds and verdicts of one run; a store is a new one."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "run.sqlite" if stored else None
        started = time.perf_counter()
        verdicts = verify_all(*questions, n_jobs=jobs, store=store)
        return time.perf_counter() - started, verdicts


if __name__ == "__main__":
    main()
