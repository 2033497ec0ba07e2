"""Exact nearest neighbours by brute force: fast where float32 suffices, float64 where it decides.

Blocks of queries meet blocks of the database in one matrix product (for manhattan in one kernel, see `differences`),
which keeps k + margin candidates per query. The candidates are measured again in float64 and ordered by (distance, id).
Then comes the proof: if a row that was dropped could, within the error bound of its score, still be nearer than (or as
near as) the k-th, that query is swept again and every such row is measured. The answer is therefore the exact one, ties
included, on any machine.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .candidates import nearest_candidates
from .differences import Differences
from .distance import distances_to
from .metric import canonical_metric
from .scores import Scores, prepare

Progress = Callable[[int, int | None], None]

_MARGIN = 32  # candidates kept beyond k; more of them make the second sweep rarer
_QUERIES = 256  # per matrix product; fewer where k is large
_KEPT = 2**20  # candidates held at a time, about 48 bytes each


def exact_neighbors(
    train: npt.NDArray[np.float32],
    queries: npt.NDArray[np.float32],
    k: int,
    metric: str,
    *,
    block: int = 16384,
    exclude_self: bool = False,
    own_ids: npt.NDArray[np.integer] | None = None,
    progress: Progress | None = None,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Find the k nearest rows of `train` for each query, exactly.

    Parameters
    ----------
    train, queries
        (n, d) and (q, d) float32.
    k
        How many neighbours, 1 .. n (.. n - 1 where a query's own row is excluded).
    metric
        Any name `canonical_metric` understands.
    block
        Database rows per matrix product; with 256 queries at a time the temporaries stay under 128 MB by
        default.
    exclude_self
        The queries are the rows of `train`, in order; row i is not its own neighbour.
    own_ids
        (q,) The row of `train` that each query must not find, where the queries are some rows of `train`.
    progress
        Called with (queries done, queries in all).

    Returns
    -------
    ids : numpy.ndarray
        (q, k) int32, nearest first, equal distances by ascending id.
    distances : numpy.ndarray
        (q, k) float32.

    Raises
    ------
    ValueError
        If shapes disagree or k is out of range.
    """
    metric = canonical_metric(metric)
    own = _own_rows(len(train), len(queries), exclude_self, own_ids)
    _check(train, queries, k, own)
    train = np.ascontiguousarray(train, dtype=np.float32)
    queries = np.ascontiguousarray(queries, dtype=np.float32)
    task = _Task(queries, prepare(train, queries, metric), k, metric, block, own)
    ids = np.empty((len(queries), k), np.int32)
    distances = np.empty((len(queries), k), np.float32)
    step = max(1, min(_QUERIES, _KEPT // (k + _MARGIN)))
    for start in range(0, len(queries), step):
        part = slice(start, min(start + step, len(queries)))
        ids[part], distances[part] = _search(task, part)
        if progress is not None:
            progress(part.stop, len(queries))
    return ids, distances


@dataclass(frozen=True, eq=False)
class _Task:
    queries: npt.NDArray[np.float32]  # (q, d), as given
    scores: Scores | Differences
    k: int
    metric: str
    block: int
    own: npt.NDArray[np.int64] | None  # (q,)


_Answer = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]


def _search(task: _Task, part: slice) -> _Answer:
    """Answer one block of queries: candidates, float64, proof, and a second sweep where the proof fails."""
    if not task.scores.trustworthy:
        swept = [_sweep(task, query, np.inf) for query in range(part.start, part.stop)]
        return np.stack([ids for ids, _ in swept]), np.stack([distances for _, distances in swept])
    own = None if task.own is None else task.own[part]
    kept, dropped_from = nearest_candidates(task.scores, part, task.k + _MARGIN, task.block, own)
    measured = distances_to(task.scores.train, task.queries[part], kept, task.metric)
    ids, distances = _nearest(kept, measured, task.k)
    limit = task.scores.limit(part, distances[:, -1])
    for i in np.flatnonzero(dropped_from <= limit):
        ids[i], distances[i] = _sweep(task, part.start + int(i), float(limit[i]))
    return ids, distances


def _sweep(task: _Task, query: int, limit: float) -> _Answer:
    """Measure every row whose score for one query is within `limit`: (k,) ids and (k,) distances."""
    train, one = task.scores.train, slice(query, query + 1)
    ids, distances = np.empty((1, 0), np.int64), np.empty((1, 0))
    for start in range(0, len(train), task.block):
        rows = np.arange(start, min(start + task.block, len(train)))
        if np.isfinite(limit):
            rows = rows[task.scores.block(one, slice(start, start + len(rows)))[0] <= limit]
        if task.own is not None:
            rows = rows[rows != task.own[query]]
        found = distances_to(train, task.queries[one], rows[None], task.metric)
        ids, distances = _nearest(np.hstack([ids, rows[None]]), np.hstack([distances, found]), task.k)
    return ids[0], distances[0]


def _nearest(ids: npt.NDArray[np.int64], distances: npt.NDArray[np.float64], k: int) -> _Answer:
    order = np.lexsort((ids, distances), axis=-1)[:, :k]
    return np.take_along_axis(ids, order, 1), np.take_along_axis(distances, order, 1)


def _own_rows(
    n: int, q: int, exclude_self: bool, own_ids: npt.NDArray[np.integer] | None
) -> npt.NDArray[np.int64] | None:
    if own_ids is not None:
        own = np.asarray(own_ids, dtype=np.int64)
        if own.shape != (q,) or (q and (own.min() < 0 or own.max() >= n)):
            raise ValueError(f"own_ids must be {q} rows of train in 0 .. {n - 1}, found shape {own.shape}")
        return own
    if not exclude_self:
        return None
    if n != q:
        raise ValueError(f"exclude_self expects train itself as queries: {n} rows, found {q} queries")
    return np.arange(n, dtype=np.int64)


def _check(
    train: npt.NDArray[np.float32],
    queries: npt.NDArray[np.float32],
    k: int,
    own: npt.NDArray[np.int64] | None,
) -> None:
    if train.ndim != 2 or queries.ndim != 2 or train.shape[1] != queries.shape[1]:
        raise ValueError(f"expected (n, d) and (q, d), found {train.shape} and {queries.shape}")
    most = len(train) - (own is not None)
    if not 1 <= k <= most:
        raise ValueError(f"k must lie in 1 .. {most} for {len(train)} vectors, found {k}")
