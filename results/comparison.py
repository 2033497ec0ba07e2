"""Algorithms side by side at fixed recall, for people: beneath each other at one level, with ratios if asked.

Points scanned stand beside queries per second, because they are the same on every machine.
"""

import math
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

import pandas as pd

from .at_recall import BELOW, FAILED, NOT_REACHED, NOT_TOLD, REACHED, SKIPPED, at_recall
from .errors import ResultError
from .probing import PLAIN, with_probing
from .table import NO_MODE

COMPARED = ("qps", "points_scanned")
GROUP = ("dataset", "k", "mode", "threads")
"""Only rows that agree on these are compared. Probing policies are compared with one another: they differ in a row."""
ROW = (*GROUP, "recall", "algorithm", "probing")
BEST_PEER = "best-peer"
CENTROID = "*, Centroid(*"  # the router that others are compared with where it is the only one of its kind
_OURS = ("IVF(", "Exact(")  # every other algorithm is a peer
_WORST_FIRST = (FAILED, SKIPPED, NOT_TOLD, NOT_REACHED, BELOW, REACHED)


def comparison(frame: pd.DataFrame, levels: Sequence[float], baseline: str | None = None) -> pd.DataFrame:
    """Return what each algorithm costs at each level of recall.

    Parameters
    ----------
    frame
        A results table.
    levels
        Recalls above 0 and at most 1.
    baseline
        A glob over the canonical texts of the algorithms; within each dataset, k, mode and threads it must
        name at most one. Of its probing policies the baseline is the fixed number of lists, where that was swept.
        ``best-peer`` stands for the algorithm of another library that answers most queries per second in each
        group at each level; it has a ratio for qps alone.
        Ratios are this algorithm over the baseline at the same level: more is better for qps, less for points
        scanned.

    Returns
    -------
    DataFrame
        One row per `ROW`, sorted by it: ``dataset``, ``k``, ``mode``, ``threads``, ``recall`` (the level),
        ``algorithm``, ``probing``; then ``seeds`` (how many), ``qps`` (1/s), with a baseline ``qps_ratio``,
        ``points_scanned`` (per query), with a baseline ``points_scanned_ratio``, and how each was read off,
        ``qps_state`` and ``points_scanned_state``, as in `at_recall`. Several seeds give their median, and
        only where every one of them reaches the level; otherwise NaN and the worst state among them. A ratio
        is NaN where this algorithm or the baseline has no number.

    Raises
    ------
    ResultError
        A level outside (0, 1], or a baseline that names no algorithm, or two in one group, or one of several
        policies none of which is the fixed number of lists.
    """
    read = pd.concat([at_recall(frame, levels, cost) for cost in COMPARED], ignore_index=True)
    read = read.rename(columns={"level": "recall"})
    rows = [_row(key, readings) for key, readings in read.groupby(list(ROW), sort=True)]
    compared = _with_ratios(baseline)
    if baseline is not None:
        _add_ratios(rows, _best_peers(rows) if baseline == BEST_PEER else _baselines(rows, baseline), compared)
    return pd.DataFrame(rows, columns=_columns(compared))


def names_one(frame: pd.DataFrame, baseline: str) -> bool:
    """Return whether a glob is a baseline for everything in a table.

    That is, whether it names exactly one algorithm of every dataset, k, mode and threads that was asked
    something, with one policy that it stands for. Builds that failed stand in groups of their own, where it may name
    one or none.
    """
    counts = [
        (mode != NO_MODE, len(_named(zip(rows["algorithm"], rows["probing"], strict=True), baseline)))
        for (_, _, mode, _), rows in frame.groupby(list(GROUP))
    ]
    asked = [count for was_asked, count in counts if was_asked]
    return bool(asked) and set(asked) == {1} and all(count <= 1 for _, count in counts)


def has_baseline(frame: pd.DataFrame, baseline: str) -> bool:
    """Return whether a table has any algorithm that a baseline, as in `comparison`, may stand for."""
    if baseline == BEST_PEER:
        return any(not text.startswith(_OURS) for text in set(frame["algorithm"]))
    return any(fnmatchcase(text, baseline) for text in set(frame["algorithm"]))


def _with_ratios(baseline: str | None) -> tuple[str, ...]:
    if baseline is None:
        return ()
    return ("qps",) if baseline == BEST_PEER else COMPARED  # other libraries do not tell what they scan


def _columns(with_ratios: Sequence[str]) -> list[str]:
    values = [name for cost in COMPARED for name in (cost, f"{cost}_ratio")[: 1 + (cost in with_ratios)]]
    return [*ROW, "seeds", *values, *(f"{cost}_state" for cost in COMPARED)]


def _row(key: Any, readings: pd.DataFrame) -> dict[str, Any]:
    row: dict[str, Any] = dict(zip(ROW, key, strict=True))
    row["seeds"] = int(readings["seed"].nunique())
    for cost, seeds in readings.groupby("cost", sort=False):
        state = min(seeds["state"], key=_WORST_FIRST.index)
        row[str(cost)] = float(seeds["value"].median()) if state == REACHED else math.nan
        row[f"{cost}_state"] = state
    return row


def _add_ratios(
    rows: list[dict[str, Any]], chosen: dict[tuple[Any, ...], dict[str, Any]], compared: Sequence[str]
) -> None:
    for row in rows:
        against = chosen.get(_place(row), {})
        for cost in compared:
            row[f"{cost}_ratio"] = row[cost] / against.get(cost, math.nan)


def _best_peers(rows: list[dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The fastest row of another library for each group and level where one reaches the level."""
    peers = [row for row in rows if not row["algorithm"].startswith(_OURS)]
    if not peers:
        known = ", ".join(sorted({row["algorithm"] for row in rows})) or "none"
        raise ResultError(f"baseline {BEST_PEER}: found only {known}, expected an algorithm of another library too")
    chosen: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in sorted(peers, key=lambda row: -row["qps"] if row["qps_state"] == REACHED else math.inf):
        if row["qps_state"] == REACHED:
            chosen.setdefault(_place(row), row)
    return chosen


def _baselines(rows: list[dict[str, Any]], baseline: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The row of the baseline for each group and level that has one."""
    places: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        places.setdefault(_place(row), []).append(row)
    chosen = {}
    for place, here in places.items():
        named = _named(((row["algorithm"], row["probing"]) for row in here), baseline)
        if len(named) > 1:
            found = f"{with_probing(*named[0])} and {with_probing(*named[1])} on {here[0]['dataset']}"
            raise ResultError(f"baseline {baseline!r}: found {found}, expected one")
        for row in here:
            if (row["algorithm"], row["probing"]) in named:
                chosen[place] = row
    if not chosen:
        known = ", ".join(sorted({row["algorithm"] for row in rows})) or "none"
        raise ResultError(f"baseline {baseline!r}: found no such algorithm, expected a glob for one of: {known}")
    return chosen


def _named(curves: Iterable[tuple[str, str]], baseline: str) -> list[tuple[str, str]]:
    """The algorithms, with their policies, that a baseline stands for: the fixed number of lists before any other."""
    named = sorted({curve for curve in curves if fnmatchcase(curve[0], baseline)})
    plain = {algorithm for algorithm, probing in named if probing in PLAIN}
    return [(algorithm, probing) for algorithm, probing in named if probing in PLAIN or algorithm not in plain]


def _place(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in (*GROUP, "recall"))
