import dataclasses
import gzip
import io
import os
import signal
import subprocess
import sys
import tarfile

import pytest

from bnnkit.datasets.transfer import fetch, fetch_unpacked, unpack

CONTENT = os.urandom(3_000_000)


def test_a_file_arrives_whole_and_alone(tmp_path, server, listing, capsys):
    resource = server.publish("data.gz", CONTENT)
    fetch(resource, tmp_path / "new" / "folder")
    assert (tmp_path / "new" / "folder" / "data.gz").read_bytes() == CONTENT
    assert listing(tmp_path) == ["new", "new/folder", "new/folder/data.gz"]
    assert resource.url in capsys.readouterr().err


def test_a_truncated_download_leaves_nothing(tmp_path, server, listing):
    resource = server.publish("data.gz", CONTENT)
    server.files["data.gz"] = CONTENT[:-1]
    server.promised["data.gz"] = len(CONTENT)
    with pytest.raises(ConnectionError, match=r"data\.gz"):
        fetch(resource, tmp_path)
    assert listing(tmp_path) == []


@pytest.mark.parametrize(
    ("served", "message"),
    [
        (CONTENT[:-1], "should have 3000000 bytes, but only 2999999 came"),
        (CONTENT + b"x", "should have 3000000 bytes, but more came"),
        (bytes([CONTENT[0] ^ 1]) + CONTENT[1:], "gave a file with MD5 .*, expected"),
        (b"", "only 0 came"),
    ],
    ids=["short", "long", "changed", "empty"],
)
def test_other_bytes_than_published_are_not_kept(tmp_path, server, listing, served, message):
    resource = server.publish("data.gz", CONTENT)
    server.files["data.gz"] = served
    with pytest.raises(ConnectionError, match=message):
        fetch(resource, tmp_path)
    assert listing(tmp_path) == []


def test_a_file_in_place_survives_a_failed_download(tmp_path, server):
    resource = server.publish("data.gz", CONTENT)
    server.files["data.gz"] = b"rubbish"
    (tmp_path / "data.gz").write_bytes(b"older")
    with pytest.raises(ConnectionError):
        fetch(resource, tmp_path)
    assert (tmp_path / "data.gz").read_bytes() == b"older"


def test_a_file_that_the_server_lacks(tmp_path, server, listing):
    resource = server.publish("data.gz", CONTENT)
    del server.files["data.gz"]
    with pytest.raises(ConnectionError, match="404"):
        fetch(resource, tmp_path / "folder")
    assert listing(tmp_path) == []


def test_a_server_that_is_gone(tmp_path, server, listing):
    resource = server.publish("data.gz", CONTENT)
    server.server_close()
    with pytest.raises(ConnectionError, match=r"http://127\.0\.0\.1:\d+/data\.gz cannot be read"):
        fetch(resource, tmp_path / "folder")
    assert listing(tmp_path) == []


def test_no_name_service(tmp_path, server, listing):
    resource = server.publish("data.gz", CONTENT)
    resource = dataclasses.replace(resource, url="http://name.invalid/data.gz")
    with pytest.raises(ConnectionError, match=r"name\.invalid/data\.gz cannot be read"):
        fetch(resource, tmp_path / "folder")
    assert listing(tmp_path) == []


INTERRUPTED = """
import sys
from pathlib import Path
from bnnkit.datasets.transfer import Resource, fetch
name, url, size, md5, folder = sys.argv[1:]
fetch(Resource(name, url, int(size), md5), Path(folder))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_download_leaves_nothing_under_the_files_name(
    tmp_path, server, listing, sign
):
    resource = server.publish("data.gz", CONTENT)
    server.files["data.gz"] = CONTENT[: len(CONTENT) // 2]
    server.promised["data.gz"] = len(CONTENT)
    server.stalling.add("data.gz")
    arguments = [str(value) for value in dataclasses.astuple(resource)]
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, *arguments, str(tmp_path)], stderr=subprocess.DEVNULL
    )
    assert server.reached.wait(20)
    while not listing(tmp_path):  # until the first bytes have been written
        assert process.poll() is None
    process.send_signal(sign)
    assert process.wait(20) != 0
    if sign == signal.SIGINT:
        assert listing(tmp_path) == []
    assert not (tmp_path / "data.gz").exists()


KINDS = {"symlink": tarfile.SYMTYPE, "hard link": tarfile.LNKTYPE, "folder": tarfile.DIRTYPE}


def archive(members):
    """A gzipped tar file of (name, content or kind of member) pairs."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, value in members:
            member = tarfile.TarInfo(name)
            if isinstance(value, bytes):
                member.size = len(value)
                tar.addfile(member, io.BytesIO(value))
            else:
                member.type, member.linkname = KINDS[value], "/etc/passwd"
                tar.addfile(member)
    return content.getvalue()


@pytest.fixture
def unpacked(tmp_path):
    """Unpack a/one and a/two of an archive into the folder tmp_path/in/new."""

    def run(content):
        path = tmp_path / "archive.tar.gz"
        path.write_bytes(content)
        (tmp_path / "in").mkdir()
        try:
            unpack(path, ["a/one", "a/two"], tmp_path / "in" / "new")
        finally:
            path.unlink()

    return run


def test_members_are_taken_by_name_and_paths_have_no_say(tmp_path, unpacked, listing):
    evil = [("../evil", b"x"), ("/tmp/evil", b"x"), ("a/../../evil", b"x"), ("a/other", b"x")]
    unpacked(archive([*evil, ("a/one", b"1"), ("a/two", b"22")]))
    assert listing(tmp_path) == ["in", "in/new", "in/new/one", "in/new/two"]
    assert (tmp_path / "in" / "new" / "two").read_bytes() == b"22"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (archive([("a/one", b"1")]), "lacks a/two"),
        (archive([("a/one", b"1"), ("a/two", "symlink")]), "a/two is not a regular file"),
        (archive([("a/one", b"1"), ("a/two", "hard link")]), "a/two is not a regular file"),
        (archive([("a/one", "folder"), ("a/two", b"2")]), "a/one is not a regular file"),
        (archive([("a/one", b"1"), ("a/two", CONTENT)])[:-9000], "damaged archive"),
        (b"not gzip", "damaged archive"),
        (gzip.compress(b"not tar" * 200), "damaged archive"),
    ],
    ids=["missing", "symlink", "hard link", "folder", "cut", "no gzip", "no tar"],
)
def test_a_bad_archive_leaves_nothing(tmp_path, unpacked, listing, content, message):
    with pytest.raises(ValueError, match=message):
        unpacked(content)
    assert listing(tmp_path) == ["in"]


def test_an_archive_is_downloaded_unpacked_and_not_kept(tmp_path, server, listing):
    resource = server.publish("some.tar.gz", archive([("a/one", b"1"), ("a/two", b"2")]))
    fetch_unpacked(resource, ["a/one", "a/two"], tmp_path / "set")
    assert listing(tmp_path) == ["set", "set/one", "set/two"]
