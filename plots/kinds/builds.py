"""What a build noted of itself: how large its lists became, and how its router learnt."""

from typing import Any

import numpy as np
import pandas as pd

from ...results.labels import router_and_rest
from ...results.series import series
from ...results.table import dataset_name
from ..figures import draw_panels
from ..kind import Axis, Kind, Options, Source
from ..trace import FloatArray, Trace, grouped
from .accuracy import clustering_names

SIZES = "list_size_percentiles"
LEARNT = ("validation_losses", "validation_accuracies")
PLACE = ("dataset", "algorithm", "probing", "seed")


def _noted(source: Source, names: tuple[str, ...]) -> pd.DataFrame:
    """One row for each build that has these notes, once for all k."""
    rows: list[dict[str, Any]] = [
        {"dataset": dataset_name(run), "algorithm": run.algorithm, "probing": "none", "seed": run.seed, "n": run.n,
         **{name: np.asarray(run.notes[name], np.float64) for name in names}}
        for run in source.runs
        if all(name in run.notes for name in names)
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=[*PLACE, "n", *names]).drop_duplicates(list(PLACE))
    return frame.assign(series=series(frame) if len(frame) else "")


def _sizes(source: Source, options: Options) -> pd.DataFrame:
    frame = _noted(source, (SIZES,))
    parts = [router_and_rest(text) for text in frame["algorithm"]]
    frame = frame.assign(clustering=["" if one is None else one[3] for one in parts])
    names = clustering_names(frame) if len(frame) else ""
    return frame.assign(label=names, series=names)


def _learning(source: Source, options: Options) -> pd.DataFrame:
    return _noted(source, LEARNT)


def _list_sizes(rows: pd.DataFrame, options: Options) -> list[Trace]:
    found = []
    # What decides the sizes is the clustering: routers over one have the same lists.
    for (label, name), some in grouped(rows.drop_duplicates(["dataset", "label", "seed"]), "label", "series"):
        x = _together(some[SIZES])
        found.append(Trace(label, name, x, np.linspace(0.0, 1.0, len(x))))
    return found


def _learning_curves(rows: pd.DataFrame, options: Options) -> list[Trace]:
    found = []
    for column, quantity in zip(LEARNT, ("validation loss", "validation accuracy, one list"), strict=True):
        for (label, name), some in grouped(rows, "label", "series"):
            y = _together(some[column])
            found.append(Trace(label, name, np.arange(float(len(y))), y, quantity=quantity))
    return found


def _together(curves: "pd.Series[Any]") -> FloatArray:
    # Seeds may have trained for different numbers of epochs: as far as all of them went.
    shortest = min(map(len, curves))
    return np.asarray(np.median([curve[:shortest] for curve in curves], axis=0), np.float64)


LIST_SIZES = Kind(
    "list-sizes",
    "how many lists are at most so large, for each clustering",
    *(_sizes, (*PLACE, SIZES), _list_sizes, draw_panels),
    x=Axis("vectors in a list", "linear"),
    y=Axis("share of the lists", "share", -1),
    mark="steps",
    figure_by=("dataset",),
)
LEARNING = Kind(
    "learning",
    "loss and accuracy on held-out queries over the epochs of training",
    *(_learning, (*PLACE, *LEARNT), _learning_curves, draw_panels),
    x=Axis("epoch"),
    y=Axis("validation loss", "linear", -1),
    figure_by=("dataset",),
)
