"""What a store holds: how far its campaigns are, and all their rows as CSV or JSON lines."""

import csv
import json
from datetime import datetime, timezone

from bnnkit._files import atomic_path
from bnnkit.campaign.store import reading
from bnnkit.verification.verdict import STAGES

_CAMPAIGNS = """
SELECT c.id AS campaign, s.network, s.eps, s.solver, s.options, c.started, c.size AS images,
    count(*) FILTER (WHERE v.status = 'robust') AS robust,
    count(*) FILTER (WHERE v.status = 'falsified') AS falsified,
    count(*) FILTER (WHERE v.status = 'unknown') AS unknown,
    count(*) FILTER (WHERE v.status IS NULL) AS missing,
    count(*) FILTER (WHERE v.stage = 'lost') AS lost,
    count(*) FILTER (WHERE v.stage = 'wrong') AS wrong, max(v.finished) AS latest
FROM campaign c JOIN setting s ON s.id = c.setting
    JOIN question q ON q.campaign = c.id
    LEFT JOIN verdict v ON (v.setting, v.image, v.label) = (c.setting, q.image, q.label)
GROUP BY c.id ORDER BY c.id"""

_ROWS = """
SELECT c.id AS campaign, s.network, s.eps, s.solver, s.options, q.place AS "index",
    lower(hex(q.image)) AS image, q.label, v.status, v.stage, v.clean, v.predicted, v.choices,
    v.reason, v.timings, v.finished, v.environment
FROM campaign c JOIN setting s ON s.id = c.setting
    JOIN question q ON q.campaign = c.id
    JOIN verdict v ON (v.setting, v.image, v.label) = (c.setting, q.image, q.label)
ORDER BY c.id, q.place"""


def status(path):
    """How far the campaigns of a store are; also while one is running.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    dict
        "campaigns": a list of dicts with the campaign's number, network, eps, solver, options of
        `verify`, images, and how many of them are robust, falsified, unknown and missing, and
        unknown because a process ended ("lost") or an answer failed its check ("wrong");
        "environments": a dict by their numbers.

    Raises
    ------
    ValueError
        If the file is no store, damaged, or of another version.
    OSError
        If it cannot be read.
    """
    with reading(path) as db:
        campaigns = [_decoded(path, row) for row in _dicts(db.execute(_CAMPAIGNS))]
        environments = db.execute("SELECT id, content FROM environment ORDER BY id")
        environments = [_decoded(path, row) for row in _dicts(environments)]
        return {
            "campaigns": campaigns,
            "environments": {row["id"]: row["content"] for row in environments},
        }


def rows(path):
    """Yield the finished questions of all campaigns as dicts, in the order of their images."""
    with reading(path) as db:
        for row in _dicts(db.execute(_ROWS)):
            yield _decoded(path, row)


def write_csv(store, file):
    """Write the rows of a store to an open text file as CSV, the timings in columns."""
    table = csv.writer(file, lineterminator="\n")
    for i, row in enumerate(rows(store)):
        timings = row.pop("timings")
        row |= {f"{stage}_s": timings.get(stage, "") for stage in (*STAGES, "lost")}
        row["options"] = json.dumps(row["options"])
        if i == 0:
            table.writerow(row)
        table.writerow(row.values())


def write_jsonl(store, file):
    """Write the rows of a store to an open text file as JSON objects, one a line."""
    for row in rows(store):
        file.write(json.dumps(row) + "\n")


def export(write, store, path):
    """Have `write_csv` or `write_jsonl` write to the file `path`, atomically."""
    with (
        atomic_path(path) as temporary,
        open(temporary, "w", encoding="utf-8", newline="") as file,
    ):
        write(store, file)


def _dicts(cursor):
    names = [column[0] for column in cursor.description]
    for row in cursor:
        yield dict(zip(names, row, strict=True))


def _decoded(path, row):
    try:
        if any(isinstance(value, bytes) for value in row.values()):
            raise ValueError("bytes in the place of a text")
        for name in ("options", "timings", "content"):
            if name in row:
                row[name] = _object(row[name])
        for name in ("started", "latest", "finished"):
            if row.get(name) is not None:
                moment = datetime.fromtimestamp(row[name], timezone.utc)
                row[name] = moment.isoformat(" ", "seconds")
    except (ValueError, TypeError, OverflowError, OSError, RecursionError) as error:
        raise ValueError(f"{path}: a row is damaged: {error}") from None
    return row


def _object(text):
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError(f"{text[:40]!r} is no JSON object")
    return value
