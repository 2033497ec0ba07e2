"""What peers that search a hierarchical navigable small world have in common, whatever the library: parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..rows import positive
from .peer import Peer, ef_grid


@dataclass(frozen=True, slots=True, repr=False)
class Graph(Peer):
    """A hierarchical navigable small world; the query parameter is ef, the candidates kept while searching.

    Parameters
    ----------
    degree : int
        M: neighbours of a node, twice as many in the lowest layer.
    ef_construction : int
        Candidates kept while building.
    """

    degree: int = 16
    ef_construction: int = 200

    def __post_init__(self) -> None:
        name = type(self).__name__
        positive(self.degree, f"{name}.degree")
        positive(self.ef_construction, f"{name}.ef_construction")

    def query_grid(self) -> tuple[Mapping[str, Any], ...]:
        """Return ef from 10 to 1000."""
        return ef_grid()
