import fcntl
import hashlib
import re
import socket

import pytest
from ivfbench.datasets.download import download
from ivfbench.datasets.errors import DatasetError
from ivfbench.datasets.seal import seal_path


@pytest.fixture
def body(dataset_file, server):
    server.body = dataset_file(n=25_000).read_bytes()  # eight chunks of a transfer
    return server.body


@pytest.fixture
def target(tmp_path):
    return tmp_path / "cache" / "set.hdf5"


def fails(server, target, *words, **options):
    with pytest.raises(DatasetError) as caught:
        download(server.url, target, pause=0.01, **options)
    text = str(caught.value)
    assert "\n" not in text
    for word in words:
        assert word in text.replace(str(target.parent), "")
    assert not target.exists()
    return text


def visible(target):
    return sorted(path.name for path in target.parent.iterdir() if not path.name.startswith("."))


def test_a_whole_download(server, body, target):
    told = []
    digest = hashlib.sha256(body).hexdigest()
    assert download(server.url, target, sha256=digest, progress=lambda *at: told.append(at)) == target
    assert target.read_bytes() == body
    assert told[-1] == (len(body), len(body))
    assert visible(target) == ["set.hdf5", "set.hdf5.sha256"]
    assert seal_path(target).read_text().startswith(f"{digest}  set.hdf5\n")
    assert re.fullmatch(r"ivfbench/[\w.]+ \(Mozilla/5\.0 compatible\)", server.seen[0]["User-Agent"])
    assert server.seen[0]["Accept-Encoding"] == "identity"


def test_an_unknown_hash_is_recorded(server, body, target):
    download(server.url, target)
    assert seal_path(target).read_text().split()[0] == hashlib.sha256(body).hexdigest()


def test_a_size_nobody_tells(server, body, target):
    server.length = "none"
    told = []
    download(server.url, target, progress=lambda *at: told.append(at))
    assert target.read_bytes() == body
    assert told[-1] == (len(body), None)


def test_cut_connections_are_resumed(server, body, target):
    server.cuts = [150_000, 70_000]
    download(server.url, target, pause=0.01)
    assert target.read_bytes() == body
    assert [seen.get("Range") for seen in server.seen] == [None, "bytes=131072-", "bytes=196608-"]
    assert server.seen[1]["If-Range"] == '"one"'


def test_more_cuts_than_attempts_while_it_gets_further(server, body, target):
    server.cuts = [70_000] * 6
    download(server.url, target, pause=0.001)
    assert target.read_bytes() == body
    assert len(server.seen) == 7


def test_a_later_start_resumes(server, body, target):
    server.cuts = [150_000, 70_000, 0, 0]
    fails(server, target, "the connection was cut", "196608 bytes are kept")
    assert (target.parent / "set.hdf5.part").stat().st_size == 196_608
    server.cuts, server.seen = [], []
    download(server.url, target)
    assert target.read_bytes() == body
    assert [seen.get("Range") for seen in server.seen] == ["bytes=196608-"]
    assert visible(target) == ["set.hdf5", "set.hdf5.sha256"]


def test_a_server_that_ignores_ranges(server, body, target):
    server.cuts, server.ranges = [70_000], False
    download(server.url, target, pause=0.01)
    assert target.read_bytes() == body


def test_a_file_that_changed_between_attempts_is_not_mixed(server, body, target, dataset_file):
    server.cuts = [70_000, 0, 0]
    fails(server, target, "kept")
    server.body, server.tag = dataset_file(n=25_000, seed=1).read_bytes(), '"two"'
    assert len(server.body) == len(body)
    download(server.url, target)
    assert target.read_bytes() == server.body != body


def test_a_part_that_was_complete(server, body, target):
    target.parent.mkdir()
    (target.parent / "set.hdf5.part").write_bytes(body)
    download(server.url, target)
    assert target.read_bytes() == body
    assert server.seen[0]["Range"] == f"bytes={len(body)}-"


def test_a_part_longer_than_the_file(server, body, target):
    target.parent.mkdir()
    (target.parent / "set.hdf5.part").write_bytes(body + b"more")
    download(server.url, target, pause=0.01)
    assert target.read_bytes() == body


def test_truncated_for_good(server, body, target):
    server.length, server.ranges = len(body) + 50, False
    fails(server, target, "the connection was cut", "after 3 attempts")
    assert len(server.seen) == 3


def test_the_wrong_hash(server, body, target):
    text = fails(server, target, hashlib.sha256(body).hexdigest(), "f" * 64, sha256="f" * 64)
    assert "hash" in text
    assert visible(target) == []


def test_a_page_instead_of_a_file(server, target):
    server.body = b"<!DOCTYPE html><title>Please log in</title>"
    fails(server, target, "not an HDF5 file")
    assert visible(target) == []


@pytest.mark.parametrize(("status", "word"), [(403, "refuses access (403"), (404, "no such file (404"), (418, "(418")])
def test_refusals_are_final(server, target, status, word):
    server.status = status
    fails(server, target, word, server.url)
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_troubles_of_the_server_are_tried_again(server, target, status):
    server.status = status
    fails(server, target, f"answered {status}", "after 3 attempts")
    assert len(server.seen) == 3


def test_no_network(target):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    with pytest.raises(DatasetError, match="no connection to the server"):
        download(f"http://127.0.0.1:{port}/a.hdf5", target, pause=0.01)
    with pytest.raises(DatasetError, match="after 2 attempts"):
        download("http://nowhere.invalid/a.hdf5", target, pause=0.01, attempts=2)


def test_an_earlier_file_is_not_touched_by_a_failure(server, target):
    server.status = 404
    target.parent.mkdir()
    target.write_bytes(b"mine")
    with pytest.raises(DatasetError):
        download(server.url, target, sha256="0" * 64)
    assert target.read_bytes() == b"mine"


def test_two_processes_do_not_write_one_part(server, body, target):
    target.parent.mkdir()
    with (target.parent / ".set.hdf5.part.lock").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        fails(server, target, "another process is downloading it")
    assert server.seen == []


def test_nothing_is_announced(server, body, target, capfd):
    download(server.url, target)
    assert capfd.readouterr() == ("", "")
