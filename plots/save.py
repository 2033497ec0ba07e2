"""Figures as files: whole or not at all, and equal figures as equal bytes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from ..results.files import replacing

UNDATED: dict[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
    "png": {},
}
FORMATS = tuple(UNDATED)


def save_figure(drawn: Figure, path: Path, format: str) -> Path:
    """Write a figure without dates and return its path."""
    with replacing(path) as temporary:
        drawn.savefig(temporary, format=format, metadata=UNDATED[format])
    return path


def save_formats(drawn: Figure, folder: Path, stem: str, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Write ``<folder>/<stem>.<format>`` for each format and return the paths."""
    return [save_figure(drawn, folder / f"{stem}.{format}", format) for format in formats]
