"""Training queries, and never a test query among them.

A learnt router needs queries to learn from. Some files bring their own (`learn`); for the others a sample of
the database stands in: the thesis trains on the same distribution as it tests on, and where queries look like
documents the documents are the honest substitute. Rows of `test` are looked at only so that they can be left out
of a `learn` set that repeats some of them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .dataset import Dataset
from .errors import DatasetError
from .truth import Progress, exact_neighbors

_DEFAULT_SAMPLE = 20_000


@dataclass(frozen=True, eq=False)
class TrainingQueries:
    """Queries to learn from.

    Attributes
    ----------
    queries
        (m, d) float32, read-only.
    neighbors
        (m, K') int32 true neighbours in `train`, read-only; None where nobody has computed them.
    source
        Where they come from, for the results table.
    """

    queries: npt.NDArray[np.float32]
    neighbors: npt.NDArray[np.int32] | None
    source: str


def training_queries(
    dataset: Dataset,
    limit: int | None = None,
    seed: int = 0,
    *,
    exact: bool = False,
    k: int = 10,
    progress: Progress | None = None,
) -> TrainingQueries:
    """Give the queries a router may learn from.

    Parameters
    ----------
    dataset
        Any dataset.
    limit
        At most this many, chosen by `seed`; by default all of the file's, or 20,000 database rows.
    seed
        Of the choice.
    exact
        Compute the neighbours where they come from the database; otherwise they stay None.
    k
        How many neighbours to compute; fewer where the database is smaller.
    progress
        Called with (queries searched, queries in all) while neighbours are computed.

    Returns
    -------
    TrainingQueries
        ``source`` is "learn", with the number of those left out because they are test queries too, or "train sample,
        self excluded": there a row is not its own neighbour, since that would teach only where the row itself lies.

    Raises
    ------
    ValueError
        If limit or k is below 1.
    DatasetError
        If the file's training queries are damaged, or all of them are test queries.
    """
    if (limit is not None and limit < 1) or k < 1:
        raise ValueError(f"limit and k must be at least 1, found {limit} and {k}")
    if dataset.learn is not None:
        queries, neighbors, source = dataset.learn, dataset.learn_neighbors, "learn"
        fresh = not_among(queries, dataset.test)
        if len(fresh) < len(queries):
            source = f"learn, {len(queries) - len(fresh)} training queries left out that are test queries"
            if not len(fresh):
                raise DatasetError(f"{dataset.path}: every training query is a test query, expected others")
            queries = _taken(queries, fresh)
            neighbors = None if neighbors is None else _taken(neighbors, fresh)
        rows = _choose(len(queries), limit, seed)
        return TrainingQueries(_taken(queries, rows), None if neighbors is None else _taken(neighbors, rows), source)
    rows = _choose(dataset.n, _DEFAULT_SAMPLE if limit is None else limit, seed)
    queries = _taken(dataset.train, rows)
    labels = _labels(dataset, queries, rows, k, progress) if exact else None
    return TrainingQueries(queries, labels, "train sample, self excluded")


def not_among(rows: npt.NDArray[Any], others: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return the places of rows (m, d) that equal none of the others (q, d), to the bit."""
    known = {row.tobytes() for row in others}
    return np.array([place for place, row in enumerate(rows) if row.tobytes() not in known], dtype=np.int64)


def _choose(count: int, limit: int | None, seed: int) -> npt.NDArray[np.int64] | None:
    """Choose `limit` of `count` rows, in ascending order; None means all of them, uncopied."""
    if limit is None or limit >= count:
        return None
    return np.sort(np.random.default_rng(seed).choice(count, size=limit, replace=False)).astype(np.int64)


def _taken(rows: npt.NDArray[Any], chosen: npt.NDArray[np.int64] | None) -> npt.NDArray[Any]:
    if chosen is None:
        return rows
    out = rows[chosen]
    out.flags.writeable = False
    return out


def _labels(
    dataset: Dataset,
    queries: npt.NDArray[np.float32],
    rows: npt.NDArray[np.int64] | None,
    k: int,
    progress: Progress | None,
) -> npt.NDArray[np.int32] | None:
    own = np.arange(dataset.n, dtype=np.int64) if rows is None else rows
    width = min(k, dataset.n - 1)
    if width < 1:
        return None
    ids, _ = exact_neighbors(dataset.train, queries, width, dataset.metric, own_ids=own, progress=progress)
    ids.flags.writeable = False
    return ids
