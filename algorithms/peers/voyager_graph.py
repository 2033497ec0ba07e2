"""Voyager: hierarchical navigable small worlds over float32 vectors."""

from dataclasses import dataclass
from typing import Any

from ..rows import as_rows
from .graph import Graph
from .peer import Ids, PeerIndex, Rows


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
class Voyager(Graph):
    """A graph.

    Parameters
    ----------
    degree, ef_construction : int
        See `Graph`.
    seed : int
        Of the layers.
    """

    seed: int = 0

    package = "voyager"
    module = "voyager"

    def _index(self, rows: Rows, metric: str, threads: int) -> PeerIndex:
        import voyager

        space = voyager.Space.Euclidean if metric == "euclidean" else voyager.Space.InnerProduct
        index = voyager.Index(
            space, rows.shape[1], self.degree, self.ef_construction, random_seed=self.seed + 1, max_elements=len(rows)
        )
        index.add_items(rows, num_threads=threads)
        return _VoyagerIndex(index)
