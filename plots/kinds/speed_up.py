"""How many times as fast as a baseline, at several recalls."""

from dataclasses import replace

import numpy as np
import pandas as pd

from ...results.comparison import BEST_PEER, comparison, names_one
from ...results.errors import ResultError
from ..errors import NothingToShowError
from ..figures import draw_panels
from ..kind import Axis, Kind, Options
from ..trace import Trace, grouped
from .recall import NEEDED, measured

LEVELS = (0.8, 0.9, 0.95, 0.99)
CENTROID = "*, Centroid(*"  # the router that others are compared with where it is the only one of its kind


def _speed_up(rows: pd.DataFrame, options: Options) -> list[Trace]:
    baseline = options.baseline or _baseline(rows)
    compared = comparison(rows, options.levels or LEVELS, baseline)
    names = rows.drop_duplicates(["algorithm", "probing", "threads"])
    compared = compared[compared["qps_ratio"].notna()]
    compared = compared.merge(names[["algorithm", "probing", "threads", "series", "label"]])
    found = [
        Trace(
            label, series, some["recall"].to_numpy(np.float64), some["qps_ratio"].to_numpy(np.float64), threads=threads
        )
        for (series, label, threads), some in grouped(compared, "series", "label", "threads")
    ]
    return [_as_guide(trace) if baseline != BEST_PEER and (trace.y == 1.0).all() else trace for trace in found]


def _as_guide(trace: Trace) -> Trace:
    # The baseline has no bars: they would have no height.
    return replace(trace, label=f"baseline: {trace.label}", algorithm="")


def _baseline(rows: pd.DataFrame) -> str:
    if names_one(rows, CENTROID):
        return CENTROID
    try:
        comparison(rows, (0.5,), BEST_PEER)
    except ResultError:
        raise NothingToShowError(
            "speed-up: found neither one centroid router nor another library to compare with, expected --baseline GLOB"
        ) from None
    return BEST_PEER


SPEED_UP = Kind(
    "speed-up",
    "queries per second over those of a baseline (--baseline) at several recalls",
    *(measured, (*NEEDED, "seed"), _speed_up, draw_panels),
    x=Axis("recall@{k}"),
    y=Axis("times the baseline's queries per second", "log"),
    mark="bars",
)
