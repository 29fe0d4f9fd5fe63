"""Where verdicts were made: versions, processor, threads."""

import functools
import json
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = ("numpy", "numba", "llvmlite", "python-sat", "ortools", "joblib")


@functools.cache
def environment():
    """The environment of this process.

    Returns
    -------
    str
        A JSON object: versions of bnnkit, Python and what it computes with, the system, the
        processor with its features, the threads of a prediction.
    """
    from llvmlite import binding

    from bnnkit import __version__, get_threads

    features = binding.get_host_cpu_features()
    return json.dumps(
        {
            "bnnkit": __version__,
            "python": platform.python_version(),
            **{name: _version(name) for name in _PACKAGES},
            "system": f"{sys.platform} {platform.machine()}",
            "cpu": binding.get_host_cpu_name(),
            "cpu_features": sorted(name for name, present in features.items() if present),
            "threads": get_threads(),
        }
    )


def _version(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return None
