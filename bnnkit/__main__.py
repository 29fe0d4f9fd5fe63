"""``python -m bnnkit`` is the ``bnnkit`` command."""

import sys

from bnnkit.cli import main

if __name__ == "__main__":
    sys.exit(main())
