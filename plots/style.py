"""How figures look, in one place.

Colours are those of Okabe and Ito ("Color Universal Design", 2008), told apart with every common colour
vision; markers tell curves apart in print without colour. Fonts are embedded as Type 42, which publishers ask
for. The style is applied while a figure is drawn and never when a module is imported.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl

SIZE = (6.4, 4.2)  # inches
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
LINES = ("solid", "dashed", "dotted", "dashdot")
PARAMETERS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same figure on every machine
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "lines.markersize": 5.0,
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.hashsalt": "ivfbench",
    "savefig.dpi": 160,
}


@dataclass(frozen=True)
class Look:
    """Colour and marker of one algorithm."""

    colour: str
    marker: str


@contextmanager
def style() -> Iterator[None]:
    """Apply the style within a block, on top of matplotlib's defaults instead of the user's settings."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(PARAMETERS)
        yield


def looks(algorithms: Iterable[str]) -> dict[str, Look]:
    """Return one look per algorithm, by its place among the sorted names.

    The same set of algorithms looks the same in every figure; 7 colours and 9 markers give 63 distinct looks.
    """
    names = sorted(set(algorithms))
    return {
        name: Look(COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)]) for place, name in enumerate(names)
    }


def line_styles(threads: Iterable[int]) -> dict[int, str]:
    """Return one line style per number of threads, solid for the smallest."""
    return {count: LINES[place % len(LINES)] for place, count in enumerate(sorted(set(threads)))}
