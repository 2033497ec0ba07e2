"""A history as a figure: the cost of every curve over commits, its level, and where it stepped."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..results.compare.history import history_steps
from .errors import NothingToShowError
from .figures import plain_log
from .save import format_of, save_figure
from .style import COLOURS, style

PANEL = (7.2, 2.9)  # inches
WIDEST = 92  # characters of a title's line
DIGITS = 7  # of a commit
LABELS = 12  # commits that are named


def draw_history(frame: pd.DataFrame, path: Path, accepted: Mapping[str, str]) -> Path:
    """Write the figure: a panel for each curve and fingerprint.

    Raises
    ------
    NothingToShowError
        The history is empty.
    """
    groups = list(frame.sort_values("time").groupby(["curve", "fingerprint"], sort=True))
    if not groups:
        raise NothingToShowError("no history to draw: it has no lines")
    found = history_steps(frame, accepted)
    with style():
        canvas = Figure(figsize=(PANEL[0], PANEL[1] * len(groups)), layout="constrained")
        FigureCanvasAgg(canvas)
        panels = canvas.subplots(len(groups), 1, squeeze=False).ravel()
        for axes, ((curve, machine), lines) in zip(panels, groups, strict=True):
            own = found[(found["curve"] == curve) & (found["fingerprint"] == machine)]
            _panel(axes, f"{curve}, machine {machine}", lines.reset_index(drop=True), own)
        return save_figure(canvas, path, format_of(path))


def _panel(axes: Axes, title: str, lines: pd.DataFrame, own: pd.DataFrame) -> None:
    cost = lines["cost"].to_numpy(np.float64)
    axes.plot(range(len(cost)), cost, color=COLOURS[0], marker="o", linestyle="none", markersize=3.5, zorder=3)
    places = [int(lines.index[lines["commit"] == commit][0]) for commit in own["commit"]]
    edges = [0, *places, len(cost)]
    for start, end in itertools.pairwise(edges):
        axes.hlines(np.median(cost[start:end]), start - 0.4, end - 0.6, color=COLOURS[6], linewidth=1.2)
    for place, slower, reason in zip(places, own["slower"], own["accepted"], strict=True):
        colour = COLOURS[2] if reason or slower < 0 else COLOURS[1]
        axes.axvline(place - 0.5, color=colour, linestyle="dashed", linewidth=1.0)
        said = f"{100 * slower:+.0f} %" + (", accepted" if reason else "")
        axes.annotate(said, (place - 0.5, 1.0), (3, -2), xycoords=("data", "axes fraction"), va="top",
                      textcoords="offset points", color=colour, fontsize=8)  # fmt: skip
    named = np.unique(np.linspace(0, len(cost) - 1, min(LABELS, len(cost))).round().astype(int))
    axes.set_xticks(named, [str(lines["commit"][place])[:DIGITS] for place in named], rotation=30, ha="right")
    plain_log(axes, "y", list(cost))
    axes.set(ylabel="cost of a query\n(reference kernel = 1)")
    axes.set_title(fill(title, WIDEST), fontsize=8.5)
