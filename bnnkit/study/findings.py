"""What a part of a study leaves behind: tables and pictures, in files and for the report."""

from dataclasses import dataclass, field

from bnnkit._files import write_text
from bnnkit.assess._radius import eps_text
from bnnkit.assess._stored import as_csv


@dataclass(eq=False)
class Findings:
    """Tables and pictures of one part.

    Attributes
    ----------
    title, text : str
    folder : Path
    items : list of tuple
        In their order: (caption, Path) of a picture, (caption, header, rows) of a table.
    """

    title: str
    text: str
    folder: object
    items: list = field(default_factory=list)

    def say(self, sentence):
        """Add a paragraph to the explanation."""
        self.text += f"\n\n{sentence}"

    def table(self, caption, name, header, rows):
        """Keep a table, and write it as NAME.csv."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_text(self.folder / f"{name}.csv", as_csv(header, rows))
        self.items.append((caption, header, [[shown(cell) for cell in row] for row in rows]))

    def raw(self, name, verdicts):
        """Write verdicts, a row for each image, as NAME-verdicts.csv."""
        self.folder.mkdir(parents=True, exist_ok=True)
        verdicts.to_csv(self.folder / f"{name}-verdicts.csv")

    def picture(self, caption, name, axes):
        """Write a picture as NAME.png, with its numbers beside it, and close it."""
        import numpy as np

        from bnnkit import plots

        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{name}.png"
        plots.save(axes, path)
        plots.plt.close(np.ravel(axes)[0].figure)
        self.items.append((caption, path))


def shown(cell):
    """A cell as the report shows it: four digits, also of what may be a radius."""
    return eps_text(cell, 4) if isinstance(cell, float) else str(cell)
