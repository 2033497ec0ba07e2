"""The layer without a clock: did the answers or the work change, and for the worse?

Ids, lists probed and points scanned are exact, on any machine under any load. Where both sides are deterministic a
loss of recall is a fact about these queries and needs no interval. Where equal code answered otherwise the second time
(`control`), the difference of each query is resampled, with those of the others, as in `paired`.

What is judged is a loss: of recall at a setting, of queries per point scanned at equal recall, of index size. A change
that is none of these is told and does not fail, unless nothing may change (`exact`).
"""

import math
from dataclasses import dataclass

import numpy as np

from ..errors import ResultError
from ..paired import bootstrap_differences
from .fronts import log_speed_up
from .sides import Answers
from .states import FAIL, INCONCLUSIVE, PASS, worst

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Limits:
    """What is still tolerated.

    Attributes
    ----------
    time : float
        Share of speed that may be lost: 0.05 fails a speed-up below 0.95.
    recall : float
        Mean recall that may be lost at a setting: 0.001 is a tenth of a point.
    work : float
        Share by which the points scanned at equal recall, and the index, may grow.
    exact : bool
        Nothing may change at all.
    """

    time: float = 0.05
    recall: float = 0.001
    work: float = 0.01
    exact: bool = False

    def __post_init__(self) -> None:
        for name in ("time", "recall", "work"):
            if not 0.0 <= getattr(self, name) < 1.0 or (name == "time" and self.time == 0.0):
                expected = "more than 0 and below 1" if name == "time" else "at least 0 and below 1"
                raise ResultError(f"tolerance of {name}: found {getattr(self, name)}, expected {expected}")


@dataclass(frozen=True)
class Difference:
    """One setting of both sides.

    Attributes
    ----------
    setting : str
    same_ids, same_work : bool
        Whether every id, and every count of lists and points, is the same.
    base_recall, head_recall : float
    low, high : float
        95 % interval of the difference of recall; both its value where the method is deterministic.
    base_lists, head_lists, base_points, head_points : float
        Means over queries.
    state : str
        Of recall: pass, fail or inconclusive.
    """

    setting: str
    same_ids: bool
    same_work: bool
    base_recall: float
    head_recall: float
    low: float
    high: float
    base_lists: float
    head_lists: float
    base_points: float
    head_points: float
    state: str

    @property
    def changed(self) -> bool:
        """Whether anything differs."""
        return not (self.same_ids and self.same_work)


@dataclass(frozen=True)
class Work:
    """All settings of a curve.

    Attributes
    ----------
    differences : tuple of Difference
    deterministic : bool
    frugality : float
        Geometric mean of queries per point scanned at equal recall, head over base; NaN where points are not told or
        the fronts do not overlap.
    base_bytes, head_bytes : int
        Of the index.
    state : str
    reasons : tuple of str
        Why it is not a plain pass, and what changed without harm.
    """

    differences: tuple[Difference, ...]
    deterministic: bool
    frugality: float
    base_bytes: int
    head_bytes: int
    state: str
    reasons: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Whether any answer, count or size differs."""
        return self.base_bytes != self.head_bytes or any(one.changed for one in self.differences)


def compare_work(base: Answers, head: Answers, limits: Limits, control: Answers | None = None) -> Work:
    """Compare two sides' answers and work.

    Parameters
    ----------
    base, head
        At the same settings, to the same queries.
    limits
        What is tolerated.
    control
        Base once more; None: taken for deterministic.

    Raises
    ------
    ResultError
        Other settings, or other numbers of queries.
    """
    if base.settings != head.settings or base.recall.shape != head.recall.shape:
        found = f"{len(base.settings)} settings of {base.recall.shape[1]} queries and"
        raise ResultError(
            f"comparison of work: found {found} {len(head.settings)} of {head.recall.shape[1]}, expected the same"
        )
    deterministic = control is None or control.digests == base.digests
    differences = tuple(_difference(base, head, place, limits, deterministic) for place in range(len(base.settings)))
    frugality = math.exp(
        log_speed_up(base.mean_recall, base.log_frugality, head.mean_recall, head.log_frugality)
        if np.isfinite(base.log_frugality).all() and np.isfinite(head.log_frugality).all()
        else math.nan
    )
    states, reasons = _judge(differences, frugality, base, head, limits, deterministic)
    return Work(
        differences, deterministic, frugality, base.index_bytes, head.index_bytes, worst(states), tuple(reasons)
    )


def _difference(base: Answers, head: Answers, place: int, limits: Limits, deterministic: bool) -> Difference:
    of_queries = head.recall[place] - base.recall[place]
    low = high = float(of_queries.mean())
    if not deterministic:
        paired = bootstrap_differences(of_queries[np.newaxis, np.newaxis])[0]
        low, high = paired.low, paired.high
    lost = -limits.recall - _ROUNDING
    state = FAIL if high < lost else PASS if low >= lost else INCONCLUSIVE
    same_work = all(
        np.array_equal(getattr(base, counted)[place], getattr(head, counted)[place]) for counted in ("lists", "points")
    )
    return Difference(
        setting=base.settings[place],
        same_ids=base.digests[place] == head.digests[place],
        same_work=same_work,
        base_recall=float(base.recall[place].mean()),
        head_recall=float(head.recall[place].mean()),
        low=low,
        high=high,
        base_lists=float(base.lists[place].mean()),
        head_lists=float(head.lists[place].mean()),
        base_points=float(base.points[place].mean()),
        head_points=float(head.points[place].mean()),
        state=state,
    )


def _judge(
    differences: tuple[Difference, ...],
    frugality: float,
    base: Answers,
    head: Answers,
    limits: Limits,
    deterministic: bool,
) -> tuple[list[str], list[str]]:
    states, reasons = [one.state for one in differences], []
    for one in differences:
        if one.state != PASS:
            lost = 100 * (one.base_recall - one.head_recall)
            interval = "" if deterministic else f" ({-100 * one.high:.2f} to {-100 * one.low:.2f})"
            reasons.append(f"recall at {one.setting}: lost {lost:.2f} points{interval}, {one.state}")
    if frugality < 1.0 - limits.work:
        growth = 100 * (1.0 / frugality - 1.0)
        # Recall of a method that is not deterministic moves, and the work at equal recall with it.
        states.append(FAIL if deterministic else INCONCLUSIVE)
        reasons.append(f"points scanned at equal recall: {growth:+.1f} %")
    if head.index_bytes > base.index_bytes * (1.0 + limits.work):
        states.append(FAIL)
        reasons.append(f"index: found {head.index_bytes:,} bytes, was {base.index_bytes:,}")
    changed = [one.setting for one in differences if one.changed]
    if changed:
        parts = [("ids", all(one.same_ids for one in differences)), ("work", all(one.same_work for one in differences))]
        what = " and ".join(name for name, same in parts if not same)
        reasons.append(f"{what} changed at {len(changed)} of {len(differences)} settings")
    if limits.exact and (changed or head.index_bytes != base.index_bytes):
        states.append(FAIL)
        reasons.append("nothing may change, and something did")
    return states, reasons
