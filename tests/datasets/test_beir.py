"""Texts in the layout of BEIR, whole and broken."""

import json

import pytest
from ivfbench.datasets.beir import documents, judged, queries
from ivfbench.datasets.errors import DatasetError


@pytest.fixture
def lines(tmp_path):
    """A function writing lines, text or objects, to a file."""

    def write(*rows, name="some.jsonl", end="\n"):
        path = tmp_path / name
        told = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        path.write_text("".join(f"{row}{end}" for row in told), encoding="utf-8")
        return path

    return write


def test_a_document_is_its_title_and_its_text(lines):
    path = lines(
        {"_id": "a", "title": "Cats", "text": "purr.", "metadata": {}},
        {"_id": "b", "title": "", "text": " Dogs bark. "},
        {"_id": "c", "title": None, "text": "ü☃"},
        {"_id": "d d", "text": ""},
    )
    assert list(documents(path)) == [("a", "Cats purr."), ("b", "Dogs bark."), ("c", "ü☃"), ("d d", "")]


def test_a_query_is_its_text_alone(lines):
    path = lines({"_id": "1", "title": "no", "text": "why?"}, "", "  ", {"_id": "2", "text": "how?"}, end="\r\n")
    assert list(queries(path)) == [("1", "why?"), ("2", "how?")]


GOOD = '{"_id": "good", "text": "good"}'


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"_id": "x", "text": "cut', "not JSON (Unterminated string"),
        ("[" * 100_000, "not JSON ("),
        ('{"_id": ' + "9" * 5000 + ', "text": ""}', "not JSON ("),
        ("[1, 2]", "found list, expected an object with _id and text"),
        ('{"text": "x"}', "_id is None, expected printable text"),
        ('{"_id": 7, "text": "x"}', "_id is 7, expected printable text"),
        ('{"_id": "", "text": "x"}', "_id is '', expected printable text"),
        ('{"_id": "a\\u0000b", "text": "x"}', "_id is 'a\\x00b', expected printable text"),
        ('{"_id": "\\ud800", "text": "x"}', "expected printable text"),
        ('{"_id": "x"}', "text is None, expected text"),
        ('{"_id": "x", "text": ["x"]}', "text is ['x'], expected text"),
        (GOOD, "found _id 'good' again, expected each once"),
    ],
    ids=lambda text: text[:30],
)
def test_a_broken_line_is_named(lines, line, said):
    path = lines(GOOD, "", line)
    for read in (documents, queries):
        with pytest.raises(DatasetError) as caught:
            list(read(path))
        assert str(caught.value).startswith(f"{path}:3: ")
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_title_that_is_no_text(lines):
    with pytest.raises(DatasetError, match=r"some\.jsonl:1: title is 3, expected text"):
        list(documents(lines({"_id": "x", "title": 3, "text": ""})))


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "some.jsonl"
    path.write_bytes(GOOD.encode() + b"\n" + b'{"_id": "\xff"}\n')
    with pytest.raises(DatasetError, match=r"some\.jsonl:2: byte 9 is not UTF-8"):
        list(queries(path))


@pytest.mark.parametrize("name", ["none.jsonl", "."])
def test_no_file(tmp_path, name):
    with pytest.raises(DatasetError, match="cannot be read: "):
        list(documents(tmp_path / name))


def test_judgements(lines):
    path = lines("query-id\tcorpus-id\tscore", "q1\td1\t1", "q1\td2\t0", "q2\td 3\t1", name="test.tsv")
    assert list(judged(path)) == [(f"{path}:2", "q1"), (f"{path}:3", "q1"), (f"{path}:4", "q2")]
    assert [name for _, name in judged(lines("q1\td1\t1", name="bare.tsv"))] == ["q1"]
    with pytest.raises(DatasetError, match=r"test\.tsv:2: found 4 fields, expected query id, document id and score"):
        list(judged(lines("query-id\tcorpus-id\tscore", "q1 0 d1 1".replace(" ", "\t"), name="test.tsv")))
