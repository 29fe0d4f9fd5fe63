"""Text tables."""


def table(header, rows, left=(0,)):
    """Return `header` and `rows` (sequences of printable values) as aligned lines of text.

    Columns whose index is in `left` are aligned to the left, the others to the right.

    >>> print(table(("solver", "robust"), [("minicard", 12), ("cp-sat", 9)]))
    solver    robust
    minicard      12
    cp-sat         9
    """
    rows = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = (
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
