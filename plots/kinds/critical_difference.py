"""Mean ranks over queries, or over datasets, and which of them do not differ significantly."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ...results.query_costs import QUERY_COLUMNS
from ...results.ranks import MOST, cliques, ranks
from ..errors import NothingToShowError
from ..kind import Axis, Drawing, Kind, Options, Source
from ..style import GUIDE, WIDTHS
from ..trace import Trace
from .cost import LEVELS, rates
from .queries import FIGURE_BY, by_query, owners, query_rows

FEWEST_DATASETS = 5  # of fewer the critical difference is wider than the ranks
LINE = 0.17  # inches a name
CLIQUE, WIDTH = "no significant difference", "critical difference"
QUERIES, DATASETS = "queries, by latency", "datasets, by queries per second"


def _rows(source: Source, options: Options) -> pd.DataFrame:
    """The time of each query of mode single; and where there are enough datasets, that of each dataset."""
    queries = query_rows(source, options)
    queries = queries[queries["mode"] == "single"].assign(over=QUERIES)
    level = (options.levels or LEVELS)[0]
    frame = source.table[source.table["status"] == "ok"]
    per_dataset = [
        read.assign(dataset=f"{read['dataset'].nunique()} datasets", query=read["dataset"], seconds=1.0 / read["qps"])
        for _, read in rates(frame.assign(label=""), (level,)).groupby(["k", "mode"])
        if read["dataset"].nunique() >= FEWEST_DATASETS
    ]
    return pd.concat([queries, *(part.assign(over=DATASETS).drop(columns="label") for part in per_dataset)])


def _critical_difference(rows: pd.DataFrame, options: Options) -> list[Trace]:
    costs = by_query(rows, "seconds").dropna(axis=1)
    if costs.shape[1] > MOST:
        raise NothingToShowError(f"found {costs.shape[1]} algorithms, expected {MOST} at most (choose by --algorithms)")
    if costs.shape[1] < 2 or len(costs) < 2:
        return []
    named = owners(rows)
    found = ranks(costs)
    traces = [
        Trace(label, named[label][0], np.array([mean]), np.array([float(place)]))
        for place, (label, mean) in enumerate(found.means.items(), 1)
    ]
    traces += [Trace(CLIQUE, "", np.array(ends), np.full(2, -1.0 - place)) for place, ends in enumerate(cliques(found))]
    p = "< 0.0001" if found.p < 1e-4 else f"= {found.p:.4f}"
    said = f"over {found.blocks:,} {rows['over'].iloc[0]}; Friedman p {p}"
    width = np.array([1.0, 1.0 + found.critical_difference])
    return [*traces, Trace(WIDTH, "", width, np.zeros(2), names=(f"{found.critical_difference:.3g}", said))]


def _draw(drawing: Drawing) -> Figure:
    """An axis of ranks, the names at its two sides, bars under those that do not differ."""
    own = [trace for trace in drawing.traces if trace.algorithm]
    groups = [trace for trace in drawing.traces if trace.label == CLIQUE]
    width = next(trace for trace in drawing.traces if trace.label == WIDTH)
    left = -(-len(own) // 2)
    depth = 0.6 + 0.35 * len(groups)
    canvas = Figure(
        figsize=(WIDTHS[drawing.options.width], 1.0 + LINE * (depth / 0.7 + left + 1)), layout="constrained"
    )
    FigureCanvasAgg(canvas)
    axes = canvas.add_subplot()
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.spines["top"].set_visible(True)
    axes.xaxis.tick_top()
    axes.set_yticks([])
    axes.grid(visible=False)
    first, last = 1.0, float(len(own))
    room = (last - first) * 0.02
    axes.set_xlim(first - room, last + room)
    axes.set_xticks(np.arange(1, len(own) + 1))
    axes.set_ylim(-(depth + left + 0.3), 1.6)
    for place, trace in enumerate(own):
        _place_name(axes, trace, drawing, depth + (place if place < left else len(own) - 1 - place), place < left)
    for place, group in enumerate(groups):
        height = -0.45 - 0.35 * place
        axes.plot(group.x, [height, height], color="black", linewidth=2.5, solid_capstyle="round")
    axes.plot(width.x, [0.9, 0.9], color=GUIDE, marker="|", linewidth=1.2)
    axes.text(width.x[1] + room, 0.9, f"critical difference {width.names[0]}", va="center", fontsize=7, color=GUIDE)
    canvas.suptitle(f"{drawing.title}\nmean rank {width.names[1]}", fontsize=8.5)
    return canvas


def _place_name(axes: Axes, trace: Trace, drawing: Drawing, depth: float, left: bool) -> None:
    rank, look = float(trace.x[0]), drawing.looks[trace.algorithm]
    edge = axes.get_xlim()[0 if left else 1]
    axes.plot([rank, rank, edge], [0.0, -depth, -depth], color=look.colour, linewidth=1.0)
    axes.plot(rank, 0.0, look.marker, color=look.colour, clip_on=False, zorder=3)
    name = f"{trace.label}  {rank:.2f} " if left else f" {rank:.2f}  {trace.label}"
    axes.annotate(name, (edge, -depth), ha="right" if left else "left", va="center", fontsize=7, annotation_clip=False)


CRITICAL_DIFFERENCE = Kind(
    "critical-difference",
    "mean ranks of latency over queries at one recall; with five datasets or more also over them",
    *(_rows, (*QUERY_COLUMNS, "over"), _critical_difference, _draw),
    x=Axis("mean rank, 1 is best"),
    y=Axis("place"),
    figure_by=FIGURE_BY,
)
