import pytest
from robust_minutes import minutes, picture


def test_minutes_add_up_over_the_epochs():
    assert minutes([{"seconds": 30}, {"seconds": 60}, {"seconds": 15}]) == [0.5, 1.5, 1.75]


def test_a_picture_is_labelled_and_saved(tmp_path):
    import matplotlib

    matplotlib.use("Agg")
    with picture(tmp_path / "a.png", "a title", "share") as ax:
        ax.plot([1, 2], [0.5, 0.7], label="clean")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("minutes of training", "share")
    assert ax.get_title() == "a title"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["clean"]
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"


def test_no_picture_is_saved_of_what_failed(tmp_path):
    with pytest.raises(ZeroDivisionError), picture(tmp_path / "a.png", "a title", "share"):
        1 / 0  # noqa: B018
    assert not list(tmp_path.iterdir())
