"""What has to be believed is small, in one place, and as long as it is said to be."""

import ast
import io
import tokenize
from pathlib import Path

import pytest

import bnnkit.checker

ROOM = Path(bnnkit.checker.__file__).parent
RESULTS = Path(__file__).parents[2] / "docs" / "results" / "proofs.md"
PROOF = ("text.py", "rup.py", "proof.py")
QUESTION = ("network.py", "question.py", "certificate.py")
_SPACE = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)


def code_lines(path):
    """The numbers of lines that are not blank, comment or docstring."""
    text = path.read_text(encoding="utf-8")
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in (*_SPACE, tokenize.ENDMARKER):
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(
            node
        ):
            lines -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return len(lines)


def test_the_room_is_these_files():
    names = {path.name for path in ROOM.glob("*.py")}
    assert names == {*PROOF, *QUESTION, "__init__.py", "_compile.py"}


@pytest.mark.parametrize("name", [*PROOF, "_compile.py"])
def test_the_proof_part_knows_nothing_of_the_question(name):
    imported = set()
    for node in ast.walk(ast.parse((ROOM / name).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            imported.add(node.module)
    inside = {module for module in imported if module.startswith("bnnkit")}
    parts = {f"bnnkit.checker.{part.removesuffix('.py')}" for part in (*PROOF, "_compile.py")}
    assert inside <= {*parts, "bnnkit._files", "bnnkit._compile"}


def test_it_is_as_long_as_it_is_said_to_be():
    said = bnnkit.checker.__doc__
    for part in (PROOF, QUESTION):
        total = sum(code_lines(ROOM / name) for name in part)
        assert f"{total} lines of code" in said
        assert f"{total} lines of code" in RESULTS.read_text(encoding="utf-8")
    for name in (*PROOF, *QUESTION):
        row = f"| `{name}` | {code_lines(ROOM / name)} |"
        assert row in RESULTS.read_text(encoding="utf-8")
