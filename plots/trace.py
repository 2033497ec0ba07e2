"""What a figure claims, as numbers: everything is tested here, without a canvas, and exported as CSV.

A figure is a table, turned into traces, turned into axes. Traces hold no ink.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float64]
EMPTY: FloatArray = np.empty(0)


@dataclass(frozen=True, eq=False)
class Trace:
    """One curve, one set of bars, or the dots of one algorithm, in one panel.

    Parameters
    ----------
    label
        The name in the legend.
    algorithm
        What decides colour and marker: the text of `results.series`, the same in every figure. Empty for a guide,
        which is drawn in grey and belongs to nobody.
    x, y
        (p,) float64, p points by rising x.
    low, high
        (p,) float64, the interval of y; equal to y where there is none.
    threads
        Threads used to answer, which decide the line style.
    panel
        The panel across: a dataset, a dimension; empty where there is only one.
    quantity
        What y is, where a figure shows several; empty for that of the kind.
    dashed
        Whether it is what others are compared with.
    names
        What each point is, where points have names.
    """

    label: str
    algorithm: str
    x: FloatArray
    y: FloatArray
    low: FloatArray = field(default_factory=lambda: EMPTY)
    high: FloatArray = field(default_factory=lambda: EMPTY)
    threads: int = 1
    panel: str = ""
    quantity: str = ""
    dashed: bool = False
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for end in ("low", "high"):
            if len(getattr(self, end)) != len(self.y):
                object.__setattr__(self, end, self.y)


def by_performance(traces: Sequence[Trace], better: int = 1) -> list[str]:
    """Return the labels of the algorithms, the best first.

    Compared are the heights where half of the curves have ended, because there most of them can still be compared;
    those that ended before come last, the longest first. Of several panels the mean place counts, of several
    quantities the first.

    Parameters
    ----------
    traces
        Of one figure; guides are left out.
    better
        +1 where higher is better, -1 where lower is.
    """
    first = traces[0].quantity if traces else ""
    shown = [trace for trace in traces if trace.algorithm and trace.quantity == first and len(trace.x)]
    places: dict[str, list[int]] = {}
    for panel in dict.fromkeys(trace.panel for trace in shown):
        here = [trace for trace in shown if trace.panel == panel]
        middle = float(np.median([trace.x[-1] for trace in here]))

        def worth(trace: Trace, middle: float = middle) -> tuple[bool, float, str]:
            ended = bool(trace.x[-1] < middle)
            height = float(trace.x[-1]) if ended else better * float(np.interp(middle, trace.x, trace.y))
            return ended, -height, trace.label

        for place, trace in enumerate(sorted(here, key=worth)):
            places.setdefault(trace.label, []).append(place)
    absent = [trace.label for trace in traces if trace.algorithm and trace.label not in places]
    return [*sorted(places, key=lambda label: (np.mean(places[label]), label)), *dict.fromkeys(absent)]


def as_frame(traces: Sequence[Trace], x_is: str, y_is: str) -> pd.DataFrame:
    """Return the points of a figure, one a row, with what x and y are: the content of its CSV."""
    parts = [
        pd.DataFrame(
            {
                "panel": trace.panel,
                "curve": trace.label,
                "algorithm": trace.algorithm,
                "threads": trace.threads,
                "name": trace.names or "",
                "x_is": x_is,
                "x": trace.x,
                "y_is": trace.quantity or y_is,
                "y": trace.y,
                "low": trace.low,
                "high": trace.high,
            }
        )
        for trace in traces
    ]
    return pd.concat(parts, ignore_index=True)
