"""Both fronts of a comparison with their bands: a panel for each curve that has a clock."""

from pathlib import Path
from textwrap import fill

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..results.compare.comparison import Comparison, Judged
from ..results.compare.markdown import speed
from ..results.compare.sides import Answers, Times
from .errors import NothingToShowError
from .figures import plain_log
from .recall_axis import set_recall_axis
from .save import format_of, save_figure
from .style import COLOURS, style

PANEL = (5.2, 3.8)  # inches
ACROSS = 3
WIDEST = 62  # characters of a title's line
SHOWN_ARMS = (("base", COLOURS[0], "o", "solid"), ("head", COLOURS[1], "s", "dashed"))

Values = npt.NDArray[np.float64]


def draw_compared_fronts(comparison: Comparison, path: Path) -> Path:
    """Write the figure of both fronts.

    The line is the median over all passes of all processes; the band holds the middle half of the processes' medians.

    Raises
    ------
    NothingToShowError
        No curve was timed in turns.
    """
    timed = [one for one in comparison.judged if one.times is not None]
    if not timed:
        raise NothingToShowError("no fronts to draw: nothing was timed in turns")
    across = min(ACROSS, len(timed))
    down = -(-len(timed) // across)
    with style():
        canvas = Figure(figsize=(PANEL[0] * across, PANEL[1] * down), layout="constrained")
        FigureCanvasAgg(canvas)
        panels = canvas.subplots(down, across, squeeze=False).ravel()
        for axes, one in zip(panels, timed, strict=False):
            _panel(axes, one)
        for axes in panels[len(timed) :]:
            axes.set_axis_off()
        names = {"base": comparison.base, "head": comparison.head}
        lines = panels[0].get_lines()
        canvas.legend(lines, [names[arm] for arm, *_ in SHOWN_ARMS], loc="outside lower center", ncols=2)
        return save_figure(canvas, path, format_of(path))


def _panel(axes: Axes, one: Judged) -> None:
    assert one.times is not None
    assert one.time is not None
    answers: dict[str, Answers] = {"base": one.base, "head": one.head}
    across, up = [], []
    for arm, colour, marker, dashes in SHOWN_ARMS:
        recall = answers[arm].mean_recall
        low, middle, high = _rates(one.times, one.clock, arm)
        order = np.argsort(recall)
        axes.plot(recall[order], middle[order], color=colour, marker=marker, linestyle=dashes, zorder=3, clip_on=False)
        if len(order) > 1:
            axes.fill_between(recall[order], low[order], high[order], color=colour, alpha=0.2, linewidth=0)
        across += list(recall)
        up += [*low, *high]
    set_recall_axis(axes, "x", across, "nines")
    plain_log(axes, "y", up)
    axes.set(xlabel=f"recall@{one.curve.k}", ylabel=f"queries per second of {one.clock} time")
    title = f"{one.curve.dataset}, {one.curve.mode}, {one.curve.algorithm}"
    axes.set_title(f"{fill(title, WIDEST)}\n{one.state}: {speed(one.time.speed_up)}", fontsize=8.5)


def _rates(times: Times, clock: str, arm: str) -> tuple[Values, Values, Values]:
    # Lower quartile, median and upper quartile over processes of the median over passes, (s,) each.
    of_processes = times.queries / np.median(times.seconds[clock, arm], axis=1)
    low, high = np.quantile(of_processes, [0.25, 0.75], axis=0)
    return low, times.queries / np.median(times.seconds[clock, arm], axis=(0, 1)), high
