"""What a study makes is made once, and kept."""

import numpy as np
import pytest
from tiny_study import TINY

from bnnkit import BNNClassifier, study
from bnnkit.campaign import many
from bnnkit.study.laboratory import Laboratory


@pytest.fixture
def laboratory(written, tmp_path):
    path = written(("epochs = 2", "epochs = 5"), ('split = "test"', "skip = 250\nsize = 5"))
    return Laboratory(study.load(path), tmp_path / "out")


def test_a_pool_is_made_of_what_comes_after_the_skipped(laboratory):
    pool = laboratory.pool("judge")
    images, labels = laboratory.data.train.images, laboratory.data.train.labels
    assert 0 < len(pool) <= 5
    assert pool.index.min() >= 250
    assert (pool.labels == labels[pool.index]).all()
    assert (pool.originals == images[pool.index]).all()
    assert np.abs(pool.images - images[pool.index] / 255).max() <= 0.3 + 1e-6
    (model,) = laboratory.run("plain").models
    assert (model.predict(pool.images) != pool.labels).all()
    assert laboratory.pool("judge") is pool
    again = Laboratory(laboratory.study, laboratory.folder)
    assert (again.pool("judge").images == pool.images).all()


def test_models_have_seeds_of_their_own(written, tmp_path):
    laboratory = Laboratory(study.load(written()), tmp_path / "out")
    assert [model.random_state for model in laboratory.run("live").models] == [7, 8]


def test_a_pool_without_images_is_an_error(written, tmp_path):
    path = written(("eps = 0.3\nsplit", "eps = 0.0\nsplit"))
    with pytest.raises(ValueError, match=r"\[pools.judge\]: the attack found no image within 0"):
        study.run(study.load(path), tmp_path / "out")


def test_a_judging_pool_that_is_trained_on_is_an_error(laboratory):
    with pytest.raises(ValueError, match="the originals of the judging pool 'judge' are among"):
        laboratory.run("live")


def test_a_run_that_was_never_begun_can_be_changed(written, tmp_path):
    path = written(('eps = 0.3\nsplit = "test"', "eps = 0.3\nskip = 100"))
    loaded = study.load(path)
    with pytest.raises(ValueError, match="the originals of the judging pool"):
        study.run(loaded, tmp_path / "out")
    (tmp_path / "out/pools/judge.npz").unlink()
    mended = study.load(written())
    assert len(Laboratory(mended, tmp_path / "out").run("live").history.rounds) == 3


def test_a_pool_that_was_begun_is_gone_on_with(laboratory, monkeypatch):
    table = laboratory.study["pools"]["judge"] | {"attack": "exact", "timeout": 5.0}
    models, data = laboratory.run("plain").models, laboratory.data.train
    first = laboratory.attacked("first", models, table, data, 5)
    asked = []
    monkeypatch.setattr(
        many, "ask_all", lambda _, __, questions, *rest: asked.extend(questions) or iter(())
    )
    again = laboratory.attacked("again", models, table, data, 5)
    assert (again.images == first.images).all()
    assert len(again) == 5
    assert asked == []


STEPS = """[measures.steps]
kind = "quantisation"
model = "bnn"
steps = [0.5, 1.0]
eps = 0.1
images = 6
"""


def test_a_step_that_was_measured_is_kept(written, tmp_path, monkeypatch):
    text = TINY.split("[runs.plain]")[0] + STEPS
    study.run(study.load(written(text=text)), tmp_path / "out")
    with open(tmp_path / "out/measures/steps/steps.csv", encoding="utf-8") as file:
        assert [line.split(",")[0] for line in file] == ["step", "1/2", "1"]
    fitted, fit = [], BNNClassifier.fit
    monkeypatch.setattr(
        BNNClassifier, "fit", lambda model, *data: fitted.append(model) or fit(model, *data)
    )
    more = written(("[0.5, 1.0]", "[0.25, 0.5, 1.0]"), text=text)
    study.run(study.load(more), tmp_path / "out")
    assert [model.quant_step for model in fitted] == [0.25]
