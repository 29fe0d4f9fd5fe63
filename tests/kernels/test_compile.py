"""Where kernels are compiled: without a place for a cache, and for another processor."""

import os
import subprocess
import sys

import pytest

from bnnkit.kernels import lut

PROGRAM = """
import numpy as np
from bnnkit.kernels import bit_planes, pack_ternary, positives, ternary_bits, ternary_product
rng = np.random.default_rng(7)
planes = bit_planes(rng.integers(0, 4, (9, 300)).astype(np.uint8), 2)
sense = np.ones(70, np.int8)
for values in ([-1, 1], [-1, 0, 1]):
    packed = pack_ternary(rng.choice(values, (70, 1, 300)).astype(np.int8))
    print(ternary_bits(planes, packed, positives(packed), sense).tolist())
    print(ternary_product(planes, packed).tolist())
"""


def answers(**environment):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_kernels_work_where_no_cache_can_be_written(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("a file cannot hold a cache folder")
    assert answers(NUMBA_CACHE_DIR=str(blocked / "cache")) == answers()


@pytest.mark.parametrize("features", ["", "+avx2"])
def test_a_processor_with_other_abilities_gives_the_same_answers(features):
    if features and not lut.AVAILABLE:
        pytest.skip("this processor has no AVX2")
    assert answers(NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES=features) == answers()
