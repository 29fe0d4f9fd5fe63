import os
import subprocess
import sys

PROGRAM = """
import numpy as np
from bnnkit.kernels import pack_bits, pack_ternary, ternary_product
ones = np.ones((1, 1, 70), np.int8)
print(ternary_product(pack_bits(ones.astype(np.uint8)), pack_ternary(ones))[0, 0])
"""


def test_kernels_work_where_no_cache_can_be_written(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("a file cannot hold a cache folder")
    environment = dict(os.environ, NUMBA_CACHE_DIR=str(blocked / "cache"))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True
    )
    assert done.stdout.strip() == "70", done.stderr
