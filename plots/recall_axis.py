"""The axis of recall: linear, or stretched towards 1 where the good methods are crowded.

The "nines" scale draws r at -log10(1.001 - r): 0.9, 0.99 and 0.999 are about evenly spaced, and 1 has a
place.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from .errors import PlotError

SCALES = ("linear", "nines")
OFFSET = 1e-3
NINES = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1.0)
MARGIN = 0.02  # of the range shown

Values = npt.NDArray[np.float64]


def set_recall_axis(axes: Axes, which: str, recalls: Sequence[float], scale: str) -> None:
    """Scale and limit the "x" or "y" axis of some axes for the recalls it shows.

    The range goes from just under the lowest recall to 1, and is never too small to have ticks.

    Raises
    ------
    PlotError
        An unknown scale.
    """
    if scale not in SCALES:
        raise PlotError(f"scale of recall: found {scale!r}, expected one of {', '.join(SCALES)}")
    lowest = max(0.0, min(*recalls, 0.95))
    margin = MARGIN * (1.0 - lowest)
    limits = (max(0.0, lowest - margin), 1.0 + (margin / 2 if scale == "linear" else 0.0))
    if scale == "nines":
        (axes.set_xscale if which == "x" else axes.set_yscale)("function", functions=(forward, backward))
        axis = axes.xaxis if which == "x" else axes.yaxis
        axis.set_major_locator(FixedLocator([tick for tick in NINES if limits[0] <= tick]))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    (axes.set_xlim if which == "x" else axes.set_ylim)(*limits)


def forward(recalls: Values) -> Values:
    """Return -log10(1.001 - r), for any r up to 1."""
    return -np.log10(1.0 + OFFSET - np.minimum(recalls, 1.0))


def backward(places: Values) -> Values:
    """Return the recalls drawn at these places."""
    return 1.0 + OFFSET - 10.0 ** -np.asarray(places, np.float64)
