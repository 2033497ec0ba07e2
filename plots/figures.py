"""From traces to axes: panels of lines, steps, dots or bars, and one legend below them, the best first.

Figures are made as objects, without the state of pyplot, so that drawing works in any thread and changes
nothing for whoever else draws in the same process.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from .kind import Axis, Drawing
from .recall_axis import NARROW, set_recall_axis
from .style import GUIDE, OTHER, WIDTHS, Look, line_styles
from .trace import Trace, by_performance

LEGEND_LINE = 0.155  # inches
LETTER = 0.05  # inches: the mean width of a letter of a legend
WIDE_LETTER = 0.06  # of names with many digits and capitals: what lines are broken by
FEWEST_LETTERS = 8  # of a line
HANDLE = 0.55  # inches: what stands before a legend's text, and the gap after it
TITLE_LETTER = 0.068
SHAPES = {"single": 0.75, "double": 0.56}  # height over width of axes that stand alone
IN_A_GRID = (0.95, 0.75, 0.58)  # of one row of panels, of two, of more
ASIDE = 0.8  # of the room of a level, filled by its bars


def draw_panels(drawing: Drawing) -> Figure:
    """Return the figure of a drawing, at least one trace.

    Each quantity gets its own y axis; where there are several datasets (or whatever tells panels apart) they stand
    side by side. Of more algorithms than `Options.most` the best are in colour, the others in grey; of bars, which
    would lie behind one another, only the best are drawn.
    """
    traces = drawing.traces
    order = by_performance(traces, drawing.kind.y.better)
    places = list(dict.fromkeys((trace.quantity, trace.panel) for trace in traces))
    quantities, panels = (list(dict.fromkeys(names)) for names in zip(*places, strict=True))
    rows, columns = _shape(len(quantities), len(panels), drawing.options.width)
    coloured = order[: drawing.options.most]
    others = len(order) - len(coloured)
    if others and drawing.kind.mark == "bars":
        drawing, others = replace(drawing, title=f"{drawing.title}, {others} more in the CSV"), 0
    legend = _legend(drawing, coloured, others)
    canvas, grid = _canvas(drawing, rows, columns, legend)
    places = [(quantity, panel) for quantity in quantities for panel in panels]
    for axes, (quantity, panel) in zip(grid, places, strict=False):
        here = [trace for trace in traces if (trace.quantity, trace.panel) == (quantity, panel)]
        alike = [trace for trace in traces if trace.quantity == quantity]
        if not here:
            axes.set_visible(False)
            continue
        _fill(axes, here, drawing, coloured)
        _scale(axes, "x", traces, drawing, columns)
        _scale(axes, "y", alike, drawing, columns)
        title = broken(panel, 0.85 * WIDTHS[drawing.options.width] / columns)
        _name(axes, quantity, title, drawing, above=quantity == quantities[0] or len(panels) == 1)
    for axes in grid[len(places) :]:
        axes.set_visible(False)
    _outer_labels(grid, places, columns, alone=len(quantities) == 1)
    return canvas


def _shape(quantities: int, panels: int, width: str) -> tuple[int, int]:
    """Rows and columns: quantities beneath each other, unless one of the two is alone and can be wrapped."""
    if quantities > 1 and panels > 1 and width == "double":
        return quantities, panels
    count = quantities * panels
    columns = 1 if width == "single" else 2 if count in (2, 4) else min(3, count)
    return -(-count // columns), columns


def _canvas(
    drawing: Drawing, rows: int, columns: int, legend: tuple[list[Artist], list[str], int]
) -> tuple[Figure, list[Axes]]:
    width = WIDTHS[drawing.options.width]
    height = width * SHAPES[drawing.options.width]
    if rows * columns > 1:
        height = rows * max(1.55, width / columns * (IN_A_GRID[min(3, rows) - 1] if columns > 1 else 0.65))
    handles, labels, legend_columns = legend
    # The legend stands below the axes, which keep their size however many curves there are.
    lines = -(-sum(1 + label.count("\n") for label in labels) // legend_columns)
    canvas = Figure(figsize=(width, height + LEGEND_LINE * lines + 0.25), layout="constrained")
    FigureCanvasAgg(canvas)
    grid = list(canvas.subplots(rows, columns, squeeze=False).flat)
    canvas.suptitle(_wrapped(drawing.title, int(width / TITLE_LETTER)), fontsize=8.5)
    if labels:
        canvas.legend(handles, labels, loc="outside lower center", ncols=legend_columns)
    return canvas, grid


def _wrapped(title: str, letters: int) -> str:
    lines = [""]
    for part in title.split(", "):
        longer = f"{lines[-1]}, {part}" if lines[-1] else part
        lines = (
            [*lines[:-1], longer] if len(longer) <= letters or not lines[-1] else [*lines[:-1], lines[-1] + ",", part]
        )
    return "\n".join(lines)


def broken(label: str, inches: float) -> str:
    """Return the name of a curve, a row or a panel in as many lines as it needs to be no wider than that."""
    return fill(label, max(FEWEST_LETTERS, int(inches / WIDE_LETTER)))


def _legend(drawing: Drawing, coloured: Sequence[str], others: int) -> tuple[list[Artist], list[str], int]:
    """Handles, labels and the number of columns that fit: the algorithms by performance, then guides and the rest.

    Where only one column fits, labels that are wider have several lines.
    """
    first = {trace.label: trace for trace in reversed(drawing.traces) if trace.algorithm}
    dashes = line_styles(trace.threads for trace in drawing.traces)
    handles: list[Artist] = [
        _handle(drawing.kind.mark, drawing.looks[first[label].algorithm], _dash(first[label], dashes))
        for label in coloured
    ]
    labels = list(coloured)
    for label in dict.fromkeys(trace.label for trace in drawing.traces if not trace.algorithm):
        handles.append(Line2D([], [], color=GUIDE, linestyle="dashed", linewidth=1.0))
        labels.append(label)
    if others:
        handles.append(Line2D([], [], color=OTHER, linewidth=1.0))
        labels.append("1 other" if others == 1 else f"{others} others")
    width = WIDTHS[drawing.options.width]
    longest = HANDLE + LETTER * max(map(len, labels), default=1)
    columns = max(1, min(4, int(width / longest)))
    return handles, [broken(label, width - HANDLE) for label in labels] if columns == 1 else labels, columns


def _handle(mark: str, look: Look, dashes: str) -> Artist:
    if mark == "bars":
        return Patch(**_filled(look))
    line: Any = {"dots": "none", "steps": look.line}.get(mark, dashes)
    return Line2D([], [], color=look.colour, marker="" if mark == "steps" else look.marker, linestyle=line)


def _filled(look: Look) -> dict[str, Any]:
    return {"facecolor": look.colour, "edgecolor": "white", "hatch": look.hatch, "linewidth": 0}


def _dash(trace: Trace, dashes: Mapping[int, str]) -> str:
    return "dashed" if trace.dashed else dashes[trace.threads]


def _fill(axes: Axes, here: Sequence[Trace], drawing: Drawing, coloured: Sequence[str]) -> None:
    dashes = line_styles(trace.threads for trace in drawing.traces)
    ranked = sorted(here, key=lambda trace: coloured.index(trace.label) if trace.label in coloured else len(coloured))
    if drawing.kind.mark == "bars":
        shown = [trace for trace in ranked if trace.label in coloured]
        _bars(axes, shown, drawing.looks, sorted({x for trace in drawing.traces for x in trace.x}), list(coloured))
        return
    for trace in reversed(ranked):  # the best lie on top
        if not trace.algorithm:
            axes.plot(trace.x, trace.y, color=GUIDE, linestyle="dashed", linewidth=1.0, zorder=2)
        elif trace.label not in coloured:
            axes.plot(trace.x, trace.y, color=OTHER, linewidth=0.8, marker=".", markersize=2, zorder=2)
        else:
            _curve(axes, trace, drawing.looks[trace.algorithm], _dash(trace, dashes), drawing.kind.mark)


def _curve(axes: Axes, trace: Trace, look: Look, dashes: str, mark: str) -> None:
    # Markers at recall 1.0 sit on the frame: unclipped, they are seen whole.
    axes.plot(
        trace.x,
        trace.y,
        color=look.colour,
        marker="" if mark == "steps" else look.marker,
        linestyle={"dots": "none", "steps": look.line}.get(mark, dashes),
        drawstyle="steps-pre" if mark == "steps" else "default",
        markevery=max(1, len(trace.x) // 12),
        label=trace.label,
        clip_on=False,
        zorder=3,
    )
    if (trace.high > trace.low).any():
        if len(trace.x) > 1:
            axes.fill_between(trace.x, trace.low, trace.high, color=look.colour, alpha=0.2, linewidth=0)
        else:
            axes.vlines(trace.x, trace.low, trace.high, color=look.colour, alpha=0.5)


def _bars(
    axes: Axes, here: Sequence[Trace], looks: Mapping[str, Look], levels: Sequence[float], order: Sequence[str]
) -> None:
    # Ratios: bars grow from 1, up for faster and down for slower. Who is absent from a level keeps its place there.
    width = ASIDE / max(1, len(order))
    axes.axhline(1.0, color=GUIDE, linewidth=1.0)
    for trace in here:
        look, place = looks[trace.algorithm], order.index(trace.label)
        at = [levels.index(x) + (place - (len(order) - 1) / 2.0) * width for x in trace.x]
        axes.bar(at, trace.y - 1.0, width, bottom=1.0, label=trace.label, **_filled(look))
    axes.set_xticks(range(len(levels)), [f"{level:g}" for level in levels])
    axes.set_xlim(-0.5, len(levels) - 0.5)
    axes.grid(axis="x", visible=False)


def _scale(axes: Axes, which: str, traces: Sequence[Trace], drawing: Drawing, columns: int) -> None:
    axis: Axis = drawing.kind.x if which == "x" else drawing.kind.y
    if which == "x" and drawing.kind.mark == "bars":
        return
    ends = ("x",) if which == "x" else ("low", "high", "y")
    values = np.concatenate([getattr(trace, end) for trace in traces for end in ends])
    values = values[np.isfinite(values)]
    narrow = WIDTHS[drawing.options.width] / columns < NARROW
    if axis.scale == "recall":
        set_recall_axis(axes, which, values.tolist(), drawing.options.axis, narrow)
    elif axis.scale == "log":
        plain_log(axes, which, [1.0, *values] if drawing.kind.mark == "bars" else values.tolist(), narrow)
    elif axis.scale == "share":
        (axes.set_xlim if which == "x" else axes.set_ylim)(min(0.9, np.floor(10.0 * values.min()) / 10.0), 1.0)


def _name(axes: Axes, quantity: str, panel: str, drawing: Drawing, *, above: bool) -> None:
    axes.set_xlabel(drawing.kind.x.label.format(k=drawing.k))
    axes.set_ylabel((quantity or drawing.kind.y.label).format(k=drawing.k))
    axes.set_title(panel if above else "")


def _outer_labels(grid: Sequence[Axes], places: Sequence[object], columns: int, *, alone: bool) -> None:
    """Leave out what the axes beside and beneath say too: the label of x above another panel, of y beside another."""
    for place, axes in enumerate(grid[: len(places)]):
        below = place + columns
        if below < len(places) and grid[below].get_visible():
            axes.set_xlabel("")
        left = place % columns
        if left and axes.get_ylabel() == grid[place - 1].get_ylabel() and (alone or grid[place - 1].get_visible()):
            axes.set_ylabel("")


def plain_log(axes: Axes, which: str, values: Sequence[float], narrow: bool = False) -> None:
    """Numbers as people write them on a logarithmic axis, more where the range is short, fewer on a narrow x."""
    low, high = min(values), max(values)
    axis = axes.yaxis if which == "y" else axes.xaxis
    (axes.set_yscale if which == "y" else axes.set_xscale)("log")
    (axes.set_ylim if which == "y" else axes.set_xlim)(low / 1.15, high * 1.15)
    narrow = narrow and which == "x"
    steps: tuple[float, ...] = (1.0, 2.0, 5.0) if high / low < (20 if narrow else 300) else (1.0,)
    if narrow and 20 <= high / low < 300:
        steps = (1.0, 3.0)
    if high / low < (2 if narrow else 6):
        steps = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
    axis.set_major_locator(LogLocator(base=10.0, subs=steps))
    axis.set_major_formatter(FuncFormatter(plain))
    axis.set_minor_formatter(NullFormatter())


def plain(value: float, _: int | None = None) -> str:
    """Return a number as people write it on an axis."""
    for size, name in ((1e9, "billion"), (1e6, "million")):
        if value >= size:
            return f"{value / size:g} {name}"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
