"""A comparison as data: JSON for programs, and a table with one row for each turn of the clock."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from .comparison import Comparison, Judged
from .intervals import Estimate
from .sides import ARMS, CLOCKS
from .verdict import SHOWN

SCHEMA = 1


def as_document(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as JSON data; numbers that are not known are None."""
    limits = comparison.limits
    return {
        "schema": SCHEMA,
        "state": comparison.state,
        "base": comparison.base,
        "head": comparison.head,
        "tolerance": {"time": limits.time, "recall": limits.recall, "work": limits.work, "exact": limits.exact},
        "rounds": comparison.rounds,
        "looks": comparison.looks,
        "seconds": comparison.seconds,
        "missing": list(comparison.missing),
        "remarks": list(comparison.remarks),
        "machine": dict(comparison.machine),
        "curves": [_curve(one) for one in comparison.judged],
    }


def _curve(one: Judged) -> dict[str, Any]:
    curve = one.curve
    return {
        "dataset": curve.dataset,
        "algorithm": curve.algorithm,
        "k": curve.k,
        "mode": curve.mode,
        "threads": curve.threads,
        "seed": curve.seed,
        "probing": curve.probing,
        "state": one.state,
        "accepted": one.accepted,
        "reasons": list(one.reasons),
        "work": {
            "state": one.work.state,
            "deterministic": one.work.deterministic,
            "queries_per_point_at_equal_recall": _number(one.work.frugality),
            "index_bytes": [one.work.base_bytes, one.work.head_bytes],
            "build_seconds": [_number(one.base.build_seconds), _number(one.head.build_seconds)],
            "build_seconds_again": _number(one.rebuild_seconds),
            "peak_bytes": [one.base.peak_bytes, one.head.peak_bytes],
            "settings": [
                {
                    "setting": row.setting,
                    "same_ids": row.same_ids,
                    "same_work": row.same_work,
                    "recall": [row.base_recall, row.head_recall],
                    "recall_difference": [row.low, row.high],
                    "lists": [row.base_lists, row.head_lists],
                    "points": [row.base_points, row.head_points],
                    "digest": [one.base.digests[place], one.head.digests[place]],
                }
                for place, row in enumerate(one.work.differences)
            ],
        },
        "time": _time(one),
    }


def _time(one: Judged) -> dict[str, Any] | None:
    if one.time is None:
        return None if math.isnan(one.told) else {"state": "not judged", "speed_up": {"ratio": one.told}}
    return {
        "state": one.time.state,
        "clock": one.clock,
        "speed_up": _estimate(one.time.speed_up),
        "control": _estimate(one.time.control),
        "p_slower_corrected": one.time.slower,
        "at_recall": {f"{level:g}": _estimate(found) for level, found in one.at.items()},
    }


def _estimate(estimate: Estimate) -> dict[str, Any]:
    low, high = estimate.interval(SHOWN)
    ratio, error = _number(estimate.ratio), _number(estimate.error)
    return {"ratio": ratio, "low": _number(low), "high": _number(high), "log_error": error, "pairs": estimate.pairs}


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def samples(comparison: Comparison) -> pd.DataFrame:
    """Return every time that was measured, one row for each turn.

    Returns
    -------
    DataFrame
        ``curve``, ``setting``, ``arm``, ``pair``, ``pass``, ``wall`` and ``processor`` (seconds), and of the same
        pass ``reference`` (seconds of the frozen kernel), ``load`` and ``steal``.
    """
    rows = [row for one in comparison.judged for row in _samples(one)]
    return pd.DataFrame(rows)


def _samples(one: Judged) -> Iterator[dict[str, Any]]:
    if one.times is None:
        return
    times = one.times
    for arm in ARMS:
        for pair, step, setting in np.ndindex(times.seconds["wall", arm].shape):
            yield {
                "curve": str(one.curve),
                "setting": times.settings[setting],
                "arm": arm,
                "pair": pair,
                "pass": step,
                **{clock: times.seconds[clock, arm][pair, step, setting] for clock in CLOCKS},
                "reference": times.reference[pair, step],
                "load": times.load[pair, step],
                "steal": times.steal[pair, step],
            }
