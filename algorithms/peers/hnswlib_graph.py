"""hnswlib: hierarchical navigable small worlds over float32 vectors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..rows import positive
from .peer import Ids, Peer, PeerIndex, Rows, ef_grid


class _HnswlibIndex(PeerIndex):
    def __init__(self, index: Any) -> None:
        super().__init__()
        self.index = index
        self._ef = 0

    @property
    def nbytes(self) -> int:
        return int(self.index.index_file_size())

    def _ids(self, rows: Rows, k: int, threads: int, *, ef: int = 10) -> Ids:  # type: ignore[override]
        ef = max(ef, k)
        if ef != self._ef:
            self.index.set_ef(ef)
            self._ef = ef
        return self.index.knn_query(rows, k, threads)[0]  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True, repr=False)
class Hnswlib(Peer):
    """A graph.

    Parameters
    ----------
    degree : int
        M: neighbours of a node, twice as many in the lowest layer.
    ef_construction : int
        Candidates kept while building.
    seed : int
        Of the layers. With several threads the graph still depends on who comes first.
    """

    degree: int = 16
    ef_construction: int = 200
    seed: int = 0

    package = "hnswlib"
    module = "hnswlib"

    def __post_init__(self) -> None:
        positive(self.degree, "Hnswlib.degree")
        positive(self.ef_construction, "Hnswlib.ef_construction")

    def query_grid(self) -> tuple[Mapping[str, Any], ...]:
        """Return ef from 10 to 1000."""
        return ef_grid()

    def _index(self, rows: Rows, metric: str, threads: int) -> PeerIndex:
        import hnswlib

        index = hnswlib.Index("l2" if metric == "euclidean" else "ip", rows.shape[1])
        index.init_index(len(rows), self.degree, self.ef_construction, self.seed)
        index.add_items(rows, num_threads=threads)
        return _HnswlibIndex(index)
