"""Which queries are scored on and which are learnt from, decided before anything is embedded.

Three ways: a second file of test queries, the judgements that come with a collection, or a seeded draw. Whichever it
is, a training query that reads like a test query is dropped, under another id too: what is tested must not have been
seen.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .beir import judged, queries
from .errors import DatasetError

_SEED = 20_260
_TEST_SHARE, _MOST_TEST = 5, 10_000  # a fifth, as in the paper's code, but no more than that many
_TEST_NAMES = ("test", "dev")

Query = tuple[str, str]  # id, text


@dataclass(frozen=True, slots=True)
class Split:
    """How to part queries; at most one of the first three is given.

    Attributes
    ----------
    test_queries
        A file of test queries: the others are all for training.
    qrels
        A folder of judgements: queries judged in ``test.tsv`` (``dev.tsv`` where there is none) are for testing, those
        of ``train.tsv`` for training, the others for nothing.
    test_count
        Draw so many test queries at random; without any of the three a fifth, at most 10,000.
    test_split
        With `qrels`: take this file's queries for testing, such as "dev".
    learn_count
        Keep at most so many training queries, drawn at random.
    """

    test_queries: Path | None = None
    qrels: Path | None = None
    test_count: int | None = None
    test_split: str | None = None
    learn_count: int | None = None

    def __post_init__(self) -> None:
        given = [name for name in ("test_queries", "qrels", "test_count") if getattr(self, name) is not None]
        if len(given) > 1:
            raise DatasetError(f"found {' and '.join(given)}, expected at most one of them")
        if self.test_split is not None and self.qrels is None:
            raise DatasetError(f"test_split: found {self.test_split!r} without qrels, expected both or neither")
        for name in ("test_count", "learn_count"):
            count = getattr(self, name)
            if count is not None and count < 1:
                raise DatasetError(f"{name}: found {count}, expected at least 1")


@dataclass(frozen=True)
class Queries:
    """Parted queries.

    Attributes
    ----------
    test, learn
        (id, text) each, in the order of their file.
    dropped
        Training queries left out because a test query has the same text.
    """

    test: tuple[Query, ...]
    learn: tuple[Query, ...]
    dropped: int


def split_queries(path: Path, split: Split) -> Queries:
    """Read queries and part them.

    Parameters
    ----------
    path
        As in `beir.queries`.
    split
        How.

    Returns
    -------
    Queries
        At least one for testing.

    Raises
    ------
    DatasetError
        If a file is broken, or no query is left for testing.
    """
    every = dict(queries(path))
    if split.test_queries is not None:
        test, learn = dict(queries(split.test_queries)), every
    elif split.qrels is not None:
        test, learn = _by_judgement(every, split.qrels, split.test_split)
    else:
        test, learn = _by_draw(every, split.test_count, path)
    if not test:
        raise DatasetError(f"{split.test_queries or split.qrels or path}: no test queries, expected at least one")
    texts = {text.strip() for text in test.values()}
    others = {name: text for name, text in learn.items() if text.strip() not in texts}
    kept = _drawn(len(others), split.learn_count)
    chosen = tuple(query for query, keep in zip(others.items(), kept, strict=True) if keep)
    return Queries(tuple(test.items()), chosen, len(learn) - len(others))


def _by_judgement(every: dict[str, str], folder: Path, wanted: str | None) -> tuple[dict[str, str], dict[str, str]]:
    names = (wanted,) if wanted else _TEST_NAMES
    present = [folder / f"{name}.tsv" for name in names if (folder / f"{name}.tsv").is_file()]
    if not present:
        raise DatasetError(f"{folder}: found no {' or '.join(f'{name}.tsv' for name in names)}")
    train = folder / "train.tsv"
    return _named(every, present[0]), _named(every, train) if train.is_file() else {}


def _named(every: dict[str, str], judgements: Path) -> dict[str, str]:
    chosen = set()
    for where, name in judged(judgements):
        if name not in every:
            raise DatasetError(f"{where}: found query id {name!r:.60}, expected one of the queries")
        chosen.add(name)
    return {name: text for name, text in every.items() if name in chosen}


def _by_draw(every: dict[str, str], count: int | None, path: Path) -> tuple[dict[str, str], dict[str, str]]:
    if count is None:
        count = min(max(1, len(every) // _TEST_SHARE), _MOST_TEST)
    if count > len(every):
        raise DatasetError(f"{path}: found {len(every)} queries, expected at least {count} to draw test queries from")
    test = dict(query for query, keep in zip(every.items(), _drawn(len(every), count), strict=True) if keep)
    return test, {name: text for name, text in every.items() if name not in test}


def _drawn(total: int, count: int | None) -> list[bool]:
    """Draw `count` places of `total`, the first of one fixed shuffle: smaller draws are parts of larger ones."""
    keep = np.ones(total, bool)
    if count is not None and count < total:
        keep[np.random.default_rng(_SEED).permutation(total)[count:]] = False
    return [bool(kept) for kept in keep]
