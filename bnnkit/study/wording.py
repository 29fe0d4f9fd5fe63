"""What the answers to the three questions are called, so that one is not read as another's.

That k networks have no joint attack says neither that their vote is robust nor that one of them is.
"""

import itertools
import re
from dataclasses import dataclass

from bnnkit.verification.verdict import STATUSES

_STATUS = re.compile(rf"\b({'|'.join(STATUSES)})\b")


@dataclass(frozen=True)
class Wording:
    """Words for the answers to a question.

    Attributes
    ----------
    title : str
        Begins the captions of its tables and pictures.
    sentence : str
        What was asked, and what its statuses mean.
    robust, falsified, unknown : str
        Its statuses.
    clean : str
        What an image is that is falsified without any change.
    certified, vulnerable : str
        The share of robust images, and that of those that are not.
    """

    title: str
    sentence: str
    robust: str
    falsified: str
    clean: str
    certified: str
    vulnerable: str
    unknown: str = "unknown"

    def renamed(self, name):
        """A name such as "robust" or "robust_low" in these words."""
        status, _, end = name.partition("_")
        if status not in STATUSES:
            return name
        return getattr(self, status) + ("" if not end else f", {end}")

    def reworded(self, text):
        """A text with all statuses in these words."""
        return _STATUS.sub(lambda found: getattr(self, found.group()), text)


WORDINGS = {
    "first": Wording(
        "One network",
        "Asked about one network, the first where a run has several: is there an image within eps "
        "that it gets wrong? Falsified: such an image was found and checked. Robust: it is proved "
        "that there is none.",
        *("robust", "falsified", "wrong as it is", "certified accuracy", "vulnerable"),
    ),
    "vote": Wording(
        "The vote",
        "Asked about the vote of all networks of a run (of a single network, that network): is "
        "there an image within eps that the vote gets wrong? Vote falsified: such an image was "
        "found and checked. Vote robust: it is proved that there is none.",
        *("vote robust", "vote falsified", "vote wrong as it is"),
        *("certified accuracy of the vote", "vote vulnerable"),
    ),
    "joint": Wording(
        "Joint attack",
        "Asked about all networks of a run together: is there an image within eps for which all "
        "of them choose the same wrong class? Joint attack: such an image was found and checked. "
        "No joint attack: it is proved that there is none. That is no robustness: single networks, "
        "and their vote, can still be wrong within eps.",
        *("no joint attack", "joint attack", "all wrong alike as it is"),
        *("without joint attack", "with joint attack"),
    ),
}


def asked_about(question, k):
    """Who answers a question of a run of k networks: "vote of 5"."""
    if k == 1:
        return "its network"
    return {"first": f"first of {k}", "vote": f"vote of {k}", "joint": f"all {k} alike"}[question]


def in_words(axes, wording):
    """Put the words into legends and beside y axes of pictures, and the question into titles."""
    import numpy as np

    axes = np.ravel(axes)
    legends = [*axes[0].figure.legends, *filter(None, (ax.get_legend() for ax in axes))]
    for said in itertools.chain.from_iterable(legend.get_texts() for legend in legends):
        said.set_text(wording.reworded(said.get_text()))
    for ax in axes:
        ax.yaxis.label.set_text(wording.reworded(ax.get_ylabel()))
        if ax is axes[0] or ax.get_title():
            ax.set_title(f"{wording.title}: {ax.get_title()}", fontsize=ax.title.get_fontsize())
    return axes
