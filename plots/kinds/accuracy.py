"""The thesis' curves: accuracy over the share of lists opened, centroids dashed, learnt representatives solid."""

from typing import Any

import numpy as np
import pandas as pd

from ...results.curves import curves
from ...results.probing import NO_PROBING
from ...results.series import series
from ..figures import draw_panels
from ..kind import Axis, Kind, Options, Source
from ..trace import Trace, grouped

MOST = 10.0  # % of the lists; beyond it every curve is near 1
LEARNT = (", Learnt(", ", PaperLearnt(")
COLUMNS = ("dataset", "clustering", "router", "algorithm", "role", "k", "lists_percent", "recall")


def _rows(source: Source, options: Options) -> pd.DataFrame:
    frame = curves(source.runs)
    if len(frame):
        learnt = frame["algorithm"].map(lambda text: any(router in text for router in LEARNT))
        frame = frame[((frame["role"] == "baseline") | learnt) & (frame["lists_percent"] <= MOST)]
    if frame.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    clusterings = clustering_names(frame)
    return frame.assign(series=clusterings, label=clusterings + ", " + frame["router"])


def clustering_names(frame: pd.DataFrame) -> "pd.Series[Any]":
    """Return for each row what tells its clustering from the others, as `series` does for algorithms.

    Parameters
    ----------
    frame
        With the columns ``dataset`` and ``clustering`` (a label), at least one row. The number of lists is left out,
        "k-means" of "k-means (lists=328)"; but not where some dataset has several numbers, which are what is
        compared then.
    """
    labels = pd.DataFrame({"dataset": frame["dataset"], "algorithm": frame["clustering"], "probing": NO_PROBING})
    return series(labels).str.replace(" ()", "", regex=False)


def _accuracy(rows: pd.DataFrame, options: Options) -> list[Trace]:
    found = []
    for (panel, label, name, role), curve in grouped(rows, "dataset", "label", "series", "role"):
        curve = curve.sort_values("lists_percent")
        x, y = (curve[column].to_numpy(np.float64) for column in ("lists_percent", "recall"))
        found.append(Trace(label, name, x, y, panel=panel, dashed=role == "baseline"))
    return found


ACCURACY = Kind(
    "accuracy",
    "top-k accuracy over the lists opened, centroids dashed and learnt solid, a panel for each dataset",
    *(_rows, COLUMNS, _accuracy, draw_panels),
    x=Axis("lists opened (% of the lists)", "log"),
    y=Axis("top-{k} accuracy", "share"),
    mark="line",
    figure_by=("k",),
)
