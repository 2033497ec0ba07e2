"""The gain over the baseline against the one parameter that varies."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .style import COLOURS, MARKERS

MOST = 14  # lines that a legend names
APART = 0.012  # of the axis, between the lines of two families
SHORT = {"router.type": "", "dataset": "", "clustering.type": ""}  # these values need no name before them


def gain_lines(rows: pd.DataFrame, factor: str, settings: Sequence[tuple[int, str, float]]) -> Figure:
    """Return the figure of one parameter, a panel for each setting (k, budget, share).

    Parameters
    ----------
    rows
        Rows of `results.gains` of one factor.
    factor
        Its name, for the axis.
    settings
        The panels.
    """
    families = sorted(set(rows["family"]))
    names = family_names(families)
    lines = min(MOST, len(families)) // 2 + 1
    canvas = Figure(figsize=(0.6 + 3.6 * len(settings), 3.2 + 0.19 * lines), layout="constrained")
    FigureCanvasAgg(canvas)
    panels = canvas.subplots(1, len(settings), squeeze=False)[0]
    for axes, (k, budget, share) in zip(panels, settings, strict=True):
        some = rows[(rows["k"] == k) & (rows["budget"] == budget) & (rows["share"] == share)]
        _panel(axes, some, families, names)
        axes.set_title(f"top-{k}, {100 * share:g} % of the {budget}", fontsize=9)
        axes.set_xlabel(factor)
    panels[0].set_ylabel("gain over the baseline")
    handles, labels = panels[0].get_legend_handles_labels()
    canvas.legend(handles[:MOST], labels[:MOST], loc="outside lower center", ncols=2, fontsize=7.5)
    return canvas


def family_names(families: Sequence[str]) -> dict[str, str]:
    """Return a legend's name for each family of `gains`: its router, and the facts in which families differ."""
    facts: dict[str, Mapping[str, Any]] = {family: json.loads(family) for family in families}
    known = sorted({name for told in facts.values() for name in told})
    differ = [name for name in known if len({json.dumps(told.get(name)) for told in facts.values()}) > 1]
    named = ["router.type", *(name for name in differ if name != "router.type")]
    return {family: ", ".join(_words(told, named)) for family, told in facts.items()}


def _words(facts: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    held = [name for name in names if facts.get(name) is not None]
    # "k" alone would be read as the k of the title.
    short = {name: name.rpartition(".")[2] if len(name.rpartition(".")[2]) > 1 else name for name in held}
    return [f"{facts[name]}" if name in SHORT else f"{short[name]} {facts[name]}" for name in held]


def _panel(axes: Axes, rows: pd.DataFrame, families: Sequence[str], names: Mapping[str, str]) -> None:
    values = list(rows["value"])
    ticks: list[Any] = sorted({str(value) for value in values})
    numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    if numeric:
        ticks = sorted(set(values))
    axes.axhline(0.0, color="#555555", linewidth=1.0)
    logarithmic = numeric and len(ticks) > 0 and min(ticks) > 0 and max(ticks) / min(ticks) >= 4
    for place, family in enumerate(families):
        aside = _aside(place - (len(families) - 1) / 2.0, ticks if numeric else range(len(ticks)), logarithmic)
        line = rows[rows["family"] == family]
        at = [float(value) if numeric else float(ticks.index(str(value))) for value in line["value"]]
        line = line.assign(at=[aside(value) for value in at]).sort_values("at")
        spans = [line["difference"] - line["low"], line["high"] - line["difference"]]
        look: dict[str, Any] = {"color": COLOURS[place % len(COLOURS)], "marker": MARKERS[place % len(MARKERS)]}
        line_style = "solid" if numeric else "none"
        axes.errorbar(
            line["at"],
            line["difference"],
            yerr=spans,
            capsize=1.5,
            elinewidth=0.8,
            markersize=4,
            linewidth=1.2,
            linestyle=line_style,
            label=names[family],
            **look,
        )
    if logarithmic:
        axes.set_xscale("log")
        axes.minorticks_off()
    places = ticks if numeric else range(len(ticks))
    axes.set_xticks(list(places), [f"{tick:g}" if numeric else str(tick) for tick in ticks])
    if not numeric:
        axes.set_xlim(-0.5, len(ticks) - 0.5)


def _aside(turn: float, ticks: Sequence[float], logarithmic: bool) -> Callable[[float], float]:
    # Intervals over one value stand side by side instead of on each other.
    if logarithmic:
        factor = (max(ticks) / min(ticks)) ** (APART * turn)
        return lambda value: value * factor
    shift = APART * turn * (max(ticks, default=0.0) - min(ticks, default=0.0))
    return lambda value: value + shift
