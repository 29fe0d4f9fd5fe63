"""S-expressions, as VNN-LIB files consist of them, with the line of each for messages."""

import re
from typing import NamedTuple

_TOKENS = re.compile(r"[()]|;[^\n]*|[^\s();]+")
_LONGEST = 1000  # characters of a word
_DEEPEST = 100
_MOST = 2**21  # brackets and words


class Expression(NamedTuple):
    """A word (`items` is None) or a list of expressions, and the line where it begins."""

    word: str
    items: list | None
    line: int


class SyntaxProblem(ValueError):
    """What is wrong, and the line of it."""

    def __init__(self, line, problem):
        super().__init__(problem)
        self.line, self.problem = line, problem


def expressions(text):
    """Yield the Expressions of a text, one at a time; comments run from ';' to the end of a line.

    Lines end with LF, CR or both.

    Raises
    ------
    SyntaxProblem
        Brackets that do not match, lists in more than 100 others, a word beyond 1000 characters,
        more than 2**21 brackets and words.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    stack, line, at = [], 1, 0
    for count, token in enumerate(_TOKENS.finditer(text)):
        line += text.count("\n", at, token.start())
        at, word = token.start(), token.group()
        if count >= _MOST:
            raise SyntaxProblem(line, f"more than {_MOST} brackets and words")
        if word == "(":
            stack.append(Expression("", [], line))
            if len(stack) > _DEEPEST:
                raise SyntaxProblem(line, f"more than {_DEEPEST} open brackets")
            continue
        if word.startswith(";"):
            continue
        if word == ")":
            if not stack:
                raise SyntaxProblem(line, "a closing bracket without an opening one")
            done = stack.pop()
        else:
            if len(word) > _LONGEST:
                raise SyntaxProblem(line, f"a word of {len(word)} characters")
            done = Expression(word, None, line)
        if stack:
            stack[-1].items.append(done)
        else:
            yield done
    if stack:
        raise SyntaxProblem(stack[-1].line, "a bracket that is never closed")
