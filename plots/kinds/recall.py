"""Recall against what it costs: queries per second, points scanned, lists probed."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ...results.at_recall import front
from ..figures import draw_panels
from ..kind import Axis, Kind, Options, Source
from ..trace import FloatArray, Trace, grouped

SETTING = ("dataset", "k", "mode", "threads", "algorithm", "probing", "parameters", "query_parameters")
MIDDLE = ("recall", "qps", "points_scanned", "lists_probed", "latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "n")
CURVE = ("series", "label", "threads")
NEEDED = (*SETTING, "recall", "qps", "qps_low", "qps_high", "status")


def measured(source: Source, options: Options) -> pd.DataFrame:
    """Return the results table."""
    return source.table


def over_seeds(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each setting: medians over builds, and of the rate the lowest low and the highest high."""
    aggregated = {name: "median" for name in MIDDLE if name in rows}
    kept = dict.fromkeys(("series", "label", "status"), "first")
    together = rows.groupby([name for name in SETTING if name in rows], sort=True, as_index=False)
    return together.agg({**aggregated, **kept, "qps_low": "min", "qps_high": "max"}).assign(seed=0, build_threads=0)


def curves(rows: pd.DataFrame, points: Callable[[pd.DataFrame], FloatArray]) -> list[Trace]:
    """Return one trace for each method, by name and threads.

    Parameters
    ----------
    rows
        Of the results table, for one dataset, k and mode; all measured.
    points
        From the rows of one curve to x, y, low and high, (4, p) float64. Points that are not finite are left out.
    """
    found = []
    for (series, label, threads), curve in grouped(over_seeds(rows), *CURVE):
        held = points(curve)
        held = held[:, np.isfinite(held[:2]).all(axis=0)]
        x, y, low, high = held[:, np.argsort(held[0], kind="stable")]
        if len(x):
            found.append(Trace(label, series, x, y, low, high, int(threads)))
    return found


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


def _recall_qps(rows: pd.DataFrame, options: Options) -> list[Trace]:
    return curves(rows, _front)


def _front(curve: pd.DataFrame) -> FloatArray:
    best = front(curve[curve["qps"] > 0], "qps")  # the axis is logarithmic
    return best[["recall", "qps", "qps_low", "qps_high"]].to_numpy(np.float64).T


def _recall_points(rows: pd.DataFrame, options: Options) -> list[Trace]:
    return curves(rows, lambda curve: _over(100.0 * curve["points_scanned"] / curve["n"].where(curve["n"] > 0), curve))


def _recall_lists(rows: pd.DataFrame, options: Options) -> list[Trace]:
    return curves(rows, lambda curve: _over(100.0 * _probes(curve) / curve["parameters"].map(list_count), curve))


def _probes(curve: pd.DataFrame) -> npt.NDArray[np.float64]:
    pairs = zip(curve["query_parameters"], curve["lists_probed"], strict=True)
    return np.array([probe_count(text, probed) for text, probed in pairs], np.float64)


def _over(work: "pd.Series[float]", curve: pd.DataFrame) -> FloatArray:
    # Of settings that do equal work, as those that differ in re-ranking alone do, the best stands for all.
    recalls = curve["recall"].to_numpy(np.float64)
    shown = work.where(work > 0).to_numpy(np.float64)  # the axis is logarithmic
    best = pd.Series(recalls).groupby(shown).transform("max").to_numpy(np.float64)
    kept = np.flatnonzero((recalls == best) & ~pd.Series(shown).where(recalls == best).duplicated().to_numpy())
    return np.stack([shown, recalls, recalls, recalls])[:, kept]


RECALL = Axis("recall@{k}", "recall")
RECALL_QPS = Kind(
    "recall-qps",
    "queries per second at each recall: Pareto fronts with intervals",
    *(measured, NEEDED, _recall_qps, draw_panels),
    x=RECALL,
    y=Axis("queries per second", "log"),
)
RECALL_POINTS = Kind(
    "recall-points",
    "recall over the points scanned",
    *(measured, (*NEEDED, "points_scanned", "n"), _recall_points, draw_panels),
    x=Axis("points scanned (% of n)", "log"),
    y=RECALL,
)
RECALL_LISTS = Kind(
    "recall-lists",
    "recall over the lists probed",
    *(measured, (*NEEDED, "lists_probed"), _recall_lists, draw_panels),
    x=Axis("lists probed (% of the lists)", "log"),
    y=RECALL,
)
