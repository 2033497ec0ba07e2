"""What commands that read results ask on the command line, in the same words.

The commands themselves are in the rooms that do their work: `runner/commands`, `plots/commands.py`, `__main__`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .errors import ResultError

if TYPE_CHECKING:  # it brings NumPy, and `--help` shall answer at once
    from .run import Run

Out = Annotated[Path, typer.Option(help="Folder of results.")]
Datasets = Annotated[
    list[str] | None,
    typer.Option(
        help="Where OUT holds another suite's results: the dataset they belong to, if it is not beside them; "
        "repeat for several."
    ),
]
DEFAULT_OUT = Path("results-ivfbench")


def some(out: Path, runs: "list[Run]") -> "list[Run]":
    """Return the runs of a folder; raise ResultError if there are none."""
    if not runs:
        raise ResultError(f"{out}: found no results, expected some (ivfbench run --out {out})")
    return runs


def recall_levels(text: str) -> tuple[float, ...]:
    """Return the recalls of ``--at-recall``, such as 0.9,0.95.

    Raises
    ------
    typer.BadParameter
        No numbers, or none that a recall can be.
    """
    try:
        levels = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"--at-recall: found {text!r}, expected numbers such as 0.9,0.95,0.99") from None
    if not all(0 < level <= 1 for level in levels):
        raise typer.BadParameter(f"--at-recall: found {text!r}, expected recalls above 0 and at most 1")
    return levels
