import random
import sqlite3

import numpy as np
import pytest
from campaigns import EPS

from bnnkit import verify_all
from bnnkit.campaign import report
from bnnkit.campaign.store import Store, image_key
from bnnkit.verification import Verdict

SETTING = ("network", "1/20", "native", "{}")
KEYS = [(bytes([i]) * 32, 0) for i in range(5)]
ROBUST = Verdict("robust", 0, 0.05, 0, 0, "bounds", timings={"clean": 0.1})


@pytest.fixture
def path(tmp_path):
    """A store with verdicts."""
    path = tmp_path / "run.sqlite"
    with Store(path) as store:
        store.begin(SETTING, KEYS)
        store.add("{}", [(key, ROBUST) for key in KEYS[:3]])
    return path


def test_what_was_added_is_finished(path):
    with Store(path) as store:
        store.begin(SETTING, KEYS)
        assert set(store.finished(KEYS)) == set(KEYS[:3])
        assert set(store.finished(KEYS[2:])) == {KEYS[2]}
        store.begin(("other", *SETTING[1:]), KEYS)
        assert store.finished(KEYS) == {}


def test_the_same_campaign_is_noted_once(path):
    for keys in (KEYS, KEYS, KEYS[:2], KEYS[::-1]):
        with Store(path) as store:
            store.begin(SETTING, keys)
    campaigns = report.status(path)["campaigns"]
    assert [(row["images"], row["robust"], row["missing"]) for row in campaigns] == [
        (5, 3, 2),
        (2, 2, 0),
        (5, 3, 2),
    ]


def test_a_later_verdict_takes_the_place_of_an_earlier_one(path):
    unknown = Verdict("unknown", 0, 0.05, 0, 0, "lost", reason="killed")
    with Store(path) as store:
        store.begin(SETTING, KEYS)
        store.add("{}", [(KEYS[3], unknown)])
        store.add("{}", [(KEYS[3], ROBUST)])
        assert store.finished(KEYS)[KEYS[3]].status == "robust"


def test_verdicts_are_added_all_or_none(path):
    class Bad:
        status = "certainly robust"
        stage = clean = predicted = eps = reason = "x"
        timings, adversarial = {}, None

    with Store(path) as store:
        store.begin(SETTING, KEYS)
        with pytest.raises(ValueError, match="CHECK"):
            store.add("{}", [(KEYS[3], ROBUST), (KEYS[4], Bad())])
        assert set(store.finished(KEYS)) == set(KEYS[:3])


def test_images_that_differ_in_anything_have_different_keys():
    image = np.arange(6, dtype=np.uint8).reshape(1, 2, 3)
    others = [image + 1, image.reshape(1, 3, 2), image.view(np.int8), image.astype(float)]
    assert len({image_key(other) for other in (image, *others)}) == 5
    assert image_key(image) == image_key(image[:, ::-1][:, ::-1])


def foreign(statement):
    def write(path):
        path.unlink()
        with sqlite3.connect(path) as db:
            db.execute(statement)

    return write


def changed(*statements):
    def write(path):
        with sqlite3.connect(path) as db:
            for statement in statements:
                db.execute(statement)

    return write


def with_bytes(content):
    return lambda path: path.write_bytes(content)


BAD = {
    "a text": (with_bytes(b"robust\n" * 1000), "file is not a database"),
    "half a header": (with_bytes(b"SQLite format 3\0" + bytes(84)), "not a readable store|damaged"),
    "another database": (foreign("CREATE TABLE verdict (id)"), "something else"),
    "another version": (changed("PRAGMA user_version = 7"), "version 7, and this bnnkit reads"),
    "a table less": (changed("DROP TABLE question"), "tables are not those"),
    "a trigger": (
        changed(
            "CREATE TRIGGER liar AFTER INSERT ON verdict BEGIN UPDATE verdict SET status='robust'; "
            "END"
        ),
        "tables are not those",
    ),
    "another check": (
        changed(
            "PRAGMA writable_schema = 1",
            "UPDATE sqlite_master SET sql = replace(sql, 'reason TEXT', 'reason TEXT DEFAULT 0') "
            "WHERE name = 'verdict'",
        ),
        "tables are not those",
    ),
}


@pytest.mark.parametrize("reads", ["every_row", "go_on"])
@pytest.mark.parametrize("bad", BAD)
def test_other_files_are_refused_and_left_alone(path, bad, reads):
    spoil, says = BAD[bad]
    spoil(path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=says):
        globals()[reads](path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "change",
    ["status = 'sure'", "timings = '{'", "finished = 9e99", "reason = x'00'", "clean = 'x'"],
)
def test_rows_that_nobody_wrote_are_refused(path, change):
    changed("PRAGMA ignore_check_constraints = 1", f"UPDATE verdict SET {change}")(path)
    assert any("damaged" in said(read, path) for read in (every_row, go_on))


def said(read, path):
    """The sentence of an error about the file, or nothing where there is none."""
    try:
        read(path)
    except ValueError as error:
        return str(error) if str(path) in str(error) else f"not about the file: {error}"
    return ""


def every_row(path):
    report.status(path)
    return list(report.rows(path))


def go_on(path):
    with Store(path) as store:
        store.begin(SETTING, KEYS)
        store.finished(KEYS)
        store.add("{}", [(KEYS[0], ROBUST)])


def test_no_damaged_file_is_more_than_a_sentence(questions, tmp_path):
    path = tmp_path / "run.sqlite"
    verify_all(*questions, EPS, store=path)
    whole, refused = path.read_bytes(), 0
    rng = random.Random(0)
    for _ in range(200):
        spoiled = bytearray(whole)
        for _ in range(rng.choice([1, 10, 1000])):
            spoiled[rng.randrange(len(spoiled))] = rng.randrange(256)
        path.write_bytes(spoiled[: rng.choice([len(whole), rng.randrange(len(whole))])])
        sentences = said(every_row, path), said(go_on, path)
        assert not any("not about the file" in sentence for sentence in sentences)
        refused += any(sentences)
    assert refused > 100


def test_a_folder_and_no_file(tmp_path):
    with pytest.raises(ValueError, match="unable to open"):
        Store(tmp_path)
    with pytest.raises(FileNotFoundError):
        report.status(tmp_path / "none.sqlite")


def test_an_open_store_can_be_read_but_not_opened_again(path):
    with Store(path) as store:
        store.begin(SETTING, KEYS)
        assert report.status(path)["campaigns"][0]["missing"] == 2
        with pytest.raises(ValueError, match="in use by another campaign"):
            Store(path)
        link = path.with_name("link.sqlite")
        link.symlink_to(path)
        with pytest.raises(ValueError, match="in use by another campaign"):
            Store(link)
    Store(path).__exit__()
