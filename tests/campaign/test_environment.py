import json
import platform

import numba
import numpy as np

import bnnkit
from bnnkit.campaign.environment import environment


def test_versions_and_processor_are_named():
    made = json.loads(environment())
    assert made["bnnkit"] == bnnkit.__version__
    assert made["numpy"] == np.__version__
    assert made["numba"] == numba.__version__
    assert made["python"] == platform.python_version()
    assert made["threads"] >= 1
    assert isinstance(made["cpu_features"], list)
