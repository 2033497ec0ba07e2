"""The cost of a given recall: the Pareto front of a sweep, read off at fixed levels.

"The fastest measured setting above 0.9" jumps whenever one setting crosses 0.9, and so favours dense sweeps.
Reading the front between its two bracketing points does not; both are returned so that nobody must trust the
line between. Nothing is ever extrapolated.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from .columns import CURVE
from .errors import ResultError
from .run import FloatArray64

BETTER: dict[str, int] = {"qps": 1, "points_scanned": -1, "lists_probed": -1}
"""The costs and their direction: +1 more is better, -1 less is better."""
REACHED, NOT_REACHED, BELOW = "reached", "not reached", "below the sweep"
NOT_TOLD, FAILED, SKIPPED = "not told", "failed", "skipped"
_SAME = 1e-9  # recalls are means of multiples of 1/k: closer than this is equal


def front(frame: pd.DataFrame, cost: str = "qps") -> pd.DataFrame:
    """Return the Pareto rows of each curve: no other row has both as good a recall and as good a cost.

    Parameters
    ----------
    frame
        A results table.
    cost
        "qps" (more is better), "points_scanned" or "lists_probed" (less is better).

    Returns
    -------
    DataFrame
        The kept rows, by curve and rising recall; within a curve recall and cost are strictly monotone. Rows
        that failed, or lack a finite recall or cost, are not on a front.

    Raises
    ------
    ResultError
        An unknown cost.
    """
    sign = _direction(cost)
    finite = np.isfinite(frame["recall"]) & np.isfinite(frame[cost])
    measured: pd.DataFrame = frame.loc[(frame["status"] == "ok") & finite]
    kept = [curve.loc[_pareto(curve, cost, sign)] for _, curve in measured.groupby(list(CURVE), sort=True)]
    return pd.concat(kept, ignore_index=True) if kept else measured.reset_index(drop=True)


def at_recall(frame: pd.DataFrame, levels: Sequence[float], cost: str = "qps") -> pd.DataFrame:
    """Return the cost of each curve at each level of recall.

    Between the two neighbouring points of the front the logarithm of the cost is linear in the recall.

    Parameters
    ----------
    frame
        A results table.
    levels
        Recalls above 0 and at most 1.
    cost
        "qps", "points_scanned" or "lists_probed".

    Returns
    -------
    DataFrame
        One row per curve and level: the columns of `CURVE`, `level`, `cost` (its name), `value` (NaN unless
        reached), `recall_below` and `recall_above` (the bracketing points, NaN where there is none), and
        `state`: "reached", "not reached" (above the best recall), "below the sweep" (under the lowest), "not
        told" (no point has this cost), "failed" or "skipped".

    Raises
    ------
    ResultError
        An unknown cost or a level outside (0, 1].
    """
    _check_levels(levels)
    pareto = front(frame, cost)
    pareto = pareto[pareto[cost] > 0]  # a free point has no logarithm
    points = dict(iter(pareto.groupby(list(CURVE), sort=False)))
    rows = []
    for key, asked in frame.groupby(list(CURVE), sort=True):
        curve = points.get(key)
        recalls = np.empty(0) if curve is None else curve["recall"].to_numpy(np.float64)
        costs = np.empty(0) if curve is None else curve[cost].to_numpy(np.float64)
        for level in levels:
            reading = _read(recalls, costs, level) if len(recalls) else (*[math.nan] * 3, _nothing(asked))
            rows.append((*_as_tuple(key), level, cost, *reading))
    names = [*CURVE, "level", "cost", "value", "recall_below", "recall_above", "state"]
    return pd.DataFrame(rows, columns=names)


def _read(recalls: FloatArray64, costs: FloatArray64, level: float) -> tuple[float, float, float, str]:
    """(value, recall below, recall above, state) on a front of rising recall, of one point at least."""
    above = int(np.searchsorted(recalls, level - _SAME))
    if above == len(recalls):
        return math.nan, float(recalls[-1]), math.nan, NOT_REACHED
    high = float(recalls[above])
    if abs(high - level) <= _SAME:
        return float(costs[above]), high, high, REACHED
    if above == 0:
        return math.nan, math.nan, high, BELOW
    low = float(recalls[above - 1])
    share = (level - low) / (high - low)
    logarithm = (1.0 - share) * math.log(costs[above - 1]) + share * math.log(costs[above])
    return math.exp(logarithm), low, high, REACHED


def _nothing(asked: pd.DataFrame) -> str:
    """Why a curve has no point."""
    statuses = set(asked["status"])
    return SKIPPED if statuses == {"skipped"} else NOT_TOLD if "ok" in statuses else FAILED


def _pareto(curve: pd.DataFrame, cost: str, sign: int) -> list[Any]:
    """Index labels of the Pareto rows, by rising recall."""
    ordered = curve.assign(_gain=sign * curve[cost]).sort_values(["recall", "_gain"], ascending=False, kind="stable")
    best_so_far = ordered["_gain"].cummax().shift(fill_value=-math.inf)
    return list(ordered.index[ordered["_gain"] > best_so_far][::-1])


def _direction(cost: str) -> int:
    if cost not in BETTER:
        raise ResultError(f"cost: found {cost!r}, expected one of {', '.join(BETTER)}")
    return BETTER[cost]


def _check_levels(levels: Iterable[float]) -> None:
    for level in levels:
        if not 0.0 < level <= 1.0:
            raise ResultError(f"level of recall: found {level}, expected more than 0 and at most 1")


def _as_tuple(key: Any) -> tuple[Any, ...]:
    return tuple(key) if isinstance(key, tuple) else (key,)
