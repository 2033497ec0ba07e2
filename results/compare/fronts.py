"""Two fronts at equal recall: how many times as fast is one, on average over the recalls that both reach?

Between its points the logarithm of a front's rate is a straight line over the recall, stretched towards 1 as in the
figures (-log10(1.001 - r), so that 0.9, 0.99 and 0.999 are about evenly spaced and 1 has a place). The mean of the
difference over that axis is the logarithm of a geometric mean. Nothing is extrapolated: only the overlap counts.

Symbols: s settings of a sweep.
"""

import math

import numpy as np

from ..run import FloatArray64

OFFSET = 1e-3
_SAME = 1e-9


def stretched(recall: FloatArray64) -> FloatArray64:
    """Return recalls on the axis over which fronts are averaged."""
    return np.asarray(-np.log10(1.0 + OFFSET - np.minimum(recall, 1.0)), np.float64)


def pareto(recall: FloatArray64, log_rate: FloatArray64) -> tuple[FloatArray64, FloatArray64]:
    """Return the points that no other beats, recall rising and rate falling, both strictly; (s,) each."""
    order = np.lexsort((log_rate, recall))[::-1]
    best = np.maximum.accumulate(np.concatenate([[-np.inf], log_rate[order]]))[:-1]
    kept = order[log_rate[order] > best][::-1]
    return recall[kept], log_rate[kept]


def log_speed_up(
    base_recall: FloatArray64, base_log_rate: FloatArray64, head_recall: FloatArray64, head_log_rate: FloatArray64
) -> float:
    """Return the logarithm of the geometric-mean speed-up of head over base at equal recall; NaN without an overlap.

    Parameters
    ----------
    base_recall, base_log_rate, head_recall, head_log_rate
        (s,) mean recall and natural logarithm of the rate at each setting; a rate is anything of which more is better,
        such as queries per second or queries per point scanned.
    """
    base = pareto(base_recall, base_log_rate)
    head = pareto(head_recall, head_log_rate)
    low, high = max(base[0][0], head[0][0]), min(base[0][-1], head[0][-1])
    if high < low - _SAME:
        return math.nan
    knots = np.union1d(base[0], head[0])
    at = np.clip(np.concatenate([[low], knots[(knots > low) & (knots < high)], [high]]), 0.0, 1.0)
    axis = stretched(at)
    difference = _read(head, axis) - _read(base, axis)
    if axis[-1] - axis[0] <= _SAME:
        return float(difference[-1])
    middles = 0.5 * (difference[1:] + difference[:-1])
    return float(middles @ np.diff(axis) / (axis[-1] - axis[0]))


def log_ratio_at(
    level: float,
    base_recall: FloatArray64,
    base_log_rate: FloatArray64,
    head_recall: FloatArray64,
    head_log_rate: FloatArray64,
) -> float:
    """Return the logarithm of the speed-up at one recall; NaN where one of the fronts does not reach it."""
    base = pareto(base_recall, base_log_rate)
    head = pareto(head_recall, head_log_rate)
    low, high = max(base[0][0], head[0][0]), min(base[0][-1], head[0][-1])
    if not low - _SAME <= level <= high + _SAME:
        return math.nan
    axis = stretched(np.array([level]))
    return float((_read(head, axis) - _read(base, axis))[0])


def _read(front: tuple[FloatArray64, FloatArray64], axis: FloatArray64) -> FloatArray64:
    return np.asarray(np.interp(axis, stretched(front[0]), front[1]), np.float64)
