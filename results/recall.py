"""Recall, in the two definitions people quote.

Symbols: q queries, k neighbours asked for, K >= k neighbours in the truth, d_k distance of the k-th true
neighbour.

Ours counts ids, and lets a tie count: an id that is not in the list but lies as near as the k-th true
neighbour is a right answer. How near is "as near" must not depend on the scale of the data, hence a relative
tolerance. The definition of ann-benchmarks counts distances with an absolute slack of 1e-3 whatever the
scale; on cosine distances that is generous (on unit vectors of 128 dimensions, 13 to 15 points often fit
where 10 belong), and ids play no part, so that k copies of one neighbour score 1. It is here because
published curves use it.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import ResultError
from .run import FloatArray64

RELATIVE_SLACK = 1e-6
ABSOLUTE_SLACK = 1e-12
"""Added where the natural scale is 1: 1 - cos of a vector and itself is rounding noise, not 0."""
UNIT_SCALE_METRICS = frozenset({"angular", "normalized", "cosine"})
ANN_BENCHMARKS_SLACK = 1e-3

Numbers = npt.NDArray[Any]


def recall(
    ids: Numbers, distances: Numbers, truth_ids: Numbers, truth_distances: Numbers, k: int, metric: str
) -> FloatArray64:
    """Return the share of the k true neighbours found, for each query.

    An id counts when it is at least 0, is no repetition of an earlier id of its row, and is either among the
    k true neighbours or no farther than d_k + 1e-6 |d_k| (+ 1e-12 for the metrics of natural scale 1). Only
    the first k answers of a row are looked at, so a row never exceeds 1. This is the rule of
    big-ann-benchmarks (ids, extended by ties within 1e-6) with the tolerance made relative.

    Parameters
    ----------
    ids, distances
        (q, k) integers padded with -1, and their float64 distances; smaller is nearer, and distances may be
        negative (inner product).
    truth_ids, truth_distances
        (at least q, K) true neighbours; the first q rows are used.
    k
        Neighbours asked for.
    metric
        Name of the metric: "angular", "normalized" and "cosine" have natural scale 1.

    Returns
    -------
    ndarray
        (q,) float64 between 0 and 1.

    Raises
    ------
    ResultError
        Shapes that do not fit, or a truth of fewer than k neighbours.
    """
    _check(ids, distances, truth_ids, truth_distances, k)
    ids, distances = ids[:, :k].astype(np.int64), distances[:, :k]
    truth_ids, truth_distances = truth_ids[: len(ids), :k], truth_distances[: len(ids), :k]
    # The truth was ordered in the precision of the dataset; recomputed, its k-th entry need not be its
    # largest.
    farthest = truth_distances.max(axis=1, keepdims=True)
    slack = RELATIVE_SLACK * np.abs(farthest) + (ABSOLUTE_SLACK if metric in UNIT_SCALE_METRICS else 0.0)
    right = _members(ids, truth_ids) | (distances <= farthest + slack)
    counted = right & (ids >= 0) & ~_repeated(ids)
    return np.asarray(counted.sum(axis=1) / k, np.float64)


def recall_ann_benchmarks(distances: Numbers, stored_truth_distances: Numbers, k: int) -> FloatArray64:
    """Return recall as ann-benchmarks defines its "k-nn", for each query.

    The number of the first k distances that are at most the stored d_k + 1e-3, over k
    (``ann_benchmarks/plotting/metrics.py``, function ``knn``). Ids are not looked at. Distances are rounded to
    float32, as its result files hold them, and compared in float64.

    Parameters
    ----------
    distances
        (q, k) distances of the answers, +inf where there is none.
    stored_truth_distances
        (at least q, K) true distances as the dataset file holds them; the first q rows are used.
    k
        Neighbours asked for.

    Returns
    -------
    ndarray
        (q,) float64 between 0 and 1.

    Raises
    ------
    ResultError
        A truth of fewer than k neighbours or fewer than q rows.
    """
    return np.asarray(_within(distances, stored_truth_distances, k) / k, np.float64)


def mean_recall_ann_benchmarks(distances: Numbers, stored_truth_distances: Numbers, k: int) -> float:
    """Return the mean of `recall_ann_benchmarks`, divided last as ann-benchmarks does: equal to the last digit."""
    return float(np.mean(_within(distances, stored_truth_distances, k)) / float(k))


def _within(distances: Numbers, stored_truth_distances: Numbers, k: int) -> npt.NDArray[np.int64]:
    _check_truth(stored_truth_distances, len(distances), k)
    limit = stored_truth_distances[: len(distances), k - 1].astype(np.float64) + ANN_BENCHMARKS_SLACK
    held = distances[:, :k].astype(np.float32).astype(np.float64)
    return np.asarray((held <= limit[:, np.newaxis]).sum(axis=1), np.int64)


def _members(ids: Numbers, truth_ids: Numbers) -> npt.NDArray[np.bool_]:
    """Whether ids[i, j] is in truth_ids[i]: an offset makes rows disjoint, then one look-up serves all."""
    width = np.int64(max(ids.max(initial=0), truth_ids.max(initial=0)) + 2)
    offset = np.arange(len(ids), dtype=np.int64)[:, np.newaxis] * width
    # Padding is -1: shifted by one it stays inside its own row's range.
    return np.isin(offset + ids + 1, offset + truth_ids.astype(np.int64) + 1)


def _repeated(ids: Numbers) -> npt.NDArray[np.bool_]:
    """Whether ids[i, j] stands earlier in row i."""
    order = np.argsort(ids, axis=1, kind="stable")
    ordered = np.take_along_axis(ids, order, axis=1)
    again = np.zeros(ids.shape, np.bool_)
    again[:, 1:] = ordered[:, 1:] == ordered[:, :-1]
    repeated = np.empty_like(again)
    np.put_along_axis(repeated, order, again, axis=1)
    return repeated


def _check(ids: Numbers, distances: Numbers, truth_ids: Numbers, truth_distances: Numbers, k: int) -> None:
    if ids.ndim != 2 or ids.shape != distances.shape:
        raise ResultError(f"recall: found ids {ids.shape} and distances {distances.shape}, expected equal (q, k)")
    if truth_ids.shape != truth_distances.shape:
        found = f"truth ids {truth_ids.shape} and distances {truth_distances.shape}"
        raise ResultError(f"recall: found {found}, expected equal (q, K)")
    _check_truth(truth_ids, len(ids), k)


def _check_truth(truth: Numbers, queries: int, k: int) -> None:
    if truth.ndim != 2 or k < 1 or truth.shape[1] < k or len(truth) < queries:
        raise ResultError(f"recall: found a truth of shape {truth.shape}, expected ({queries}, {k}) or more, k >= 1")
