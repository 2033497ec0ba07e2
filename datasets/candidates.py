"""The best-scored rows of each query, kept while the database passes by in blocks.

Selecting from every block anew costs more than the matrix product that filled it. After the first block
nearly every score is worse than what is already kept, so one comparison finds the few that are not, and only
those are merged.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from .differences import Differences
from .scores import Scores

_FIRST = 2048  # rows of the first block

_Kept = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]


def nearest_candidates(
    scores: Scores | Differences, queries: slice, width: int, block: int, own: npt.NDArray[np.int64] | None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Keep the `width` best-scored database rows of each query.

    Parameters
    ----------
    scores
        Database and queries, prepared.
    queries
        Which queries.
    width
        How many rows to keep; fewer where the database is smaller.
    block
        Database rows scored at a time.
    own
        (queries,) a row that each query must not keep, or None.

    Returns
    -------
    ids : numpy.ndarray
        (queries, width) int64, in no order.
    dropped_from : numpy.ndarray
        (queries,) float32, no dropped row scored below this; +inf where none was dropped.
    """
    count = queries.stop - queries.start
    kept: _Kept = (np.empty((count, 0), np.float32), np.empty((count, 0), np.int64))
    width = min(width, len(scores.train) - (own is not None))
    for rows in _blocks(len(scores.train), block):
        values = scores.block(queries, rows)
        if own is not None:
            _strike_out(values, own, rows)
        kept = _merge(kept, values, rows.start, width)
    best, ids = kept
    everything = width == len(scores.train) - (own is not None)
    return ids, np.full(count, np.inf, np.float32) if everything else best.max(axis=1)


def _blocks(n: int, block: int) -> Iterator[slice]:
    """Cut the rows into blocks, the first one short: it alone is selected from in full."""
    start = 0
    while start < n:
        size = min(block, _FIRST) if start == 0 else block
        yield slice(start, min(start + size, n))
        start += size


def _strike_out(values: npt.NDArray[np.float32], own: npt.NDArray[np.int64], rows: slice) -> None:
    inside = np.flatnonzero((own >= rows.start) & (own < rows.stop))
    values[inside, own[inside] - rows.start] = np.inf


def _merge(kept: _Kept, values: npt.NDArray[np.float32], start: int, width: int) -> _Kept:
    best, ids = kept
    columns = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    if best.shape[1] == 0:
        return _smallest(values, columns + start, width)
    if best.shape[1] == width:
        values, columns = _survivors(values, best.max(axis=1))
    return _smallest(np.hstack([best, values]), np.hstack([ids, columns + start]), width)


def _survivors(
    values: npt.NDArray[np.float32], worst: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Pack the scores better than `worst` to the left of a narrow matrix, padded with +inf."""
    flat = np.flatnonzero(values < worst[:, None])
    rows, columns = np.divmod(flat, values.shape[1])
    counts = np.bincount(rows, minlength=len(values))
    places = np.arange(len(flat)) - np.repeat(np.cumsum(counts) - counts, counts)
    packed = np.full((len(values), int(counts.max(initial=0))), np.inf, np.float32)
    origin = np.zeros(packed.shape, np.int64)
    packed[rows, places] = values.reshape(-1)[flat]
    origin[rows, places] = columns
    return packed, origin


def _smallest(values: npt.NDArray[np.float32], ids: npt.NDArray[np.int64], width: int) -> _Kept:
    if values.shape[1] <= width:
        return values, ids
    order = np.argpartition(values, width - 1, axis=1)[:, :width]
    return np.take_along_axis(values, order, 1), np.take_along_axis(ids, order, 1)
