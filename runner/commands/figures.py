"""What commands of this room need drawn: `__main__` knows the room that draws, and hands it over in the context."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figures:
    """Who draws.

    Attributes
    ----------
    results : callable
        Of runs, into a folder of results; says what it drew.
    report : callable
        On routing: of runs, the report's kind, the experiment's name, into a folder of results; says what it wrote.
    compared_fronts : callable
        Of two versions, into a file.
    history : callable
        Of many versions, into a file.
    """

    results: Callable[..., None]
    report: Callable[..., None]
    compared_fronts: Callable[..., Path]
    history: Callable[..., Path]
