"""Parts of the site that Sphinx lacks: MathML, pictures that scroll, a page of all commands."""

import contextlib
import io
import os
import re
from html import escape
from pathlib import Path

from docutils.nodes import SkipNode, container
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util.logging import getLogger
from sphinx_gallery.directives import imgsgnode

from bnnkit.cli.main import COMMANDS, main

LOGGER = getLogger(__name__)


def setup(app):
    """Register the parts."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    app.connect("builder-inited", write_commands)
    app.connect("doctree-read", box_pictures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def visit_inline(translator, node):
    """Write a formula that browsers show by themselves, without scripts and without a network."""
    translator.body.append(mathml(node))
    raise SkipNode


def visit_block(translator, node):
    """Write a formula with lines of its own."""
    translator.body.append(f'<div class="math">{mathml(node, as_block=True)}</div>')
    raise SkipNode


def mathml(node, as_block=False):
    """Return the MathML of a node; what docutils does not know is a warning, and shown as it is."""
    try:
        formula = tex2mathml(node.astext().replace(r"\dots", r"\ldots"), as_block)
        # a brace with an exponent would stretch by itself, and drop below its twin
        return re.sub("<mo>([{}])</mo>", r'<mo stretchy="false">\1</mo>', formula)
    except MathError as error:
        LOGGER.warning("%s In the formula: %s", error, node.astext(), location=node)
        return f"<code>{escape(node.astext())}</code>"


def box_pictures(app, doctree):
    """Put each picture of a lesson into a box in which it can scroll sideways on a phone."""
    for picture in list(doctree.findall(imgsgnode)):
        box = container(classes=["picture"])
        picture.replace_self(box)
        box += picture


def write_commands(app):
    """Write reference/commands.md: what each command says with --help."""
    parts = ["# Commands", "What `bnnkit COMMAND --help` says."]
    for name in [*COMMANDS, "study run"]:
        parts += [f"## {name}", f"```text\n{help_of(name).strip()}\n```"]
    page, text = Path(app.srcdir, "reference", "commands.md"), "\n\n".join(parts) + "\n"
    if not page.exists() or page.read_text(encoding="utf-8") != text:  # what changes is built anew
        page.write_text(text, encoding="utf-8")


def help_of(command):
    """Return the help of a command, 80 columns wide."""
    os.environ["COLUMNS"] = "80"
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        main([*command.split(), "--help"])
    return said.getvalue()
