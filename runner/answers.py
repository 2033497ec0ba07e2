"""Is this an answer? Looked at after the clock has stopped, before anything is made of it."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ..algorithms.found import Found


class AnswerError(ValueError):
    """An answer that is none, or that cannot be believed: the point fails with this message."""


def check_shapes(found: Any, queries: int, k: int, first: int = 0) -> None:
    """Raise unless this is an answer to so many queries, by its types and shapes.

    Parameters
    ----------
    found : Found
    queries, k : int
    first : int
        The number of the first of these queries, for messages.

    Raises
    ------
    AnswerError
        One line: the query, what was found, what was expected.
    """
    where = f"query {first}" if queries == 1 else f"{queries} queries"
    if not isinstance(found, Found):
        raise AnswerError(f"{where}: found {type(found).__name__}, expected Found")
    for name, kinds, shape in (
        ("ids", "iu", (queries, k)),
        ("distances", "f", (queries, k)),
        ("probed", "iu", (queries,)),
        ("scanned", "iu", (queries,)),
    ):
        array = getattr(found, name)
        if not isinstance(array, np.ndarray):
            raise AnswerError(f"{where}: {name}: found {type(array).__name__}, expected an array")
        if array.shape != shape:
            raise AnswerError(f"{where}: {name}: found the shape {array.shape}, expected {shape}")
        if array.dtype.kind not in kinds:
            raise AnswerError(f"{where}: {name}: found {array.dtype}, expected {_KINDS[kinds]}")


_KINDS = {"iu": "integers", "f": "floats"}


def check_answers(found: Found, count: int) -> None:
    """Raise unless these are ids of rows, each once per query, and the rest tells nothing impossible.

    Parameters
    ----------
    found : Found
        Whose shapes were checked.
    count : int
        n. An id is a row or -1, for nothing found.

    Raises
    ------
    AnswerError
        One line: the first such query, what was found, what was expected.
    """
    ids = found.ids
    query = _first((ids < -1) | (ids >= count))
    if query is not None:
        row = ids[query]
        outside = row[(row < -1) | (row >= count)][0]
        raise AnswerError(f"query {query}: found the id {outside}, expected 0 to {count - 1}, or -1 for none")
    ordered = np.sort(ids, axis=1)
    query = _first((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0))
    if query is not None:
        row = ordered[query]
        twice = row[1:][(row[1:] == row[:-1]) & (row[1:] >= 0)][0]
        raise AnswerError(f"query {query}: found the id {twice} twice, expected every id once")
    query = _first(np.isnan(found.distances))
    if query is not None:
        raise AnswerError(f"query {query}: found NaN among the distances, expected numbers")
    for name in ("probed", "scanned"):
        query = _first(getattr(found, name)[:, None] < 0)
        if query is not None:
            raise AnswerError(f"query {query}: {name}: found {getattr(found, name)[query]}, expected 0 or more")


def _first(wrong: npt.NDArray[np.bool_]) -> int | None:
    rows = wrong.any(axis=1)
    return int(rows.argmax()) if rows.any() else None
