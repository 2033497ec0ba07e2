"""faiss' graphs: hierarchical navigable small worlds over float32 vectors, or over 8-bit codes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..rows import positive
from .faiss_index import FaissIndex, faiss_metric, library, set_threads
from .peer import Peer, Rows, ef_grid


class _HNSWIndex(FaissIndex):
    def configure(self, *, ef: int) -> None:  # type: ignore[override]
        self.index.hnsw.efSearch = ef  # faiss itself keeps k at least


@dataclass(frozen=True, slots=True, repr=False)
class FaissHNSW(Peer):
    """A graph over float32 vectors.

    Parameters
    ----------
    degree : int
        M: neighbours of a node, twice as many in the lowest layer.
    ef_construction : int
        Candidates kept while building.
    """

    degree: int = 16
    ef_construction: int = 200

    package = "faiss-cpu"
    module = "faiss"

    def __post_init__(self) -> None:
        _check(self)

    def query_grid(self) -> tuple[Mapping[str, Any], ...]:
        """Return ef from 10 to 1000."""
        return ef_grid()

    def _index(self, rows: Rows, metric: str, threads: int) -> FaissIndex:
        faiss = library()

        index = faiss.IndexHNSWFlat(rows.shape[1], self.degree, faiss_metric(metric))
        return _filled(index, rows, self.ef_construction, threads)


@dataclass(frozen=True, slots=True, repr=False)
class FaissHNSWSQ(Peer):
    """A graph over vectors of 8 bits a dimension; nothing is refined, so that recall ends below 1.

    Parameters
    ----------
    degree : int
        M: neighbours of a node, twice as many in the lowest layer.
    ef_construction : int
        Candidates kept while building.
    """

    degree: int = 16
    ef_construction: int = 200

    package = "faiss-cpu"
    module = "faiss"

    def __post_init__(self) -> None:
        _check(self)

    def query_grid(self) -> tuple[Mapping[str, Any], ...]:
        """Return ef from 10 to 1000."""
        return ef_grid()

    def _index(self, rows: Rows, metric: str, threads: int) -> FaissIndex:
        faiss = library()

        kind = faiss.ScalarQuantizer.QT_8bit
        index = faiss.IndexHNSWSQ(rows.shape[1], kind, self.degree, faiss_metric(metric))
        return _filled(index, rows, self.ef_construction, threads)


def _check(algorithm: Any) -> None:
    name = type(algorithm).__name__
    positive(algorithm.degree, f"{name}.degree")
    positive(algorithm.ef_construction, f"{name}.ef_construction")


def _filled(index: Any, rows: Rows, ef_construction: int, threads: int) -> FaissIndex:
    set_threads(threads)
    index.hnsw.efConstruction = ef_construction
    index.train(rows)
    index.add(rows)
    return _HNSWIndex(index)
