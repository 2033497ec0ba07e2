"""usearch: a navigable small world over vectors of 32, 16 or 8 bits a dimension."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..rows import positive
from .peer import LINEAR, Ids, Peer, PeerIndex, Rows, ef_grid

STORAGES = ("f32", "bf16", "i8")


class _USearchIndex(PeerIndex):
    def __init__(self, index: Any) -> None:
        super().__init__()
        self.index = index
        self._ef = 0

    @property
    def nbytes(self) -> int:
        return int(self.index.serialized_length)

    def _ids(self, rows: Rows, k: int, threads: int, *, ef: int = 64) -> Ids:  # type: ignore[override]
        if ef != self._ef:
            self.index.expansion_search = ef
            self._ef = ef
        if len(rows) == 1:
            keys = self.index.search(rows[0], k, threads=1).keys
            return keys[None] if len(keys) == k else _padded(keys[None], np.array([len(keys)]), k)
        found = self.index.search(rows, k, threads=threads)
        return found.keys if (found.counts == k).all() else _padded(found.keys, found.counts, k)


def _padded(keys: Ids, counts: Ids, k: int) -> Ids:
    padded = np.full((len(keys), k), -1, dtype=np.int64)
    for row, (found, count) in enumerate(zip(keys, counts, strict=True)):
        padded[row, :count] = found[:count]
    return padded


@dataclass(frozen=True, slots=True, repr=False)
class USearch(Peer):
    """A graph.

    Parameters
    ----------
    storage : str
        ``f32``, ``bf16``, or ``i8``, which brings every vector to one length and so serves directions only. Nothing
        is refined: below 32 bits recall ends below 1.
    connectivity : int
        M: neighbours of a node, twice as many in the lowest layer.
    ef_construction : int
        Candidates kept while building.
    """

    storage: str = "f32"
    connectivity: int = 16
    ef_construction: int = 200

    package = "usearch"
    module = "usearch"

    def __post_init__(self) -> None:
        if self.storage not in STORAGES:
            raise ValueError(f"USearch.storage: found {self.storage!r}, expected one of {', '.join(STORAGES)}")
        positive(self.connectivity, "USearch.connectivity")
        positive(self.ef_construction, "USearch.ef_construction")

    @property
    def metrics(self) -> tuple[str, ...]:
        """Those of directions only, for 8 bits."""
        return ("angular", "normalized") if self.storage == "i8" else LINEAR

    def query_grid(self) -> tuple[Mapping[str, Any], ...]:
        """Return ef from 10 to 1000."""
        return ef_grid()

    def _index(self, rows: Rows, metric: str, threads: int) -> PeerIndex:
        from usearch.index import Index

        kind = "l2sq" if metric == "euclidean" else "cos" if self.storage == "i8" else "ip"
        index = Index(
            ndim=rows.shape[1],
            metric=kind,
            dtype=self.storage,
            connectivity=self.connectivity,
            expansion_add=self.ef_construction,
        )
        index.add(np.arange(len(rows), dtype=np.uint64), rows, threads=threads)
        return _USearchIndex(index)
