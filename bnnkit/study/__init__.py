"""Studies: a TOML file says what to train, attack and measure; `run` does it and writes a report.

>>> from bnnkit import study
>>> "loop" in study.names()
True
"""

from bnnkit.study.reading import Study, load, names, sizes, source
from bnnkit.study.reference import reference
from bnnkit.study.running import run

__all__ = ["Study", "load", "names", "reference", "run", "sizes", "source"]
