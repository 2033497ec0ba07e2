"""What speed costs: time to build and memory against queries per second, all at one recall."""

import numpy as np
import pandas as pd

from ...results.at_recall import at_recall
from ...results.columns import CURVE
from ..figures import draw_panels
from ..kind import Axis, Kind, Options
from ..trace import Trace, grouped
from .recall import NEEDED, measured

LEVELS = (0.95,)
MIB = 1 << 20
QUANTITIES = {"build": "build, learn and label (s)", "index": "index (MiB)", "peak": "peak memory (MiB)"}
COSTS = ("build_seconds", "learn_seconds", "label_seconds", "index_bytes", "peak_memory_bytes")


def rates(rows: pd.DataFrame, levels: tuple[float, ...]) -> pd.DataFrame:
    """Return queries per second and costs of each build at each level of recall that it reaches.

    Parameters
    ----------
    rows
        Of the results table, with ``series`` and ``label``; all measured.
    levels
        Recalls.

    Returns
    -------
    DataFrame
        One row per curve and level: ``series``, ``label``, ``threads``, ``level``, ``n``, ``dimension``, ``qps``, and
        ``build`` (s, training and labelling included), ``index`` and ``peak`` (MiB), NaN where not told.
    """
    builds = rows.drop_duplicates(list(CURVE))[[*CURVE, "series", "label", "n", "dimension", *COSTS]]
    read = at_recall(rows, levels).merge(builds, on=list(CURVE))
    return read[read["value"].notna()].assign(
        qps=lambda frame: frame["value"],
        build=lambda frame: _told(frame["build_seconds"] + frame["learn_seconds"] + frame["label_seconds"]),
        index=lambda frame: _told(frame["index_bytes"] / MIB),
        peak=lambda frame: _told(frame["peak_memory_bytes"] / MIB),
    )


def _told(values: "pd.Series[float]") -> "pd.Series[float]":
    return values.where(values > 0)  # other suites leave out what they do not measure


def _cost(rows: pd.DataFrame, options: Options) -> list[Trace]:
    levels = options.levels or LEVELS
    found = []
    for (level, series, label, threads), some in grouped(rates(rows, levels), "level", "series", "label", "threads"):
        panel = f"at recall {level:g}"
        for column, quantity in QUANTITIES.items():
            x, y = np.array([some["qps"].median()]), np.array([some[column].median()])
            if np.isfinite(y).all():
                low, high = np.array([some[column].min()]), np.array([some[column].max()])
                found.append(Trace(label, series, x, y, low, high, threads, panel, quantity))
    return found


COST = Kind(
    "cost",
    "time to build, size and memory against queries per second at one recall (0.95, or --at-recall)",
    *(measured, (*NEEDED, *COSTS, "seed", "build_threads", "n", "dimension"), _cost, draw_panels),
    x=Axis("queries per second", "log"),
    y=Axis("cost", "log", -1),
    mark="dots",
)
