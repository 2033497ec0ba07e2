"""Voyager: hierarchical navigable small worlds over float32 vectors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..rows import as_rows, positive
from .peer import Ids, Peer, PeerIndex, Rows, ef_grid


class _VoyagerIndex(PeerIndex):
    def __init__(self, index: Any) -> None:
        super().__init__()
        self.index = index

    @property
    def nbytes(self) -> int:
        return len(self.index.as_bytes())

    def _ids(self, rows: Rows, k: int, threads: int, *, ef: int = 10) -> Ids:  # type: ignore[override]
        rows = as_rows(rows)  # the library refuses what it may not write, and writes nothing
        return self.index.query(rows, k, threads, max(ef, k))[0]  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True, repr=False)
class Voyager(Peer):
    """A graph.

    Parameters
    ----------
    degree : int
        M: neighbours of a node, twice as many in the lowest layer.
    ef_construction : int
        Candidates kept while building.
    seed : int
        Of the layers.
    """

    degree: int = 16
    ef_construction: int = 200
    seed: int = 0

    package = "voyager"
    module = "voyager"

    def __post_init__(self) -> None:
        positive(self.degree, "Voyager.degree")
        positive(self.ef_construction, "Voyager.ef_construction")

    def query_grid(self) -> tuple[Mapping[str, Any], ...]:
        """Return ef from 10 to 1000."""
        return ef_grid()

    def _index(self, rows: Rows, metric: str, threads: int) -> PeerIndex:
        import voyager

        space = voyager.Space.Euclidean if metric == "euclidean" else voyager.Space.InnerProduct
        index = voyager.Index(
            space, rows.shape[1], self.degree, self.ef_construction, random_seed=self.seed + 1, max_elements=len(rows)
        )
        index.add_items(rows, num_threads=threads)
        return _VoyagerIndex(index)
