"""The axis of recall: linear, or stretched towards 1 where the good methods are crowded.

"nines" is 1 - recall on a logarithmic axis: r stands at -log10(1.001 - r), so that 0.9, 0.99 and 0.999 are about
evenly spaced. "logit" stretches both ends: r stands at log10((r + 0.001) / (1.001 - r)). The thousandth gives recall
1.0, and recall 0 on the logit axis, a place: exact search is never hidden.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from .errors import PlotError

SCALES = ("linear", "logit", "nines")
OFFSET = 1e-3
NINES = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1.0)
FEW_NINES = (0.0, 0.5, 0.9, 0.99, 1.0)
LOGIT = (0.0, 0.01, 0.1, 0.5, 0.9, 0.99, 1.0)
NARROW = 3.55  # inches: panels that are not wider get fewer ticks
MARGIN = 0.02  # of the range shown

Values = npt.NDArray[np.float64]


def set_recall_axis(axes: Axes, which: str, recalls: Sequence[float], scale: str, narrow: bool = False) -> None:
    """Scale and limit the "x" or "y" axis of some axes for the recalls it shows.

    The range goes from just under the lowest recall to 1, and is never too small to have ticks.

    Parameters
    ----------
    axes, which
        The axes, and "x" or "y".
    recalls
        At least one.
    scale
        One of `SCALES`.
    narrow
        Whether there is room for few ticks only.

    Raises
    ------
    PlotError
        An unknown scale.
    """
    check_scale(scale)
    lowest = max(0.0, min(*recalls, 0.95))
    margin = MARGIN * (1.0 - lowest)
    limits = (max(0.0, lowest - margin), 1.0 + (margin / 2 if scale == "linear" else 0.0))
    if scale != "linear":
        functions = (forward, backward) if scale == "nines" else (logit, from_logit)
        (axes.set_xscale if which == "x" else axes.set_yscale)("function", functions=functions)
        axis = axes.xaxis if which == "x" else axes.yaxis
        ticks = LOGIT if scale == "logit" else FEW_NINES if narrow else NINES
        axis.set_major_locator(FixedLocator([tick for tick in ticks if limits[0] <= tick]))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    (axes.set_xlim if which == "x" else axes.set_ylim)(*limits)


def check_scale(scale: str) -> None:
    """Raise `PlotError` unless there is such a scale."""
    if scale not in SCALES:
        raise PlotError(f"scale of recall: found {scale!r}, expected one of {', '.join(SCALES)}")


def forward(recalls: Values) -> Values:
    """Return -log10(1.001 - r), for any r up to 1."""
    return -np.log10(1.0 + OFFSET - np.minimum(recalls, 1.0))


def backward(places: Values) -> Values:
    """Return the recalls drawn at these places."""
    return 1.0 + OFFSET - 10.0 ** -np.asarray(places, np.float64)


def logit(recalls: Values) -> Values:
    """Return log10((r + 0.001) / (1.001 - r)), for any r from 0 to 1."""
    inside = np.clip(recalls, 0.0, 1.0)
    return np.asarray(np.log10((inside + OFFSET) / (1.0 + OFFSET - inside)), np.float64)


def from_logit(places: Values) -> Values:
    """Return the recalls drawn at these places of the logit axis."""
    odds = 10.0 ** np.asarray(places, np.float64)
    return np.asarray((odds * (1.0 + OFFSET) - OFFSET) / (1.0 + odds), np.float64)
