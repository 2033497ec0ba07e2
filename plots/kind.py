"""A kind of figure as one frozen value: what it needs, how its rows become numbers, how the numbers become axes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from ..results.run import Run
from ..results.series import series
from ..results.table import table
from .style import Look
from .trace import Trace


@dataclass(frozen=True)
class Options:
    """What is asked of a figure; each kind takes from it what it has.

    Parameters
    ----------
    axis
        Scale of recall: one of `recall_axis.SCALES`.
    width
        "single" or "double": one column of a paper or two.
    facet
        Whether each dataset becomes a panel of one figure instead of a figure of its own.
    algorithms, datasets
        Globs; empty for all.
    levels
        Recalls at which costs are read; empty for those of the kind.
    baseline
        A glob, or "best-peer": what speed-ups are relative to; None for a centroid router, if it is the only one, else
        the fastest other library.
    most
        Algorithms that get a colour; the others are drawn in grey, or as bars not at all, and only the CSV names them.
    """

    axis: str = "linear"
    width: str = "double"
    facet: bool = False
    algorithms: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    levels: tuple[float, ...] = ()
    baseline: str | None = None
    most: int = 10


USUAL_OPTIONS = Options()


@dataclass(frozen=True, eq=False)
class Source:
    """What figures are made of: runs, and the folder of results for what lies there beside them."""

    runs: Sequence[Run]
    folder: Path

    @cached_property
    def table(self) -> pd.DataFrame:
        """The results table of the runs, made once, with the `series` of each row."""
        frame = table(self.runs)
        return frame.assign(series=series(frame))


@dataclass(frozen=True)
class Axis:
    """An axis: `scale` is "linear", "log", "recall" or "share" (up to 1).

    In the label "{k}" stands for the neighbours asked for. `better` is -1 where less is better; it orders the legend.
    """

    label: str
    scale: str = "linear"
    better: int = 1


@dataclass(frozen=True, eq=False)
class Drawing:
    """A figure before it is drawn."""

    kind: "Kind"
    traces: Sequence[Trace]
    looks: Mapping[str, Look]
    title: str
    k: int | None
    options: Options


@dataclass(frozen=True)
class Kind:
    """A kind of figure.

    Parameters
    ----------
    name
        As people type it.
    shows
        One line for the help.
    rows
        The table that it is made of, from results and options.
    columns
        Which it needs of that table.
    traces
        The numbers of one figure, from the rows that share `figure_by`; empty if there is nothing to show, or a
        `NothingToShowError` that says why. Rows say in ``series`` what decides colour and marker, in ``label`` what the
        legend calls it.
    draw
        The figure of at least one trace.
    x, y
        The axes; y is that of traces which do not say their quantity.
    mark
        "line", "steps", "dots" or "bars", for kinds drawn by `draw_panels`.
    figure_by
        The columns that tell one figure from another.
    """

    name: str
    shows: str
    rows: Callable[[Source, Options], pd.DataFrame]
    columns: tuple[str, ...]
    traces: Callable[[pd.DataFrame, Options], list[Trace]]
    draw: Callable[[Drawing], Figure]
    x: Axis
    y: Axis
    mark: str = "line"
    figure_by: tuple[str, ...] = ("dataset", "k", "mode")
