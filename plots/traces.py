"""From the table to curves: numbers only, nothing of ink.

A trace is what one algorithm shows in one figure. Everything a figure claims can be tested here, without a
canvas.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ..results.at_recall import front
from ..results.labels import short_labels
from ..results.probing import with_probing
from .errors import PlotError

KINDS = ("recall-qps", "recall-points", "recall-lists")
_ONE_CURVE = ("algorithm", "probing", "threads")
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Trace:
    """One curve.

    Parameters
    ----------
    label
        The name in the legend.
    algorithm
        The canonical text, with the probing policy if that is not a fixed number of lists: it decides colour and
        marker.
    threads
        Threads used to answer, which decide the line style.
    x, y
        (p,) float64, p points by rising x.
    low, high
        (p,) float64, the interval of y; equal to y where there is none.
    kind
        The kind of figure: one of `KINDS`.
    """

    label: str
    algorithm: str
    threads: int
    x: FloatArray
    y: FloatArray
    low: FloatArray
    high: FloatArray
    kind: str


def traces(frame: pd.DataFrame, kind: str, n: int | None = None) -> list[Trace]:
    """Return the curves of one figure, sorted by algorithm, probing policy and threads.

    Several seeds become one curve: for each setting of the search the median of recall, rate and work, with
    an interval from the lowest low to the highest high. Rows that failed are left out.

    Parameters
    ----------
    frame
        Rows of the results table for one dataset, k and mode.
    kind
        "recall-qps": the Pareto front, queries per second over recall, with intervals. "recall-points":
        recall over points scanned. "recall-lists": recall over the lists probed as a percentage of the lists;
        algorithms without lists are left out.
    n
        Vectors in the dataset: points scanned become a percentage of it.

    Returns
    -------
    list of Trace
        Empty if no row can be shown.

    Raises
    ------
    PlotError
        An unknown kind, or a column is missing.
    """
    if kind not in _MAKERS:
        raise PlotError(f"kind of figure: found {kind!r}, expected one of {', '.join(KINDS)}")
    measured = _over_seeds(frame)
    names = _labels(measured)
    groups: dict[Any, pd.DataFrame] = dict(iter(measured.groupby(list(_ONE_CURVE), sort=True)))
    curves = [
        _trace(kind, names[key], with_probing(key[0], key[1]), int(key[2]), _MAKERS[kind](curve, n))
        for key, curve in groups.items()
    ]
    return [curve for curve in curves if len(curve.x)]


def list_count(parameters: str) -> float:
    """Return the number of lists that a build's parameters (JSON) state under ``clustering``, NaN if none."""
    clustering: Any = json.loads(parameters)
    clustering = clustering.get("clustering") if isinstance(clustering, Mapping) else None
    lists = clustering.get("lists") if isinstance(clustering, Mapping) else None
    return float(lists) if isinstance(lists, int) and lists > 0 else math.nan


def probe_count(query_parameters: str, lists_probed: float) -> float:
    """Return ``nprobe`` of a search's parameters (JSON); without one, the lists it opened on average."""
    parameters: Any = json.loads(query_parameters)
    probe = parameters.get("nprobe") if isinstance(parameters, Mapping) else None
    return float(probe) if isinstance(probe, int) else lists_probed


def _over_seeds(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per algorithm, policy, threads and setting: medians, and the widest interval."""
    keys = ["dataset", "k", "mode", "threads", "algorithm", "probing", "parameters", "query_parameters"]
    middle = ["recall", "qps", "points_scanned", "lists_probed"]
    missing = [name for name in (*keys, *middle, "qps_low", "qps_high", "status") if name not in frame.columns]
    if missing:
        raise PlotError(f"table: found no column {missing[0]!r}, expected the columns of a results table")
    aggregated = {**dict.fromkeys(middle, "median"), "qps_low": "min", "qps_high": "max", "status": "first"}
    measured = frame[frame["status"] == "ok"].groupby(keys, sort=True, as_index=False).agg(aggregated)
    return measured.assign(seed=0)


def _labels(measured: pd.DataFrame) -> dict[Any, str]:
    short = short_labels(measured["algorithm"])
    keys = sorted(set(zip(*(measured[name] for name in _ONE_CURVE), strict=True)))
    several = measured["threads"].nunique() > 1
    labels = {key: with_probing(short[key[0]], key[1]) for key in keys}
    return {key: f"{label}, {_threads(key[2])}" if several else label for key, label in labels.items()}


def _threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count or '?'} threads"


def _trace(kind: str, label: str, algorithm: str, threads: int, points: FloatArray) -> Trace:
    finite = points[:, np.isfinite(points[:2]).all(axis=0)]
    x, y, low, high = finite[:, np.argsort(finite[0], kind="stable")]
    return Trace(label, algorithm, threads, x, y, low, high, kind)


def _recall_qps(curve: pd.DataFrame, n: int | None) -> FloatArray:
    best = front(curve[curve["qps"] > 0], "qps")  # the axis is logarithmic
    return best[["recall", "qps", "qps_low", "qps_high"]].to_numpy(np.float64).T


def _recall_points(curve: pd.DataFrame, n: int | None) -> FloatArray:
    scanned = curve["points_scanned"].to_numpy(np.float64)
    return _recall_over(scanned if n is None else 100.0 * scanned / n, curve)


def _recall_lists(curve: pd.DataFrame, n: int | None) -> FloatArray:
    lists = curve["parameters"].map(list_count).to_numpy(np.float64)
    pairs = zip(curve["query_parameters"], curve["lists_probed"], strict=True)
    probes = np.array([probe_count(text, probed) for text, probed in pairs], np.float64)
    return _recall_over(100.0 * probes / lists, curve)


def _recall_over(work: FloatArray, curve: pd.DataFrame) -> FloatArray:
    recalls = curve["recall"].to_numpy(np.float64)
    shown = np.where(work > 0, work, np.nan)  # the axis is logarithmic
    return np.stack([shown, recalls, recalls, recalls])


_MAKERS: dict[str, Callable[[pd.DataFrame, int | None], FloatArray]] = dict(
    zip(KINDS, (_recall_qps, _recall_points, _recall_lists), strict=True)
)
