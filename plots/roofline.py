"""The roofline as a figure: what a kernel does per byte, against what it does per second, under the roofs."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .errors import PlotError
from .figures import plain_log
from .place_labels import place_labels
from .save import save_formats
from .style import COLOURS, MARKERS, PARAMETERS, style

GREY = "#555555"
FAINT = "#AAAAAA"
SIZE = 7.0  # points, of what is written along roofs
CLOSE = 1.25  # roofs within this ratio are named together


def roofline(table: pd.DataFrame, limits: pd.DataFrame) -> Figure:
    """Return the figure.

    Parameters
    ----------
    table
        As `results.roofline.roofline_table` returns it, at least one row.
    limits
        As `results.roofline.limits_table` returns it.

    Raises
    ------
    PlotError
        No rows.
    """
    if table.empty:
        raise PlotError("nothing to draw: the table has no rows")
    canvas = Figure(figsize=(8.4, 5.6), dpi=PARAMETERS["savefig.dpi"], layout="constrained")
    agg = FigureCanvasAgg(canvas)
    axes = canvas.add_subplot()
    slopes, peaks = (limits[limits["unit"] == unit] for unit in ("bytes", "operations"))
    across, up = list(table["operations_per_byte"]), list(table["gigaoperations_per_second"])
    steepest, tallest = slopes["giga_per_second"].max(), peaks["giga_per_second"].max()
    left, right = min(across) / 12.0, max(*across, tallest / slopes["giga_per_second"].min()) * 3.0
    plain_log(axes, "x", [left, right])
    plain_log(axes, "y", [min(up) / 2.0, tallest * 1.5])
    axes.set(xlabel="operations per byte", ylabel="10⁹ operations per second")
    axes.set_title("Roofline of one thread")
    _dots(axes, table)
    _peaks(axes, peaks, steepest)
    canvas.legend(loc="outside lower center", ncols=3)
    canvas.canvas.draw()  # fixes the place of the axes, which slopes and labels are measured against
    canvas.set_layout_engine("none")
    _slopes(axes, slopes, tallest)
    axes.set_xlim(left / 1.15, right * 1.15)
    names = [f"{row['kernel']}, {row['fraction']:.0%}" for row in table.to_dict("records")]
    place_labels(agg, axes, across, up, names)
    return canvas


def draw_roofline(
    table: pd.DataFrame, limits: pd.DataFrame, folder: Path, formats: Sequence[str] = ("png", "svg")
) -> list[Path]:
    """Write ``<folder>/roofline.<format>`` for each format and return the paths."""
    with style():
        return save_formats(roofline(table, limits), folder, "roofline", formats)


def _dots(axes: Axes, table: pd.DataFrame) -> None:
    # A colour and a marker for each kind of operation, hollow where data is cold.
    for place, (kind, rows) in enumerate(table.groupby("operation", sort=True)):
        colour, marker = COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)]
        for data, some in rows.groupby("data", sort=True):
            axes.plot(
                some["operations_per_byte"], some["gigaoperations_per_second"], marker, color=colour, markersize=6,
                markerfacecolor="white" if data == "cold" else colour, label=f"{kind}, {data}", zorder=3,
            )  # fmt: skip


def _peaks(axes: Axes, peaks: pd.DataFrame, steepest: float) -> None:
    # Named at the right, outside of the axes, where no dot can be.
    right = axes.get_xlim()[1]
    for lowest, peak, names in _grouped(peaks):
        axes.text(right * 1.05, math.sqrt(lowest * peak), names, fontsize=SIZE, color=GREY, va="center")
    for peak in peaks["giga_per_second"]:
        axes.plot([peak / steepest, right], [peak, peak], color=FAINT, linewidth=1.0, zorder=1)


def _slopes(axes: Axes, slopes: pd.DataFrame, tallest: float) -> None:
    left, low = axes.get_xlim()[0], axes.get_ylim()[0]
    for bandwidth in slopes["giga_per_second"]:
        x = np.array([left, tallest / bandwidth])
        axes.plot(x, bandwidth * x, color=FAINT, linewidth=1.0, zorder=1)
    for _, bandwidth, names in _grouped(slopes):
        first = max(left, low / bandwidth) * 1.1
        name = names.replace("reading ", "").replace("\n", ", ")
        axes.text(
            first, bandwidth * first * 1.1, f"reading {name} GB/s", rotation=_angle(axes, first, bandwidth),
            rotation_mode="anchor", fontsize=SIZE, color=GREY,
        )  # fmt: skip


def _grouped(limits: pd.DataFrame) -> list[tuple[float, float, str]]:
    """Return the lowest and the highest of roofs that lie close together, and their names, the highest first."""
    found: list[tuple[float, float, str]] = []
    for row in limits.sort_values("giga_per_second").to_dict("records"):
        height, text = float(row["giga_per_second"]), f"{row['limit']} {row['giga_per_second']:.3g}"
        if found and height < found[-1][1] * CLOSE:
            lowest, _, others = found.pop()
            found.append((lowest, height, f"{text}\n{others}"))
        else:
            found.append((height, height, text))
    return found


def _angle(axes: Axes, x: float, bandwidth: float) -> float:
    (x0, y0), (x1, y1) = axes.transData.transform([(x, bandwidth * x), (10 * x, 10 * bandwidth * x)])
    return math.degrees(math.atan2(y1 - y0, x1 - x0))
