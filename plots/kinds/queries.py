"""Which queries are answered badly: how recall is spread over queries, and who finds what of the hardest."""

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ...results.query_costs import QUERY_COLUMNS, query_costs
from ..figures import LEGEND_LINE, broken, draw_panels
from ..kind import Axis, Drawing, Kind, Options, Source
from ..style import WIDTHS
from ..trace import Trace, by_performance
from .cost import LEVELS

HARDEST = {"single": 20, "double": 40}
LINE = 0.22  # inches an algorithm
NAMES = 0.4  # of the width, at most, for the names of the algorithms
FIGURE_BY = ("dataset", "k", "mode", "level")


def query_rows(source: Source, options: Options) -> pd.DataFrame:
    """Return `query_costs` at each level, with the series of each row."""
    parts = [query_costs(source.runs, level) for level in options.levels or LEVELS]
    names = source.table[["dataset", "algorithm", "probing", "series"]].drop_duplicates()
    return pd.concat([part for part in parts if len(part)] or parts[:1]).merge(names)


def by_query(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return a column as (queries, labels): medians over seeds."""
    return rows.pivot_table(index="query", columns="label", values=column, aggfunc="median")


def owners(rows: pd.DataFrame) -> dict[str, tuple[str, int]]:
    """Return the series and the threads of each label."""
    found = rows[["label", "series", "threads"]].drop_duplicates()
    return {label: (name, int(threads)) for label, name, threads in found.itertuples(index=False, name=None)}


def _query_recall(rows: pd.DataFrame, options: Options) -> list[Trace]:
    recalls = by_query(rows, "recall")
    found = []
    for label, (name, threads) in sorted(owners(rows).items()):
        values = np.sort(recalls[label].dropna().to_numpy(np.float64))
        x = np.unique(np.concatenate([[0.0], values]))
        found.append(Trace(label, name, x, 1.0 - np.searchsorted(values, x) / len(values), threads=threads))
    return found


def _hardest(rows: pd.DataFrame, options: Options) -> list[Trace]:
    recalls = by_query(rows, "recall").dropna()
    if recalls.empty:
        return []
    hard = recalls.mean(axis=1).sort_values(kind="stable").index[: HARDEST[options.width]]
    x, names = hard.to_numpy(np.float64), tuple(f"query {query}" for query in hard)
    return [
        Trace(label, name, x, recalls.loc[hard, label].to_numpy(np.float64), threads=threads, names=names)
        for label, (name, threads) in sorted(owners(rows).items())
    ]


def _heat(drawing: Drawing) -> Figure:
    """The recall of each algorithm (a row, the best first) on each of the hardest queries (a column)."""
    order = by_performance([_mean(trace) for trace in drawing.traces])[: max(1, drawing.options.most)]
    shown = [next(trace for trace in drawing.traces if trace.label == label) for label in order]
    width = WIDTHS[drawing.options.width]
    names = [broken(label, NAMES * width) for label in order]
    line = max(LINE, LEGEND_LINE * max(1 + name.count("\n") for name in names))
    canvas = Figure(figsize=(width, 1.5 + line * len(shown)), layout="constrained")
    FigureCanvasAgg(canvas)
    axes = canvas.add_subplot()
    image = axes.imshow(np.stack([trace.y for trace in shown]), aspect="auto", cmap="cividis", vmin=0.0, vmax=1.0)
    axes.set_yticks(range(len(shown)), names)
    places = range(len(shown[0].x))
    axes.set_xticks(places, [f"{query:.0f}" for query in shown[0].x], rotation=90, fontsize=5.5)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set_xlabel(drawing.kind.x.label)
    canvas.colorbar(image, ax=axes, label=drawing.kind.y.label.format(k=drawing.k), pad=0.01)
    canvas.suptitle(drawing.title, fontsize=8.5)
    return canvas


def _mean(trace: Trace) -> Trace:
    return Trace(trace.label, trace.algorithm, np.zeros(1), trace.y.mean(keepdims=True))


QUERY_RECALL = Kind(
    "query-recall",
    "how many queries have at least a recall, where the mean is the same (0.95, or --at-recall)",
    *(query_rows, QUERY_COLUMNS, _query_recall, draw_panels),
    x=Axis("recall@{k} of a query"),
    y=Axis("share of queries with at least that", "share"),
    mark="steps",
    figure_by=FIGURE_BY,
)
HARDEST_QUERIES = Kind(
    "hardest-queries",
    "who finds what of the queries with the lowest mean recall over all algorithms",
    *(query_rows, QUERY_COLUMNS, _hardest, _heat),
    x=Axis("test query, the hardest first"),
    y=Axis("recall@{k}"),
    figure_by=FIGURE_BY,
)
