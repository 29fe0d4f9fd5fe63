"""The file of finished verdicts: SQLite, a row for each, written as soon as it is known.

A verdict's key is the network, the image, the label, and the *setting*: radius, solver and
options of `verify`. A *campaign* is a list of questions with one setting; campaigns of one file
share what they have in common. The file is in WAL mode, so that a process that is killed loses
nothing it has written, and others can read meanwhile.
"""

import contextlib
import hashlib
import json
import os
import sqlite3
import time
from pathlib import Path

from bnnkit.campaign import rows

APPLICATION = 0x626E6E6B  # "bnnk", in the header of the file
VERSION = 1
SCHEMA = (
    """CREATE TABLE setting (
    id INTEGER PRIMARY KEY, network TEXT NOT NULL, eps TEXT NOT NULL, solver TEXT NOT NULL,
    options TEXT NOT NULL, UNIQUE (network, eps, solver, options))""",
    """CREATE TABLE environment (id INTEGER PRIMARY KEY, content TEXT NOT NULL UNIQUE)""",
    f"""CREATE TABLE verdict (
    setting INTEGER NOT NULL REFERENCES setting, image BLOB NOT NULL, label INTEGER NOT NULL,
    {rows.COLUMNS},
    finished REAL NOT NULL, environment INTEGER NOT NULL REFERENCES environment,
    UNIQUE (setting, image, label))""",
    """CREATE TABLE campaign (
    id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, setting INTEGER NOT NULL
    REFERENCES setting, size INTEGER NOT NULL, started REAL NOT NULL)""",
    """CREATE TABLE question (
    campaign INTEGER NOT NULL REFERENCES campaign, place INTEGER NOT NULL,
    image BLOB NOT NULL, label INTEGER NOT NULL, PRIMARY KEY (campaign, place)) WITHOUT ROWID""",
)


class Store:
    """An open store; for one campaign at a time, see `reading` for a look at it meanwhile.

    Parameters
    ----------
    path : str or Path
        Made if there is no such file.

    Raises
    ------
    ValueError
        If the file is something else, damaged, of another version, or in use by a campaign.
    """

    def __init__(self, path):
        self.path = os.fspath(path)
        with contextlib.ExitStack() as opened:
            opened.enter_context(_lock(self.path))
            self._db = opened.enter_context(_connection(self.path, "rwc"))
            with told(self.path):
                if self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
                    _create(self._db)
                check(self._db, self.path)
                self._db.execute("PRAGMA synchronous = NORMAL")
            self._opened = opened.pop_all()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._opened.close()

    def begin(self, setting, keys):
        """Note what is asked.

        Parameters
        ----------
        setting : tuple of str
            (network, eps, solver, options).
        keys : list of (bytes, int)
            (image, label) of the questions, see `image_key`.
        """
        digest = hashlib.sha256(json.dumps(setting).encode())
        for image, label in keys:
            digest.update(image + label.to_bytes(8, "little"))
        with told(self.path), self._db:
            self._setting = self._number("setting", "network, eps, solver, options", setting)
            new = self._db.execute(
                "INSERT OR IGNORE INTO campaign (digest, setting, size, started) "
                "VALUES (?, ?, ?, ?)",
                (digest.hexdigest(), self._setting, len(keys), time.time()),
            )
            if new.rowcount == 1:
                self._db.executemany(
                    "INSERT INTO question VALUES (?, ?, ?, ?)",
                    ((new.lastrowid, place, *key) for place, key in enumerate(keys)),
                )

    def finished(self, keys):
        """The verdicts that are there, by those of the keys that have one."""
        wanted, found = set(keys), {}
        with told(self.path):
            columns = f"image, label, {', '.join(rows.NAMES)}"
            every = self._db.execute(
                f"SELECT {columns} FROM verdict WHERE setting = ?", (self._setting,)
            )
            for image, label, *row in every:
                if (image, label) in wanted:
                    found[image, label] = rows.verdict(label, row, self.path)
        return found

    def add(self, environment, verdicts):
        """Write verdicts, all or none.

        Parameters
        ----------
        environment : str
        verdicts : list of ((bytes, int), Verdict)
            With their keys.
        """
        with told(self.path), self._db:
            number = self._number("environment", "content", (environment,))
            marks = ", ".join("?" * (5 + len(rows.NAMES)))
            self._db.executemany(
                f"INSERT OR REPLACE INTO verdict VALUES ({marks})",
                (
                    (self._setting, *key, *rows.row(verdict), time.time(), number)
                    for key, verdict in verdicts
                ),
            )

    def _number(self, table, columns, values):
        """The id of a row, which is added if it is not there."""
        marks = ", ".join("?" * len(values))
        self._db.execute(f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})", values)
        where = f"SELECT id FROM {table} WHERE ({columns}) = ({marks})"
        return self._db.execute(where, values).fetchone()[0]


def image_key(image):
    """What stands for an image: the SHA-256 of its type, shape and bytes."""
    return hashlib.sha256(f"{image.dtype.str} {image.shape} ".encode() + image.tobytes()).digest()


@contextlib.contextmanager
def reading(path):
    """A connection to a store that only reads; see `Store` for what is refused."""
    with _connection(path, "ro") as db, told(path):
        check(db, path)
        yield db


@contextlib.contextmanager
def told(path):
    """Errors of SQLite as sentences about the file."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a readable store of verdicts: {error}") from error


def check(db, path):
    """Raise ValueError unless the file is a whole store of this version, and nothing else."""
    application = db.execute("PRAGMA application_id").fetchone()[0]
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION:
        raise ValueError(f"{path} is a database of something else, not a store of verdicts")
    if version != VERSION:
        raise ValueError(
            f"{path} is a store of version {version}, and this bnnkit reads version {VERSION}; "
            "use the bnnkit that wrote it, or another file"
        )
    # foreign triggers and views would run with our statements
    tables = db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY sql")
    if [sql for (sql,) in tables] != sorted(SCHEMA):
        raise ValueError(f"{path}: the tables are not those of a store of version {VERSION}")
    problem = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if problem != "ok":
        raise ValueError(f"{path} is damaged: {problem}")


def _create(db):
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("BEGIN")
    with db:  # a file that has a table is a whole store
        db.execute(f"PRAGMA application_id = {APPLICATION}")
        db.execute(f"PRAGMA user_version = {VERSION}")
        for table in SCHEMA:
            db.execute(table)


@contextlib.contextmanager
def _connection(path, mode):
    with told(path):
        if mode == "ro":
            os.stat(path)  # an OSError names the file
        address = f"{Path(path).absolute().as_uri()}?mode={mode}"
        db = sqlite3.connect(address, uri=True, check_same_thread=False)
    try:
        with told(path):
            db.execute("PRAGMA trusted_schema = OFF")
        yield db
    finally:
        db.close()


@contextlib.contextmanager
def _lock(path):
    """Hold the lock of a store: another database, which SQLite unlocks however we end."""
    name = f"{os.path.realpath(path)}.lock"  # one for all links to the file
    with told(path):
        lock = sqlite3.connect(name, timeout=0, isolation_level=None)
    try:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            raise ValueError(
                f"{path} is in use by another campaign; wait for its end, or name another file"
            ) from None
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                os.unlink(name)
    finally:
        lock.close()
