"""How figures look, in one place.

Seven colours are those of Okabe and Ito ("Color Universal Design", 2008), told apart with every common colour
vision; the eighth, a dark wine, is that of Tol's muted scheme ("Colour Schemes", SRON 2021). Markers tell curves apart
in print without colour. Fonts are embedded as Type 42, which publishers ask for, and figures have the widths of a
column and of a page, so that nothing is scaled and letters stay as large as they are here. The style is applied while
a figure is drawn and never when a module is imported.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl

SIZE = (6.4, 4.2)  # inches
WIDTHS = {"single": 3.4, "double": 7.0}  # inches: one column, and two with the gap between them
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#882255")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
LINES = ("solid", "dashed", "dotted", "dashdot")
HATCHES = ("", "/////", ".....", "xxxxx")
GUIDE = "#777777"
OTHER = "#C8C8C8"
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
    "pgf.rcfonts": False,  # a paper's own fonts
    "svg.hashsalt": "ivfbench",
    "savefig.dpi": 160,
}
SMALL: dict[Any, Any] = {  # on top of these in figures that are as wide as they are printed
    "font.size": 8.0,
    "axes.titlesize": 8.0,
    "axes.labelsize": 8.0,
    "legend.fontsize": 7.0,
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "lines.linewidth": 1.2,
    "lines.markersize": 4.0,
    "savefig.dpi": 200,
}


@dataclass(frozen=True)
class Look:
    """Colour and marker of one algorithm; `turn` counts the earlier ones of that colour, for marks without markers."""

    colour: str
    marker: str
    turn: int = 0

    @property
    def hatch(self) -> str:
        """What fills its bars."""
        return HATCHES[self.turn % len(HATCHES)]

    @property
    def line(self) -> str:
        """The style of its lines where they have no markers."""
        return LINES[self.turn % len(LINES)]


@contextmanager
def style(small: bool = False) -> Iterator[None]:
    """Apply the style within a block, on top of matplotlib's defaults instead of the user's settings.

    Parameters
    ----------
    small
        With the letters and lines of figures that are printed as wide as they are.
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update({**PARAMETERS, **(SMALL if small else {})})
        yield


def looks(algorithms: Iterable[str]) -> dict[str, Look]:
    """Return one look per algorithm, by its place among the sorted names.

    The same set of algorithms looks the same in every figure; 8 colours and 9 markers give 72 distinct looks.
    """
    names = sorted(set(algorithms))
    return {
        name: Look(COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)], place // len(COLOURS))
        for place, name in enumerate(names)
    }


def line_styles(threads: Iterable[int]) -> dict[int, str]:
    """Return one line style per number of threads, solid for the smallest."""
    return {count: LINES[place % len(LINES)] for place, count in enumerate(sorted(set(threads)))}
