"""Who is better than the baseline, and how sure is that: a dot and an interval for each router."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .style import COLOURS

LINE = 0.24  # inches a router
SIGNIFICANT = 0.05
Setting = tuple[int, str, float]


def differences(rows: pd.DataFrame, settings: Sequence[Setting], title: str) -> Figure:
    """Return the figure of one contest.

    Parameters
    ----------
    rows
        Rows of the laboratory's table of one contest.
    settings
        (k, budget, share), a panel each; routers are sorted by the first.
    title
        Names dataset, clustering and baseline.
    """
    rivals = rows[~rows["baseline"] & rows["difference"].notna()]
    first = _of(rivals, settings[0]).sort_values("difference", kind="stable")
    order = {router: place for place, router in enumerate(first["router"])}
    canvas = Figure(figsize=(3.0 + 2.6 * len(settings), 1.5 + LINE * len(order)), layout="constrained")
    FigureCanvasAgg(canvas)
    panels = canvas.subplots(1, len(settings), sharey=True, squeeze=False)[0]
    for axes, setting in zip(panels, settings, strict=True):
        _panel(axes, _of(rivals, setting), order, setting)
    panels[0].set_yticks(list(order.values()), list(order))
    panels[0].set_ylim(-0.6, len(order) - 0.4)
    canvas.suptitle(title, fontsize=10)
    canvas.supxlabel("difference of accuracy to the baseline; filled: significant after Holm's correction", fontsize=8)
    return canvas


def _of(rows: pd.DataFrame, setting: Setting) -> pd.DataFrame:
    k, budget, share = setting
    return rows[(rows["k"] == k) & (rows["budget"] == budget) & (rows["share"] == share)]


def _panel(axes: Axes, rows: pd.DataFrame, order: dict[str, int], setting: Setting) -> None:
    axes.axvline(0.0, color="#555555", linewidth=1.0)
    for row in rows.to_dict("records"):
        place, sure = order[row["router"]], row["p"] < SIGNIFICANT
        colour = "#777777" if not sure else COLOURS[0] if row["difference"] > 0 else COLOURS[1]
        axes.plot([row["low"], row["high"]], [place, place], color=colour, linewidth=1.3, solid_capstyle="butt")
        axes.plot(row["difference"], place, "o", color=colour, markerfacecolor=colour if sure else "white", zorder=3)
    k, budget, share = setting
    axes.set_title(f"top-{k}, {100 * share:g} % of the {budget}", fontsize=9)
    axes.margins(x=0.08)
