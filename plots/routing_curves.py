"""Recall against the work of a search, one line for each router, in panels."""

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .figures import plain_log
from .panels import REFERENCES, Panel, panels
from .style import COLOURS, LINES

WORK = {"points": "points scanned (% of n)", "lists": "lists opened (% of L)"}
GREY = {"baseline": "#555555", "oracle": "#AAAAAA"}
DASHES = {"baseline": "dashed", "oracle": "dotted"}
PANEL = (4.3, 3.3)  # inches
WIDEST = 3  # panels in a row
ENOUGH = 0.995  # the axis ends where every router has this recall


def routing_curves(rows: pd.DataFrame, title: str, k: int, work: str = "points") -> Figure:
    """Return the figure of one contest at one k.

    Parameters
    ----------
    rows
        Rows of `results.curves` of one contest and one k.
    title
        Names dataset and clustering.
    k
        For the label of the recall axis.
    work
        "points" or "lists": what recall is drawn over.
    """
    shown = panels(rows)
    columns = min(WIDEST, len(shown))
    lines = -(-len(shown) // columns)
    size = (max(6.4, PANEL[0] * columns), max(4.2, PANEL[1] * lines)) if len(shown) == 1 else (
        PANEL[0] * columns, PANEL[1] * lines)  # fmt: skip
    canvas = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(canvas)
    grid = canvas.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    for place, panel in enumerate(shown):
        _panel(grid.flat[place], rows, panel, work)
    for axes in grid.flat[len(shown) :]:
        axes.set_visible(False)
    _limits(grid.flat[0], rows, f"{work}_percent")
    for place, axes in enumerate(grid.flat):
        axes.tick_params(labelbottom=place + columns >= len(shown))  # also above an empty place
    canvas.supxlabel(WORK[work], fontsize=9)
    canvas.supylabel(f"recall@{k}", fontsize=9)
    canvas.suptitle(title, fontsize=10)
    return canvas


def _panel(axes: Axes, rows: pd.DataFrame, panel: Panel, work: str) -> None:
    references = rows[rows["role"].isin(REFERENCES)]
    for router, curve in references.groupby("router", sort=True):
        role = str(curve["role"].iloc[0])
        name = f"{router}, baseline" if role == "baseline" else str(router)
        axes.plot(curve[f"{work}_percent"], curve["recall"], color=GREY[role], linestyle=DASHES[role], label=name)
    for place, router in enumerate(panel.routers):
        curve = rows[rows["router"] == router]
        # Lines that run into each other stay apart by their dashes as well as by their colour.
        dashes = LINES[place % 2 * 3]
        axes.plot(
            curve[f"{work}_percent"], curve["recall"], color=COLOURS[place], linestyle=dashes, label=router, zorder=3
        )
    axes.set_title(panel.title)
    axes.legend(loc="best", fontsize=7.5, handlelength=2.2, frameon=True, framealpha=0.85, edgecolor="none")


def _limits(axes: Axes, rows: pd.DataFrame, work: str) -> None:
    fine = rows[rows["recall"] >= ENOUGH].groupby("router")[work].min()
    every = fine.reindex(rows["router"].unique())
    end = float(rows[work].max()) if every.isna().any() else float(every.max())
    plain_log(axes, "x", [float(rows[work].min()), max(end, 1.5 * float(rows[work].min()))])
    low = float(rows["recall"].min())
    axes.set_ylim(max(0.0, math.floor(10 * low) / 10), 1.01)
