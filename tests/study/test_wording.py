"""No answer is called by the name of another's."""

import matplotlib.pyplot as plt
import matplotlib.text
import numpy as np
import pytest

from bnnkit import study
from bnnkit.study import measures
from bnnkit.study.findings import Findings
from bnnkit.study.laboratory import Laboratory
from bnnkit.study.wording import WORDINGS, asked_about, in_words


def test_the_questions_share_no_word_but_unknown():
    words = [
        {each.robust, each.falsified, each.clean, each.certified, each.vulnerable, each.title}
        for each in WORDINGS.values()
    ]
    assert len(set.union(*words)) == sum(map(len, words))


def test_names_of_columns():
    renamed = WORDINGS["joint"].renamed
    names = ("robust", "falsified_low", "unknown", "eps", "timed_out")
    said = ["no joint attack", "joint attack, low", "unknown", "eps", "timed_out"]
    assert list(map(renamed, names)) == said


@pytest.mark.parametrize(
    ("question", "k", "said"),
    [("vote", 1, "its network"), ("vote", 3, "vote of 3"), ("joint", 2, "all 2 alike")],
)
def test_who_is_asked(question, k, said):
    assert asked_about(question, k) == said


def test_a_joint_judge_is_never_said_to_find_robustness(written, tmp_path):
    loaded = study.load(
        written(
            ('judges = ["judge"]', 'judges = ["joint"]\njudged = 5'), ("rounds = 2", "rounds = 1")
        )
    )
    laboratory, said = Laboratory(loaded, tmp_path / "out"), []

    class Kept(Findings):
        def picture(self, caption, name, axes):
            texts = np.ravel(axes)[0].figure.findobj(matplotlib.text.Text)
            said.append(" ".join(each.get_text() for each in texts))
            plt.close("all")

    measures.run(Kept("", "", tmp_path / "run"), laboratory, "live")
    measures.rounds(
        Kept("", "", tmp_path / "rounds"), laboratory, {"of": ["live"], "judge": "joint"}
    )
    assert "no joint attack" in said[0]
    assert all(
        "robust" not in each.replace("Robust training", "").replace("robust training", "")
        for each in said
    )


def test_a_picture_is_relabelled():
    _, axes = plt.subplots(1, 2)
    axes[0].set_title("none: 100 images")
    axes[1].plot([0, 1], label="robust")
    axes[1].legend()
    axes[0].figure.legend([axes[1].lines[0]], ["robust at one eps,\nfalsified at the next"])
    in_words(axes, WORDINGS["joint"])
    assert axes[0].get_title() == "Joint attack: none: 100 images"
    assert axes[1].get_title() == ""
    assert axes[1].get_legend().get_texts()[0].get_text() == "no joint attack"
    (below,) = axes[0].figure.legends[0].get_texts()
    assert below.get_text() == "no joint attack at one eps,\njoint attack at the next"
    plt.close()
