"""What a figure claims, as numbers: everything is tested here, without a canvas, and exported as CSV.

A figure is a table, turned into traces, turned into axes. Traces hold no ink.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

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

    Two curves are compared where the shorter of them ends, because there they are hardest to reach and can still be
    compared; if they share no x, the one farther right wins. An algorithm is as good as it wins often, over all pairs
    and panels. Of several quantities the first counts.

    Parameters
    ----------
    traces
        Of one figure; guides are left out.
    better
        +1 where higher is better, -1 where lower is.
    """
    own = [trace for trace in traces if trace.algorithm]
    first = [trace for trace in own if trace.quantity == own[0].quantity and len(trace.x)]
    wins = dict.fromkeys((trace.label for trace in own), 0)
    for one, other in itertools.combinations(first, 2):
        if one.panel == other.panel and one.label != other.label:
            wins[(one if _beats(one, other, better) else other).label] += 1
    return sorted(wins, key=lambda label: (-wins[label], label))


def _beats(one: Trace, other: Trace, better: int) -> bool:
    end = min(one.x[-1], other.x[-1])
    if end < max(one.x[0], other.x[0]):
        return bool(one.x[-1] > other.x[-1])
    here, there = (float(np.interp(end, trace.x, trace.y)) for trace in (one, other))
    return better * here > better * there if here != there else one.label < other.label


def grouped(rows: pd.DataFrame, *names: str) -> Iterator[tuple[Any, pd.DataFrame]]:
    """Yield the values of these columns and the rows that share them, sorted."""
    yield from rows.groupby(list(names), sort=True)


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
