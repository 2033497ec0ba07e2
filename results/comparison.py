"""Algorithms side by side at fixed recall, for people: one row per algorithm, ratios to a baseline if asked.

Points scanned stand beside queries per second, because they are the same on every machine.
"""

import math
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

import pandas as pd

from .at_recall import BELOW, FAILED, NOT_REACHED, REACHED, at_recall
from .errors import ResultError

COMPARED = ("qps", "points_scanned")
ROW = ("dataset", "k", "mode", "threads", "algorithm")
GROUP = ROW[:-1]
NO_BASELINE = "no baseline"
_WORST_FIRST = (FAILED, NOT_REACHED, BELOW, REACHED)


def comparison(frame: pd.DataFrame, levels: Sequence[float], baseline: str | None = None) -> pd.DataFrame:
    """Return one row per dataset, k, mode, threads and algorithm, with its costs at each level of recall.

    Parameters
    ----------
    frame
        A results table.
    levels
        Recalls above 0 and at most 1.
    baseline
        A glob over the canonical texts of the algorithms; within each dataset, k, mode and threads it must
        name at most one. Ratios are this algorithm over the baseline: more is better for qps, less for points
        scanned.

    Returns
    -------
    DataFrame
        `ROW`, `seeds` (how many), then for each level ``qps@0.9``, ``qps_state@0.9``, ``points_scanned@0.9``,
        ``points_scanned_state@0.9`` and, with a baseline, ``qps_ratio@0.9`` and ``points_scanned_ratio@0.9``.
        Several seeds give their median, and only where every one of them reaches the level; otherwise NaN and
        the worst state among them.

    Raises
    ------
    ResultError
        A level outside (0, 1], or a baseline that names no algorithm, or two in one group.
    """
    long = pd.concat([at_recall(frame, levels, cost) for cost in COMPARED], ignore_index=True)
    rows = [_row(key, readings) for key, readings in long.groupby(list(ROW), sort=True)]
    if baseline is not None:
        _add_ratios(rows, levels, baseline)
    return pd.DataFrame(rows, columns=_columns(levels, baseline is not None))


def _columns(levels: Sequence[float], with_ratios: bool) -> list[str]:
    names = [*ROW, "seeds"]
    for level in levels:
        for cost in COMPARED:
            names += [f"{cost}@{level:g}", f"{cost}_state@{level:g}"]
            names += [f"{cost}_ratio@{level:g}"] if with_ratios else []
    return names


def _row(key: Any, readings: pd.DataFrame) -> dict[str, Any]:
    row: dict[str, Any] = dict(zip(ROW, key, strict=True))
    row["seeds"] = int(readings["seed"].nunique())
    for (cost, level), seeds in readings.groupby(["cost", "level"], sort=False):
        state = min(seeds["state"], key=_WORST_FIRST.index)
        row[f"{cost}@{level:g}"] = float(seeds["value"].median()) if state == REACHED else math.nan
        row[f"{cost}_state@{level:g}"] = state
    return row


def _add_ratios(rows: list[dict[str, Any]], levels: Sequence[float], baseline: str) -> None:
    chosen = _baselines(rows, baseline)
    for row in rows:
        against = chosen.get(tuple(row[name] for name in GROUP), {})
        for name in (f"{cost}{{}}@{level:g}" for cost in COMPARED for level in levels):
            row[name.format("_ratio")] = row[name.format("")] / against.get(name.format(""), math.nan)


def _baselines(rows: list[dict[str, Any]], baseline: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    chosen: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        if not fnmatchcase(row["algorithm"], baseline):
            continue
        group = tuple(row[name] for name in GROUP)
        if group in chosen:
            found = f"{chosen[group]['algorithm']} and {row['algorithm']} on {row['dataset']}"
            raise ResultError(f"baseline {baseline!r}: found {found}, expected one")
        chosen[group] = row
    if not chosen:
        known = ", ".join(sorted({row["algorithm"] for row in rows})) or "none"
        raise ResultError(
            f"baseline {baseline!r}: found no such algorithm, expected a glob for one of: {known}"
        )
    return chosen
