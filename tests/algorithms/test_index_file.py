"""A file that is no index, a newer one, or a damaged one is refused by one line that says what is wrong with it."""

import json
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.codecs.product_quantiser import ProductQuantiser
from ivfbench.algorithms.ivf import IVF
from ivfbench.algorithms.saving.array_file import (
    VERSION,
    IndexFileError,
    read_array_file,
    read_header,
    write_array_file,
)
from ivfbench.algorithms.saving.index_file import read_facts


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(3).standard_normal((300, 16)).astype(np.float32)


@pytest.fixture(scope="module")
def saved(rows, tmp_path_factory):
    """A small index, its file and the bytes of that."""
    index = IVF(KMeans(lists=4, iterations=3), codec=ProductQuantiser()).build(rows, "angular")
    path = tmp_path_factory.mktemp("saved") / "index.ivf"
    index.save(path)
    return index, path, path.read_bytes()


def opened(path):
    """The content and the arrays of a file, to write another one with."""
    header, arrays = read_array_file(path, mapped=False)
    names = [entry["name"] for entry in header.entries]
    return json.loads(json.dumps(header.content)), dict(zip(names, arrays, strict=True))


def refusal(path, content, **choices):
    """The one line that a file with this content is refused with; loading it in another way says the same."""
    path.write_bytes(content)
    with pytest.raises(IndexFileError) as refused:
        IVF.load(path, **choices)
    line = str(refused.value)
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    return line.removeprefix(f"{path}: ")


@given(fraction=st.floats(0, 1, exclude_max=True))
def test_truncated_at_any_length(saved, tmp_path_factory, fraction):
    _, _, content = saved
    length = int(fraction * len(content))
    path = tmp_path_factory.getbasetemp() / "truncated.ivf"
    for mmap in (True, False):
        line = refusal(path, content[:length], mmap=mmap)
        assert line.startswith(f"truncated: found {length} bytes, expected " if length else "not an index file: found")


def test_more_than_was_written(saved, tmp_path):
    _, _, content = saved
    line = refusal(tmp_path / "long.ivf", content + b"\0")
    assert line == f"not as it was written: found {len(content) + 1} bytes, expected {len(content)}"


def test_damage_in_every_part_of_the_file(saved, tmp_path):
    _, path, content = saved
    header = read_header(path)
    spoilt = tmp_path / "spoilt.ivf"
    (length,) = struct.unpack("<Q", content[24:32])
    arrays_begin = 32 + length + 4
    expected = dict.fromkeys(range(8), "not an index file")
    expected |= dict.fromkeys(range(8, 16), "damaged header")
    expected |= dict.fromkeys(range(16, 32), "")  # of lengths: truncated, or a damaged header
    expected |= dict.fromkeys((*range(32, arrays_begin, 97), arrays_begin - 1), "damaged header")
    for entry in header.entries:
        begin = header.start + entry["offset"]
        if entry["nbytes"]:
            places = {begin, begin + entry["nbytes"] // 2, begin + entry["nbytes"] - 1}
            expected |= dict.fromkeys(places, f"damaged array {entry['name']}: found checksum ")
    assert len(header.entries) > 15
    for place, reason in expected.items():
        changed = bytearray(content)
        changed[place] ^= 16
        assert refusal(spoilt, changed, verify=True).startswith(reason), place


MAGIC = b"\x89IVF\r\n\x1a\n"


@pytest.mark.parametrize("content", [b"", b"no", b"an ordinary text\n" * 9, b"\x89HDF\r\n\x1a\n" + bytes(99)])
def test_no_index_file(tmp_path, content):
    line = refusal(tmp_path / "other", content)
    assert line == f"not an index file: found {content[:8]!r}, expected {MAGIC!r}"
    with pytest.raises(FileNotFoundError):
        IVF.load(tmp_path / "absent")


def sealed(content, head):
    """A file whose preamble and header are replaced, with the checksum that fits them."""
    (length,) = struct.unpack("<Q", content[24:32])
    return head + struct.pack("<I", zlib.crc32(head)) + content[32 + length + 4 :]


def test_a_newer_version(saved, tmp_path):
    _, _, content = saved
    (length,) = struct.unpack("<Q", content[24:32])
    head = bytearray(content[: 32 + length])
    head[8:12] = struct.pack("<I", VERSION + 1)
    line = refusal(tmp_path / "newer.ivf", sealed(content, head))
    assert line == f"found format version {VERSION + 1}, expected at most {VERSION}: a newer ivfbench wrote it"


def nested(content, *keys):
    for key in keys:
        content = content[key]
    return content


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda c: nested(c, "index", "routes").update({"class": "os.system"}),
            "index.routes: found class 'os.system'",
        ),
        (lambda c: c["index"].update(routes=c["index"]["lists"]), "index.routes: found CompressedLists, expected one"),
        (lambda c: nested(c, "index", "routes", "fields").pop("space"), "index.routes: found LinearRoutes with fields"),
        (
            lambda c: nested(c, "index", "routes", "fields").update(x=1),
            "index.routes: found LinearRoutes with fields panels, space, x, expected panels, space",
        ),
        (lambda c: c["index"].update(centroids={"kind": "array", "at": 99}), "index.centroids: found {'at': 99"),
        (
            lambda c: c["index"].update(centroids={"kind": "number", "type": "O", "value": 1}),
            "index.centroids: found a",
        ),
        (
            lambda c: c["index"].update(centroids={"kind": "number", "type": "int8", "value": 300}),
            "index.centroids: found 300, expected a number of type int8",
        ),
        (lambda c: c["index"].update(count="many"), "index.count: found str, expected one of int"),
        (lambda c: c["index"].pop("built"), "found no 'built'"),
        (lambda c: c.pop("facts"), "found no 'facts'"),
    ],
)
def test_a_sound_file_of_something_else(saved, tmp_path, change, reason):
    _, path, _ = saved
    content, arrays = opened(path)
    change(content)
    write_array_file(tmp_path / "written.ivf", content, arrays)
    assert refusal(tmp_path / "written.ivf", (tmp_path / "written.ivf").read_bytes()).startswith(reason)


@pytest.mark.parametrize(
    "change",
    [{"dtype": "object"}, {"shape": [-1]}, {"nbytes": 1 << 60}, {"offset": 1}, {"offset": 1 << 40}, {"crc32": 7}],
    ids=repr,
)
def test_arrays_that_cannot_be(saved, tmp_path, change):
    _, _, content = saved
    (length,) = struct.unpack("<Q", content[24:32])
    document = json.loads(content[32 : 32 + length])
    document["arrays"][0].update(change)
    text = json.dumps(document).encode()
    head = content[:24] + struct.pack("<Q", len(text)) + text
    line = refusal(tmp_path / "written.ivf", sealed(content, head[:16] + whole_of(head, content) + head[24:]))
    assert line.startswith("header: array index.lists.compressed.blocks.codes: found ")


def whole_of(head, content):
    (length,) = struct.unpack("<Q", content[24:32])
    return struct.pack("<Q", len(head) + 4 + len(content) - 36 - length)


def test_an_algorithm_that_this_version_does_not_know(saved, rows, tmp_path):
    index, path, _ = saved
    content, arrays = opened(path)
    content["facts"]["algorithm"]["parameters"]["router"]["type"] = "Router2040"
    write_array_file(tmp_path / "later.ivf", content, arrays)
    loaded = IVF.load(tmp_path / "later.ivf")
    assert loaded.algorithm is None
    assert loaded.search(rows[:9], nprobe=2).ids.tobytes() == index.search(rows[:9], nprobe=2).ids.tobytes()
    assert read_facts(tmp_path / "later.ivf")["algorithm"]["text"] == repr(index.algorithm)


def test_fields_that_a_part_gained_later_may_be_absent(saved, tmp_path):
    content, arrays = opened(saved[1])
    path = tmp_path / "earlier.ivf"
    del content["index"]["built"]["fields"]["learn_seconds"]  # 0 by default
    write_array_file(path, content, arrays)
    assert IVF.load(path).built.learn_seconds == 0.0
