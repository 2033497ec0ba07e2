"""hnswlib: hierarchical navigable small worlds over float32 vectors."""

from dataclasses import dataclass
from typing import Any

from .graph import Graph
from .peer import Ids, PeerIndex, Rows


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
class Hnswlib(Graph):
    """A graph.

    Parameters
    ----------
    degree, ef_construction : int
        See `Graph`.
    seed : int
        Of the layers. With several threads the graph still depends on who comes first.
    """

    seed: int = 0

    package = "hnswlib"
    module = "hnswlib"

    def _index(self, rows: Rows, metric: str, threads: int) -> PeerIndex:
        import hnswlib

        index = hnswlib.Index("l2" if metric == "euclidean" else "ip", rows.shape[1])
        index.init_index(len(rows), self.degree, self.ef_construction, self.seed)
        index.add_items(rows, num_threads=threads)
        return _HnswlibIndex(index)
