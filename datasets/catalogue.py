"""The public datasets, as data: one table in ``catalogue.yml``, read once and checked when read."""

from dataclasses import dataclass, fields
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from .errors import DatasetError, UnknownDataset, one_line
from .metric import METRICS

COLLECTIONS = ("ann-benchmarks", "vibe")
GENERATED = "drift"


@dataclass(frozen=True)
class Entry:
    """One public dataset.

    Attributes
    ----------
    name
        What people call it, and the stem of its file.
    url
        Where it is published.
    metric, dimension, n, queries
        As published; the file has the last word.
    sha256
        Hash of the file, or None where the publisher gives none.
    collection
        One of `COLLECTIONS`.
    note
        What to know before using it, or None.
    """

    name: str
    url: str
    metric: str
    dimension: int
    n: int
    queries: int
    sha256: str | None
    collection: str
    note: str | None


@cache
def catalogue() -> tuple[Entry, ...]:
    """Read the catalogue that comes with the package.

    Returns
    -------
    tuple of Entry
        In the order of the file, names distinct.

    Raises
    ------
    DatasetError
        If the file is damaged.
    """
    path = Path(__file__).with_name("catalogue.yml")
    return parse_catalogue(path.read_text(encoding="utf-8"), path.name)


def entry(name: str) -> Entry:
    """Look up a dataset by its name.

    Parameters
    ----------
    name
        As in the catalogue.

    Returns
    -------
    Entry
        The only one of this name.

    Raises
    ------
    UnknownDataset
        With the nearest names that exist.
    """
    known = {each.name: each for each in catalogue()}
    if name in known:
        return known[name]
    near = get_close_matches(name, [*known, GENERATED], n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(near)}?" if near else f"expected {GENERATED}, a catalogue name or a path"
    raise UnknownDataset(f"unknown dataset {name!r}: {hint}")


def parse_catalogue(text: str, where: str) -> tuple[Entry, ...]:
    """Turn the catalogue's text into entries.

    Parameters
    ----------
    text
        YAML: a list of mappings with exactly the attributes of `Entry`.
    where
        Name of the source, for messages.

    Returns
    -------
    tuple of Entry
        In the order of the text.

    Raises
    ------
    DatasetError
        If an entry is incomplete, ill-typed, or repeats a name.
    """
    try:
        rows = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise DatasetError(f"{where}: not readable YAML: {one_line(error)}") from error
    if not isinstance(rows, list):
        raise DatasetError(f"{where}: expected a list of datasets, found {type(rows).__name__}")
    entries: dict[str, Entry] = {}
    for number, row in enumerate(rows, start=1):
        made = _entry(row, f"{where}: entry {number}")
        if made.name in entries or made.name == GENERATED:
            raise DatasetError(f"{where}: entry {number}: the name {made.name!r} is taken")
        entries[made.name] = made
    return tuple(entries.values())


def _entry(row: Any, where: str) -> Entry:
    expected = [field.name for field in fields(Entry)]
    if not isinstance(row, dict) or sorted(map(str, row)) != sorted(expected):
        found = ", ".join(map(str, row)) if isinstance(row, dict) else type(row).__name__
        raise DatasetError(f"{where}: found {found}, expected {', '.join(expected)}")
    for key in ("dimension", "n", "queries"):
        if type(row[key]) is not int or row[key] < 1:
            raise DatasetError(f"{where}: {key} is {row[key]!r}, expected a positive integer")
    for key in ("name", "url", "metric", "collection"):
        if not isinstance(row[key], str) or not row[key]:
            raise DatasetError(f"{where}: {key} is {row[key]!r}, expected text")
    for key, allowed in (("metric", tuple(METRICS)), ("collection", COLLECTIONS)):
        if row[key] not in allowed:
            raise DatasetError(f"{where}: {key} is {row[key]!r}, expected one of {', '.join(allowed)}")
    for key in ("sha256", "note"):
        if row[key] is not None and not isinstance(row[key], str):
            raise DatasetError(f"{where}: {key} is {row[key]!r}, expected text or null")
    return Entry(**row)
