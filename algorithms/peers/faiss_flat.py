"""faiss' exhaustive search over float32 vectors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..kernels.space import METRICS
from .faiss_index import FaissIndex, faiss_metric, library, set_threads
from .peer import Peer, Rows


@dataclass(frozen=True, slots=True, repr=False)
class FaissFlat(Peer):
    """Brute force."""

    package = "faiss-cpu"
    module = "faiss"

    @property
    def metrics(self) -> tuple[str, ...]:
        """All."""
        return METRICS

    def query_grid(self) -> tuple[Mapping[str, Any], ...]:
        """One point: there is nothing to sweep."""
        return ({},)

    def _index(self, rows: Rows, metric: str, threads: int) -> FaissIndex:
        faiss = library()

        set_threads(threads)
        index = faiss.IndexFlat(rows.shape[1], faiss_metric(metric))
        index.add(rows)
        return FaissIndex(index)
