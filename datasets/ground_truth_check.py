"""Is the stored ground truth true?

Every recall this project reports rests on `neighbors` and `distances`. Files have been published with wrong
ones, so a few queries are searched again, exactly, whenever a file is read, and all of them when it is
verified. Distances are compared, not ids: where several rows are equally far, any of them is right.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from .distance import distances_to
from .errors import DatasetError
from .scores import row_norms
from .truth import Progress, exact_neighbors

_RELATIVE = 1e-4  # ground truth computed in float32, by others, in their order of additions
_ABSOLUTE = 4e-6  # times the size of what cancels: 1 for cosines, |x| |q| for dot products, Σ|q| for differences

_Floats = npt.NDArray[np.float64]


def check_ground_truth(
    path: Path,
    train: npt.NDArray[np.float32],
    queries: npt.NDArray[np.float32],
    neighbors: npt.NDArray[np.int32],
    distances: npt.NDArray[np.float32] | None,
    metric: str,
    rows: npt.NDArray[np.int64],
    *,
    of: str = "neighbors",
    progress: Progress | None = None,
) -> None:
    """Search some queries again and compare with what the file says.

    Parameters
    ----------
    path
        The file, for messages.
    train
        (n, d) float32.
    queries
        (q, d) float32.
    neighbors
        (q, K) int32 in range.
    distances
        (q, K) float32, or None where the file stores none.
    metric
        A canonical metric.
    rows
        (s,) which queries to search again.
    of
        Name of the checked array, for messages.
    progress
        Called with (queries done, queries in all).

    Raises
    ------
    DatasetError
        At the first query and rank that disagree, with what was found and what was expected.
    """
    asked, claimed = queries[rows], neighbors[rows]
    ids, _ = exact_neighbors(train, asked, neighbors.shape[1], metric, progress=progress)
    true = distances_to(train, asked, ids, metric)
    real = distances_to(train, asked, claimed, metric)
    slack = _slack(train, asked, ids, metric, true)
    wrong = np.abs(real - true) > slack
    if wrong.any():
        row, rank = _first(wrong)
        raise DatasetError(
            f"{path}: {of!r} of query {rows[row]}, rank {rank}: found id {claimed[row, rank]} at distance"
            f" {real[row, rank]:.9g}, expected id {ids[row, rank]} at {true[row, rank]:.9g}"
        )
    if distances is None:
        return
    wrong = ~(np.abs(distances[rows] - real) <= slack)
    if wrong.any():
        row, rank = _first(wrong)
        raise DatasetError(
            f"{path}: 'distances' of query {rows[row]}, rank {rank}: found {distances[rows][row, rank]:.9g},"
            f" expected {real[row, rank]:.9g} ({metric})"
        )


def _slack(
    train: npt.NDArray[np.float32],
    queries: npt.NDArray[np.float32],
    ids: npt.NDArray[np.integer],
    metric: str,
    true: _Floats,
) -> _Floats:
    """Say how far two honest float32 computations may lie apart: (s, K)."""
    if metric == "manhattan":  # by differences of coordinates that others may have rounded after they measured
        return np.asarray(_RELATIVE * true + _ABSOLUTE * np.abs(queries).sum(axis=1, dtype=np.float64)[:, None])
    widths = row_norms(queries)[:, None]
    if metric == "euclidean":  # an error of the square, magnified by the root where the distance is near 0
        room = _ABSOLUTE / 4 * np.square(widths + true)
        return np.asarray(_RELATIVE * true + room / np.maximum(true, np.sqrt(room) + 1e-300))
    size: _Floats | float = 1.0
    if metric != "angular":
        size = widths * row_norms(train[ids.reshape(-1)]).reshape(ids.shape) + (metric == "normalized")
    return np.asarray(_RELATIVE * np.abs(true) + _ABSOLUTE * size)


def _first(wrong: npt.NDArray[np.bool_]) -> tuple[int, int]:
    row, rank = np.argwhere(wrong)[0]
    return int(row), int(rank)
