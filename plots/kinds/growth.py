"""How costs grow with the database: rate, time to build and memory against the number of vectors."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ..figures import draw_panels
from ..kind import Axis, Kind, Options
from ..trace import Trace, grouped
from .cost import COSTS, LEVELS, rates
from .recall import NEEDED, measured

SLOPE = -0.5  # √n lists, √n vectors in each: what a search of a fixed number of lists costs
GUIDE = "slope -1/2"
# What says a size in a name, such as "n=1000" in "drift:n=1000,k=10" or "base=1000" in "sift[pca=64,base=1000]"; of
# the rest only the dimension is left out, which the panel says.
SIZE = re.compile(r"(?<=[:\[,])(?:n|base|topics|dimension)=[^\],\[ ]*(?:,|(?=[\[\] ]|$))")
LEFT_OVER = re.compile(r"[:,](?=[\[\] ]|$)|\[\]")


def family(dataset: str) -> str:
    """Return what sizes of one dataset have in common: "drift (synthetic)" of "drift:n=10000 (synthetic)".

    Everything else tells datasets apart: "sift[metric=ip]" of "sift[base=1000,metric=ip]".
    """
    if not SIZE.search(dataset):
        return dataset
    return LEFT_OVER.sub("", SIZE.sub("", dataset))


def _growth(rows: pd.DataFrame, options: Options) -> list[Trace]:
    level = (options.levels or LEVELS)[0]
    quantities = {
        "qps": f"queries per second at recall {level:g}",
        "build": "build, learn and label (s)",
        "index": "index (MiB)",
        "peak": "peak memory (MiB)",
    }
    read = rates(rows[rows["n"] > 0], (level,))
    read = read.assign(family=read["dataset"].map(family))
    found = []
    for column, quantity in quantities.items():
        for (name, dimension), panel in grouped(read, "family", "dimension"):
            where = f"{name}, {dimension} dimensions"
            curves = [replace(trace, panel=where, quantity=quantity) for trace in _curves(panel, column)]
            found += curves + ([_guide(curves)] if column == "qps" and curves else [])
    return found


def _curves(rows: pd.DataFrame, column: str) -> list[Trace]:
    found = []
    for (series, label, threads), some in grouped(rows[rows[column].notna()], "series", "label", "threads"):
        by_size: Any = some.groupby("n")[column]
        x, y = by_size.median().index.to_numpy(np.float64), by_size.median().to_numpy(np.float64)
        if len(x) > 1:
            found.append(Trace(label, series, x, y, by_size.min().to_numpy(), by_size.max().to_numpy(), threads))
    return found


def _guide(curves: list[Trace]) -> Trace:
    """The line of slope -1/2 through the start of the highest curve, moved up."""
    x = np.array([min(trace.x[0] for trace in curves), max(trace.x[-1] for trace in curves)])
    first = 1.3 * max(float(trace.y[0] * np.sqrt(trace.x[0] / x[0])) for trace in curves)
    y = first * (x / x[0]) ** SLOPE
    return replace(curves[0], label=GUIDE, algorithm="", x=x, y=y, low=y, high=y)


GROWTH = Kind(
    "growth",
    "queries per second at one recall, time to build, size and memory against the number of vectors",
    *(measured, (*NEEDED, *COSTS, "seed", "build_threads", "n", "dimension"), _growth, draw_panels),
    x=Axis("vectors", "log"),
    y=Axis("cost", "log"),
    figure_by=("k", "mode"),
)
