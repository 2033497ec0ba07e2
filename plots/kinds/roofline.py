"""The roofline as a figure: what a kernel does per byte, against what it does per second, under the roofs."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ...results.errors import ResultError
from ...results.roofline import read_roofline
from ..draw import draw
from ..errors import NothingToShowError
from ..figures import plain_log
from ..kind import Axis, Drawing, Kind, Options, Source
from ..place_labels import place_labels
from ..style import PARAMETERS, WIDTHS
from ..trace import Trace, grouped

GREY = "#555555"
FAINT = "#AAAAAA"
SMALL = {"single": 4.5, "double": 5.5}  # points, of what is written along roofs and beside dots
CLOSE = 1.25  # roofs within this ratio are named together
KERNELS, BANDWIDTHS, PEAKS = "kernels", "bytes", "operations"
COLUMNS = ("kernel", "data", "operation", "operations_per_byte", "gigaoperations_per_second", "fraction",
           "limit", "giga_per_second", "unit")  # fmt: skip


def draw_roofline(
    table: pd.DataFrame, limits: pd.DataFrame, folder: Path, formats: Sequence[str] = ("png", "svg")
) -> list[Path]:
    """Write ``<folder>/roofline.<format>`` for each format and return the paths.

    Parameters
    ----------
    table, limits
        As `results.roofline.roofline_table` and `limits_table` return them, at least one row each.
    folder, formats
        As for `draw`.

    Raises
    ------
    PlotError
        No rows.
    """
    return draw(_rows(table, limits), ROOFLINE, folder, formats)


def _rows(table: pd.DataFrame, limits: pd.DataFrame) -> pd.DataFrame:
    if table.empty or limits.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    return pd.concat([table, limits], ignore_index=True)


def _read(source: Source, options: Options) -> pd.DataFrame:
    try:
        return _rows(*read_roofline(source.folder))
    except ResultError as error:
        raise NothingToShowError(str(error)) from error


def roofline_traces(rows: pd.DataFrame, options: Options) -> list[Trace]:
    """Return the dots of each kind of operation and temperature, and a trace for each roof.

    A roof is one point: what it allows at one operation per byte.
    """
    found = []
    kernels = rows[(rows["operations_per_byte"] > 0) & (rows["gigaoperations_per_second"] > 0)]
    limits = rows[rows["giga_per_second"] > 0]
    for (operation, data), some in grouped(kernels, "operation", "data"):
        x, y = (some[name].to_numpy(np.float64) for name in ("operations_per_byte", "gigaoperations_per_second"))
        names = tuple(f"{kernel}, {part:.0%}" for kernel, part in zip(some["kernel"], some["fraction"], strict=True))
        cold = data == "cold"
        found.append(Trace(f"{operation}, {data}", operation, x, y, quantity=KERNELS, dashed=cold, names=names))
    if not found or set(limits["unit"]) != {BANDWIDTHS, PEAKS}:
        return []
    for row in limits.to_dict("records"):
        y = np.array([row["giga_per_second"]])
        found.append(Trace(row["limit"], "", np.ones(1), y, quantity=row["unit"]))
    return found


def roofline(drawing: Drawing) -> Figure:
    """Return the figure: dots under slopes (bytes) and ceilings (operations)."""
    own, slopes, peaks = (
        [trace for trace in drawing.traces if trace.quantity == quantity] for quantity in (KERNELS, BANDWIDTHS, PEAKS)
    )
    width = WIDTHS[drawing.options.width]
    canvas = Figure(figsize=(width, width * 0.75), dpi=PARAMETERS["savefig.dpi"], layout="constrained")
    agg = FigureCanvasAgg(canvas)
    axes = canvas.add_subplot()
    across, up = (list(np.concatenate([getattr(trace, end) for trace in own])) for end in ("x", "y"))
    steepest, tallest = _highest(slopes), _highest(peaks)
    left, right = min(across) / 12.0, max(*across, tallest / min(float(trace.y[0]) for trace in slopes)) * 3.0
    plain_log(axes, "x", [left, right])
    plain_log(axes, "y", [min(up) / 2.0, tallest * 1.5])
    axes.set(xlabel=drawing.kind.x.label, ylabel=drawing.kind.y.label, title="Roofline of one thread")
    small = SMALL[drawing.options.width]
    for trace in own:  # a colour and a marker for each kind of operation, hollow where data is cold
        look = drawing.looks[trace.algorithm]
        axes.plot(
            trace.x, trace.y, look.marker, color=look.colour, markersize=small - 0.5,
            markerfacecolor="white" if trace.dashed else look.colour, label=trace.label, zorder=3,
        )  # fmt: skip
    _peaks(axes, peaks, steepest, small)
    canvas.legend(loc="outside lower center", ncols=3 if drawing.options.width == "double" else 1)
    canvas.canvas.draw()  # fixes the place of the axes, which slopes and labels are measured against
    canvas.set_layout_engine("none")
    _slopes(axes, slopes, tallest, small)
    axes.set_xlim(left / 1.15, right * 1.15)
    place_labels(agg, axes, across, up, [name for trace in own for name in trace.names], small + 0.5)
    return canvas


def _highest(limits: Sequence[Trace]) -> float:
    return max(float(trace.y[0]) for trace in limits)


def _peaks(axes: Axes, peaks: Sequence[Trace], steepest: float, small: float) -> None:
    # Named at the right, outside of the axes, where no dot can be.
    right = axes.get_xlim()[1]
    for lowest, peak, names in _grouped(peaks):
        axes.text(right * 1.05, math.sqrt(lowest * peak), names, fontsize=small, color=GREY, va="center")
    for peak in (float(trace.y[0]) for trace in peaks):
        axes.plot([peak / steepest, right], [peak, peak], color=FAINT, linewidth=1.0, zorder=1)


def _slopes(axes: Axes, slopes: Sequence[Trace], tallest: float, small: float) -> None:
    left, low = axes.get_xlim()[0], axes.get_ylim()[0]
    for bandwidth in (float(trace.y[0]) for trace in slopes):
        x = np.array([left, tallest / bandwidth])
        axes.plot(x, bandwidth * x, color=FAINT, linewidth=1.0, zorder=1)
    for _, bandwidth, names in _grouped(slopes):
        first = max(left, low / bandwidth) * 1.1
        name = names.replace("reading ", "").replace("\n", ", ")
        axes.text(
            first, bandwidth * first * 1.1, f"reading {name} GB/s", rotation=_angle(axes, first, bandwidth),
            rotation_mode="anchor", fontsize=small, color=GREY,
        )  # fmt: skip


def _grouped(limits: Sequence[Trace]) -> list[tuple[float, float, str]]:
    """Return the lowest and the highest of roofs that lie close together, and their names, the highest first."""
    found: list[tuple[float, float, str]] = []
    for height, name in sorted((float(trace.y[0]), trace.label) for trace in limits):
        text = f"{name} {height:.3g}"
        if found and height < found[-1][1] * CLOSE:
            lowest, _, others = found.pop()
            found.append((lowest, height, f"{text}\n{others}"))
        else:
            found.append((height, height, text))
    return found


def _angle(axes: Axes, x: float, bandwidth: float) -> float:
    (x0, y0), (x1, y1) = axes.transData.transform([(x, bandwidth * x), (10 * x, 10 * bandwidth * x)])
    return math.degrees(math.atan2(y1 - y0, x1 - x0))


ROOFLINE = Kind(
    "roofline",
    "what each kernel does beside what the machine allows, from what `ivfbench roofline` measured",
    *(_read, COLUMNS, roofline_traces, roofline),
    x=Axis("operations per byte", "log"),
    y=Axis("10⁹ operations per second", "log"),
    figure_by=(),
)
