"""Collections of texts in the layout of BEIR: documents, queries, and who judged what.

======================== ====================================================================================
``corpus.jsonl``         every line an object: ``_id``, ``text`` and, optional, ``title``
``queries.jsonl``        every line an object: ``_id`` and ``text``
``qrels/NAME.tsv``       a heading, then lines of query id, document id, score, parted by tabs
======================== ====================================================================================

BEIR (Thakur et al., NeurIPS 2021) embeds a document as its title, a blank and its text; so does this file. Lines are
read one at a time: of a corpus of millions only the ids are in memory.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .errors import DatasetError, one_line


def documents(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the id and the text (title included) of each document; errors as `queries`."""
    for where, name, record in _records(path):
        title = record.get("title") or ""
        if not isinstance(title, str):
            raise DatasetError(f"{where}: title is {title!r:.60}, expected text")
        yield name, f"{title} {_text(where, record)}".strip()


def queries(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the id and the text of each query.

    Raises
    ------
    DatasetError
        If the file cannot be read, or a line is broken or repeats an id; the message begins with ``file:line``.
    """
    for where, name, record in _records(path):
        yield name, _text(where, record)


def judged(path: Path) -> Iterator[tuple[str, str]]:
    """Yield ``file:line`` and the query id of each judgement.

    Raises
    ------
    DatasetError
        If the file cannot be read or a line has not three fields.
    """
    for where, line in _lines(path):
        parts = line.split("\t")
        if len(parts) != 3:
            raise DatasetError(f"{where}: found {len(parts)} fields, expected query id, document id and score, by tabs")
        if parts[0] != "query-id":
            yield where, parts[0]


def _records(path: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    seen: set[str] = set()
    for where, line in _lines(path):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DatasetError(f"{where}: not JSON ({one_line(error)}), expected an object with _id and text") from None
        if not isinstance(record, dict):
            raise DatasetError(f"{where}: found {type(record).__name__}, expected an object with _id and text")
        name = record.get("_id")
        if not isinstance(name, str) or not name.isprintable() or not name:
            raise DatasetError(f"{where}: _id is {name!r:.60}, expected printable text")
        if name in seen:
            raise DatasetError(f"{where}: found _id {name!r:.60} again, expected each once")
        seen.add(name)
        yield where, name, record


def _text(where: str, record: dict[str, Any]) -> str:
    text = record.get("text")
    if not isinstance(text, str):
        raise DatasetError(f"{where}: text is {text!r:.60}, expected text")
    return text


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield ``file:line`` and the line for every line that is not blank."""
    try:
        with path.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                where = f"{path}:{number}"
                try:
                    told = line.decode("utf-8").strip("\r\n")
                except UnicodeDecodeError as error:
                    raise DatasetError(f"{where}: byte {error.start} is not UTF-8") from None
                if told.strip():
                    yield where, told
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from error
