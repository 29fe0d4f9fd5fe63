"""Sphinx: ``python -m sphinx -W docs docs/_build`` builds the site, without a network.

``-D plot_gallery=0`` leaves the lessons' code unexecuted. With BNNKIT_INTERSPHINX=1 the names of
Python and NumPy become links into their documentation, for which a network is needed.
"""

import math
import os
import sys
from pathlib import Path

import bnnkit
from bnnkit import _progress

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "error")  # lesson 15 needs no log of Dask's
_progress._SECONDS_BETWEEN_LINES = math.inf  # on a slow machine, too, lessons print what they print

project = "bnnkit"
author = "the bnnkit developers"
copyright = author
version = release = bnnkit.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "site_parts",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "_ext", "_templates"]
templates_path = ["_templates"]

html_theme = "furo"
html_title = "bnnkit"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_show_copyright = False

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say more
default_role = "py:obj"
numpydoc_show_class_members = False  # the page of a class shows them whole

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "lessons",
    "filename_pattern": r"/\d\d_",
    "doc_module": ("bnnkit",),
    "reference_url": {"bnnkit": None},  # names in the code are links to the reference
    "within_subsection_order": "FileNameSortKey",
    "min_reported_time": 10_000,  # how long a lesson takes depends on the machine
    "write_computation_times": False,  # pages of them, with scripts from elsewhere
    "show_memory": False,
    "remove_config_comments": True,
    "plot_gallery": "True",
}

if os.environ.get("BNNKIT_INTERSPHINX") == "1":
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "numpy": ("https://numpy.org/doc/stable", None),
    }
