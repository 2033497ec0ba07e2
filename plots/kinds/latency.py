"""How long single queries take: the median and the slow ones, at each recall."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from ...results.at_recall import front
from ..figures import draw_panels
from ..kind import Axis, Kind, Options
from ..trace import FloatArray, Trace
from .recall import NEEDED, RECALL, curves, measured

PERCENTILES = (50, 95, 99)


def _latency(rows: pd.DataFrame, options: Options) -> list[Trace]:
    return [
        replace(trace, quantity="median latency (ms)" if percentile == 50 else f"{percentile}th percentile (ms)")
        for percentile in PERCENTILES
        for trace in curves(rows, partial(_of, f"latency_p{percentile}_ms"))
    ]


def _of(column: str, curve: pd.DataFrame) -> FloatArray:
    # The settings are those of the front of queries per second, for every percentile the same.
    best = front(curve[curve["qps"] > 0], "qps")
    return best[["recall", column, column, column]].to_numpy(np.float64).T


LATENCY = Kind(
    "latency",
    "median, 95th and 99th percentile of the latency at each recall, mode single",
    *(measured, (*NEEDED, *(f"latency_p{percentile}_ms" for percentile in PERCENTILES)), _latency, draw_panels),
    x=RECALL,
    y=Axis("latency (ms)", "log", -1),
)
