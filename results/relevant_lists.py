"""Does it matter over how many lists a query's neighbours are spread?

With all k neighbours in one list, routing is finding one list; spread over many, it is ranking. The queries of a
contest are divided by how many lists hold their first k neighbours, and each part is compared by itself: an open
question of the thesis (arXiv 2412.05921, chapter 6).
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .cells import Cells
from .competition import BASELINE, Contest, contests
from .paired import COVERED, RESAMPLES, weights
from .routing import accuracy_at_points, routing_of
from .run import FloatArray64, IntArray64, Run

PARTS: tuple[tuple[int, int], ...] = ((1, 1), (2, 2), (3, 4), (5, 6), (7, 10))
SHARE = 0.1
"""The budget: this share of the points."""
COLUMNS = ("dataset", "clustering", "router", "lists", "queries", "baseline", "accuracy", "difference", "low", "high")


def lists_holding(run: Run, k: int) -> IntArray64:
    """Return how many lists hold the first k true neighbours of each query, (q,) int64."""
    ordered = np.sort(routing_of(run, k).rank[:, :k], axis=1)
    return np.asarray(1 + (np.diff(ordered, axis=1) > 0).sum(axis=1), np.int64)


def relevant_lists(
    runs: Iterable[Run], baseline: str = BASELINE, *, k: int = 10, resamples: int = RESAMPLES
) -> pd.DataFrame:
    """Return the gain of every router by the number of lists that hold a query's neighbours.

    Parameters
    ----------
    runs
        As `load_runs` gives them.
    baseline
        See `contests`.
    k
        Neighbours; contests whose truth holds fewer are left out.
    resamples
        Of each interval.

    Returns
    -------
    DataFrame
        `COLUMNS`: ``lists`` is text such as "3-4"; ``queries`` the mean over seeds of how many there are;
        ``baseline`` and ``accuracy`` the share of neighbours found within `SHARE` of the points; ``difference`` with
        its 95 % interval over queries, each drawn with all its seeds.
    """
    rows = []
    for contest in contests(runs, baseline):
        for router in contest.runs:
            if contest.depth >= k and router != contest.baseline and contest.pairs(router)[0]:
                rows += _rows(contest, router, k, resamples)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _rows(contest: Contest, router: str, k: int, resamples: int) -> list[dict[str, Any]]:
    ours, theirs = contest.pairs(router)
    held = np.stack([lists_holding(run, k) for run in ours])
    found, expected = (np.stack([_accuracy(run, k) for run in runs]) for runs in (ours, theirs))
    rows = []
    for first, last in PARTS:
        part = (held >= first) & (held <= last)
        if first > k or not part.any():
            continue
        difference, low, high = _gain(found - expected, part, resamples)
        rows.append(
            {
                "dataset": contest.dataset,
                "clustering": contest.clustering,
                "router": contest.labels[router],
                "lists": f"{first}" if first == last else f"{first}-{last}",
                "queries": float(part.sum() / len(ours)),
                "baseline": float(expected[part].mean()),
                "accuracy": float(found[part].mean()),
                "difference": difference,
                "low": low,
                "high": high,
            }
        )
    return rows


def _gain(difference: FloatArray64, part: npt.NDArray[np.bool_], resamples: int) -> tuple[float, float, float]:
    """Mean of (s, q) differences over a part of them, and its 95 % interval over queries.

    A query is drawn with all its seeds: asked of three indices, it is one query and not three.
    """
    total, count = (difference * part).sum(axis=0), part.sum(axis=0).astype(np.float64)
    drawn = np.empty(resamples)
    for rows, _, queries in weights(1, len(total), resamples, 0):
        drawn[rows] = (queries @ total) / np.maximum(queries @ count, 1e-300)
    low, high = np.quantile(drawn, [(1 - COVERED) / 2, (1 + COVERED) / 2])
    return float(total.sum() / count.sum()), float(low), float(high)


def _accuracy(run: Run, k: int) -> FloatArray64:
    return accuracy_at_points(run, k, SHARE * run.n)


def relevant_lists_table(rows: pd.DataFrame) -> Cells:
    """Return rows of `relevant_lists` as cells."""
    headers = ("router", "dataset", "clustering", "lists", "queries", "baseline", "accuracy", "gain", "95 % interval")
    lines = tuple(
        (
            *(str(row[name]) for name in ("router", "dataset", "clustering", "lists")),
            f"{row['queries']:,.0f}",
            f"{row['baseline']:.4f}",
            f"{row['accuracy']:.4f}",
            f"{row['difference']:+.4f}",
            f"{row['low']:+.4f} to {row['high']:+.4f}",
        )
        for row in rows.to_dict("records")
    )
    return Cells(headers, lines, tuple(name not in headers[:4] for name in headers))
