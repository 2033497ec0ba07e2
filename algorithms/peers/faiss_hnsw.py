"""faiss' graphs: hierarchical navigable small worlds over float32 vectors, or over 8-bit codes."""

from dataclasses import dataclass
from typing import Any

from .faiss_index import FaissIndex, faiss_metric, library, set_threads
from .graph import Graph
from .peer import Rows


class _HNSWIndex(FaissIndex):
    def configure(self, *, ef: int) -> None:  # type: ignore[override]
        self.index.hnsw.efSearch = ef  # faiss itself keeps k at least


@dataclass(frozen=True, slots=True, repr=False)
class FaissHNSW(Graph):
    """A graph over float32 vectors.

    Parameters are those of `Graph`.
    """

    package = "faiss-cpu"
    module = "faiss"

    def _index(self, rows: Rows, metric: str, threads: int) -> FaissIndex:
        faiss = library()

        index = faiss.IndexHNSWFlat(rows.shape[1], self.degree, faiss_metric(metric))
        return _filled(index, rows, self.ef_construction, threads)


@dataclass(frozen=True, slots=True, repr=False)
class FaissHNSWSQ(Graph):
    """A graph over vectors of 8 bits a dimension; nothing is refined, so that recall ends below 1.

    Parameters are those of `Graph`.
    """

    package = "faiss-cpu"
    module = "faiss"

    def _index(self, rows: Rows, metric: str, threads: int) -> FaissIndex:
        faiss = library()

        kind = faiss.ScalarQuantizer.QT_8bit
        index = faiss.IndexHNSWSQ(rows.shape[1], kind, self.degree, faiss_metric(metric))
        return _filled(index, rows, self.ef_construction, threads)


def _filled(index: Any, rows: Rows, ef_construction: int, threads: int) -> FaissIndex:
    set_threads(threads)
    index.hnsw.efConstruction = ef_construction
    index.train(rows)
    index.add(rows)
    return _HNSWIndex(index)
