"""How much less does a router scan for the same recall, and how sure is that? A paired bootstrap of a ratio.

The statistic is the mean over seeds of the points at a level of recall, over that of the baseline. A resample draws
queries and seeds (`paired`); recall of ℓ lists is then a weighted mean over queries, and the level is read off the
resampled curve. The points that ℓ lists hold are kept at their mean: over thousands of queries they hardly move,
and they are not stored for each query.

Symbols: q queries, s seeds, L lists, r resamples, g lists counts at which the curve is looked at.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .paired import COVERED, weights
from .routing import first_reach, recall_curve, routing_of
from .run import FloatArray64, Run

RESAMPLES = 2_000
DEVIATIONS = 6.0  # resampled curves cross the level within so many standard errors of where the true one does
LOOKED_AT = 256  # list counts within that stretch, at most; between them the curve is read off linearly


@dataclass(frozen=True)
class Ratio:
    """Points of a router over points of the baseline at a recall, with a 95 % percentile interval; NaN: not reached."""

    ratio: float
    low: float
    high: float


def ratio_at_recall(
    runs: Sequence[Run], baseline: Sequence[Run], k: int, level: float, *, resamples: int = RESAMPLES, seed: int = 0
) -> Ratio:
    """Compare the points scanned at a level of recall@k.

    Parameters
    ----------
    runs, baseline
        One run for each seed, the same seeds and queries in the same order.
    k, level
        As in `points_at_recall`.
    resamples, seed
        Of the bootstrap.
    """
    return ratio_of(
        resampled_points(runs, k, level, resamples=resamples, seed=seed),
        resampled_points(baseline, k, level, resamples=resamples, seed=seed),
    )


def ratio_of(ours: FloatArray64, theirs: FloatArray64) -> Ratio:
    """Return the ratio of two methods from their points on the same resamples (`resampled_points`)."""
    ratios = ours / theirs
    if not np.isfinite(ratios[0]):
        return Ratio(math.nan, math.nan, math.nan)
    # A resample that never reaches the level needs more than all points: infinitely many, for the interval.
    drawn = np.where(np.isnan(ours[1:]), np.inf, ratios[1:])
    drawn = np.where(np.isnan(theirs[1:]), 0.0, drawn)
    low, high = np.quantile(drawn, [(1.0 - COVERED) / 2.0, (1.0 + COVERED) / 2.0], method="nearest")
    return Ratio(float(ratios[0]), float(low), float(high))


def resampled_points(
    runs: Sequence[Run], k: int, level: float, *, resamples: int = RESAMPLES, seed: int = 0
) -> FloatArray64:
    """Return the points at a level of recall, mean over seeds, observed and resampled.

    Equal numbers of queries and seeds and equal `seed` give equal resamples, so that two methods are paired.

    Returns
    -------
    ndarray
        (1 + r,) float64; entry 0 is what was observed, NaN is a curve that never reaches the level.
    """
    queries = len(routing_of(runs[0], k).rank)
    stretches = [_stretch(run, k, level) for run in runs]
    drawn = np.empty(1 + resamples)
    drawn[0] = float(np.mean([first_reach(recall_curve(run, k), _scanned(run), level) for run in runs]))
    for rows, seed_weights, query_weights in _resamples(len(runs), queries, resamples, seed):
        points = np.stack([_crossings(query_weights @ found, costs, level) for found, costs in stretches], axis=1)
        # A seed that was not drawn must not turn a mean into NaN.
        drawn[1 + rows.start : 1 + rows.stop] = np.where(seed_weights > 0, points * seed_weights, 0.0).sum(axis=1)
    return drawn


@lru_cache(maxsize=1)
def _resamples(
    seeds: int, queries: int, resamples: int, seed: int
) -> tuple[tuple[slice, FloatArray64, FloatArray64], ...]:
    # Routers are compared one after the other on the same resamples: they are drawn once, and kept (80 MB at most).
    return tuple(weights(seeds, queries, resamples, seed))


def _scanned(run: Run) -> FloatArray64:
    return routing_of(run, 1).scanned


def _stretch(run: Run, k: int, level: float) -> tuple[FloatArray64, FloatArray64]:
    # Share found by each query at the list counts where resampled curves may cross, (q, g), and points there (g,).
    rank, curve = routing_of(run, k).rank[:, :k], recall_curve(run, k)
    middle = min(int(np.searchsorted(curve, level)), len(curve) - 1)
    spread = float((rank <= middle).mean(axis=1).std()) / math.sqrt(len(rank))
    margin = DEVIATIONS * spread + 1.0 / rank.size
    last = min(int(np.searchsorted(curve, level + margin)) + 1, len(curve) - 1)
    first = max(0, min(int(np.searchsorted(curve, level - margin)), last) - 1)  # at least two, where there are two
    chosen = np.unique(np.linspace(first, last, min(LOOKED_AT, last - first + 1)).round().astype(np.int64))
    found = np.stack([(rank <= place).mean(axis=1) for place in chosen], axis=1)
    if chosen[0] > 0:
        return found, _scanned(run)[chosen]
    nothing = np.zeros((len(rank), 1))
    return np.concatenate([nothing, found], axis=1), np.concatenate([[0.0], _scanned(run)[chosen]])


def _crossings(curves: FloatArray64, costs: FloatArray64, level: float) -> FloatArray64:
    # Cost where each row of curves (b, g) first reaches the level, (b,); NaN where none does.
    reached = curves >= level - 1e-12
    place = np.maximum(reached.argmax(axis=1), 1)
    rows = np.arange(len(curves))
    low, high = curves[rows, place - 1], curves[rows, place]
    part = np.clip((level - low) / np.where(high > low, high - low, 1.0), 0.0, 1.0)
    found = costs[place - 1] + part * (costs[place] - costs[place - 1])
    return np.asarray(np.where(reached.any(axis=1), found, np.nan), np.float64)
