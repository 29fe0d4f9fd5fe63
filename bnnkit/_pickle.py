"""Pickles as data: their instructions are stepped through, and nothing they name is called.

A pickle is a program: loading it with `pickle` imports and calls whatever it names. A file of
one known kind needs few of its instructions and names, so a subclass of `StackMachine` says
which, and what they stand for: inert markers and plain containers. Anything else is refused,
and memory stays within a small multiple of the file's size.
"""

import pickletools
import warnings
from typing import ClassVar


class StackMachine:
    """A stack machine for the part of the pickle language that all readers share.

    Attributes
    ----------
    kind : str
        What a file is, for the errors.
    names : dict of str to object
        What stands on the stack for "module name".
    steps : dict of str to callable
        The instructions, each called with the machine and its argument.
    most : int
        Instructions that a pickle may have.
    """

    kind = "file"
    names: ClassVar[dict] = {}
    most = 1_000_000  # a second or two of work; files of these kinds have some thousands

    def __init__(self):
        self.stack = []
        self.marks = []  # heights of the stack
        self.memo = {}

    def run(self, stream):
        """The object of the pickle at the place of a binary stream, which moves behind it.

        Raises
        ------
        ValueError
            An instruction or a name that such a file does not need, or damage.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # pickletools' own, on backslashes in damaged names
                for count, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
                    if opcode.name == "STOP":
                        return self.stack.pop()
                    if count == self.most:
                        raise ValueError(f"it has more than {self.most} instructions")
                    if opcode.name not in self.steps:
                        raise ValueError(
                            f"it uses the instruction {opcode.name}, which no {self.kind} needs"
                        )
                    self.steps[opcode.name](self, argument)
        except (IndexError, KeyError, TypeError, AttributeError) as error:
            raise ValueError("its instructions make no sense") from error
        except ValueError as error:  # pickletools quotes what it cannot read, however long
            raise ValueError(str(error)[:200]) from error
        raise ValueError("it ends before its pickle does")

    def reduce(self, _):
        """Replace a marker and its arguments by what the call would make; to be overridden."""
        raise ValueError(f"it calls something that no {self.kind} needs, which is refused unrun")

    def build(self, _):
        """Give an object its state; to be overridden."""
        raise ValueError("it sets the state of something")

    def push(self, value):
        self.stack.append(value)

    def mark(self, _):
        self.marks.append(len(self.stack))

    def pop(self, count):
        items = self.stack[-count:]
        del self.stack[-count:]
        return items

    def pop_to_mark(self):
        height = self.marks.pop()
        items = self.stack[height:]
        del self.stack[height:]
        return items

    def store(self, index):
        self.memo[index] = self.stack[-1]

    def memoize(self, _):
        self.memo[len(self.memo)] = self.stack[-1]

    def recall(self, index):
        self.push(self.memo[index])

    def append(self, items):
        self.stack[-1].extend(items)

    def set_items(self, items):
        for key, value in zip(items[::2], items[1::2], strict=True):
            key = key.decode("latin-1") if isinstance(key, bytes) else key
            if not isinstance(key, str):
                raise ValueError("a key of its dictionary is not a string")
            self.stack[-1][key] = value

    def resolve(self, name):
        marker = self.names.get(name)
        if marker is None:
            name = name[:100].replace(" ", ".")
            raise ValueError(f"it refers to {name}, which is refused unrun")
        self.push(marker)


def _ignore(machine, argument):
    """PROTO and FRAME announce what follows; there is nothing to do."""


StackMachine.steps = {
    "PROTO": _ignore,
    "FRAME": _ignore,
    "MARK": StackMachine.mark,
    "NONE": StackMachine.push,  # its argument is None
    "NEWTRUE": lambda machine, _: machine.push(True),
    "NEWFALSE": lambda machine, _: machine.push(False),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "EMPTY_TUPLE": lambda machine, _: machine.push(()),
    "TUPLE1": lambda machine, _: machine.push(tuple(machine.pop(1))),
    "TUPLE2": lambda machine, _: machine.push(tuple(machine.pop(2))),
    "TUPLE3": lambda machine, _: machine.push(tuple(machine.pop(3))),
    "TUPLE": lambda machine, _: machine.push(tuple(machine.pop_to_mark())),
    "APPEND": lambda machine, _: machine.append(machine.pop(1)),
    "APPENDS": lambda machine, _: machine.append(machine.pop_to_mark()),
    "SETITEM": lambda machine, _: machine.set_items(machine.pop(2)),
    "SETITEMS": lambda machine, _: machine.set_items(machine.pop_to_mark()),
    "MEMOIZE": StackMachine.memoize,
    "GLOBAL": lambda machine, name: machine.resolve(name),
    "STACK_GLOBAL": lambda machine, _: machine.resolve(" ".join(machine.pop(2))),
    "REDUCE": lambda machine, argument: machine.reduce(argument),
    "BUILD": lambda machine, argument: machine.build(argument),
}
StackMachine.steps |= dict.fromkeys(["BININT", "BININT1", "BININT2", "LONG1"], StackMachine.push)
StackMachine.steps |= dict.fromkeys(["BINUNICODE", "SHORT_BINUNICODE"], StackMachine.push)
StackMachine.steps |= dict.fromkeys(["BINBYTES", "SHORT_BINBYTES"], StackMachine.push)
StackMachine.steps |= dict.fromkeys(["BINPUT", "LONG_BINPUT"], StackMachine.store)
StackMachine.steps |= dict.fromkeys(["BINGET", "LONG_BINGET"], StackMachine.recall)
