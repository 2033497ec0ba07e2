"""The thesis' curves: accuracy over the share of lists opened, centroids dashed, learnt representatives solid."""

import numpy as np
import pandas as pd

from ...results.curves import curves
from ...results.series import without_lists
from ..figures import draw_panels
from ..kind import Axis, Kind, Options, Source
from ..trace import Trace, grouped

MOST = 10.0  # % of the lists; beyond it every curve is near 1
LEARNT = (", Learnt(", ", PaperLearnt(")
COLUMNS = ("dataset", "clustering", "router", "algorithm", "role", "k", "lists_percent", "recall")


def _rows(source: Source, options: Options) -> pd.DataFrame:
    frame = curves(source.runs)
    if frame.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    learnt = frame["algorithm"].map(lambda text: any(router in text for router in LEARNT))
    frame = frame[((frame["role"] == "baseline") | learnt) & (frame["lists_percent"] <= MOST)]
    clusterings = frame["clustering"].map(clustering_name)
    return frame.assign(series=clusterings, label=clusterings + ", " + frame["router"])


def clustering_name(label: str) -> str:
    """Return the label of a clustering without its number of lists: "k-means" of "k-means (lists=328)"."""
    return without_lists(label).replace(" ()", "")


def _accuracy(rows: pd.DataFrame, options: Options) -> list[Trace]:
    found = []
    for (panel, label, series, role), curve in grouped(rows, "dataset", "label", "series", "role"):
        curve = curve.sort_values("lists_percent")
        x, y = (curve[name].to_numpy(np.float64) for name in ("lists_percent", "recall"))
        found.append(Trace(label, series, x, y, panel=panel, dashed=role == "baseline"))
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
