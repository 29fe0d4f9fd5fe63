"""Where data sets are looked for and put."""

import os
import sys
from pathlib import Path

from bnnkit._files import user_cache

VARIABLE = "BNNKIT_DATA"


def places(data_home=None):
    """Return the folders to search, the one that downloads go to first.

    Parameters
    ----------
    data_home : str or path-like, optional
        The only place, where given. Otherwise: ``$BNNKIT_DATA``, where set, then the
        user's cache.
    """
    if data_home is not None:
        return [Path(data_home).expanduser()]
    chosen = [os.environ[VARIABLE]] if os.environ.get(VARIABLE) else []
    return [Path(place).expanduser() for place in (*chosen, user_cache(sys.platform, os.environ))]


def refuse_inner_folder(data_home, folders):
    """Raise ValueError where `data_home` is a folder that should lie below it.

    `folders` are the places of a data set below `data_home`, such as ``MNIST/raw``.
    """
    own = data_home.absolute().parts
    for folder in folders:
        parts = Path(folder).parts
        for depth in range(1, len(parts) + 1):
            if own[-depth:] == parts[:depth]:
                raise ValueError(
                    f"data_home must be the folder that holds {folder}, got {data_home}; "
                    f"pass {Path(*own[:-depth])}"
                )
