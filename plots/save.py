"""Figures as files: whole or not at all, and equal figures as equal bytes."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from ..results.files import replacing
from .errors import PlotError

UNDATED: dict[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
    "png": {},
    "pgf": {},
}
DRAWN = ("pdf", "svg", "png")
FORMATS = (*UNDATED, "csv")
TEX = ("xelatex", "lualatex", "pdflatex")


def check_formats(formats: Sequence[str]) -> None:
    """Raise unless all formats are known, and can be written here.

    Raises
    ------
    PlotError
        One line. PGF needs a TeX installation, which measures the text.
    """
    unknown = [format for format in formats if format not in FORMATS]
    if unknown or not formats:
        found = repr(unknown[0]) if unknown else "none"
        raise PlotError(f"format of figure: found {found}, expected one of {', '.join(FORMATS)}")
    if "pgf" in formats and _tex() is None:
        raise PlotError(
            f"format pgf: found none of {', '.join(TEX)}, expected a TeX installation: it measures the text"
        )


def format_of(path: Path) -> str:
    """Return the format that a file's name asks for.

    Raises
    ------
    PlotError
        None that figures have.
    """
    format = path.suffix.removeprefix(".")
    if format not in DRAWN:
        raise PlotError(f"{path}: found the ending {path.suffix!r}, expected one of .{', .'.join(DRAWN)}")
    return format


def save_figure(drawn: Figure, path: Path, format: str) -> Path:
    """Write a figure without dates and return its path."""
    with replacing(path) as temporary, mpl.rc_context({"pgf.texsystem": _tex() or TEX[0]}):
        drawn.savefig(temporary, format=format, metadata=UNDATED[format] or None)
    return path


def save_frame(frame: pd.DataFrame, path: Path) -> Path:
    """Write the numbers of a figure as CSV and return its path."""
    with replacing(path) as temporary:
        frame.to_csv(temporary, index=False, lineterminator="\n")
    return path


def save_formats(drawn: Figure, folder: Path, stem: str, formats: Sequence[str] = DRAWN) -> list[Path]:
    """Write ``<folder>/<stem>.<format>`` for each format and return the paths."""
    return [save_figure(drawn, folder / f"{stem}.{format}", format) for format in formats]


def _tex() -> str | None:
    return next((name for name in TEX if shutil.which(name)), None)
