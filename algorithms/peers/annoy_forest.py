"""Annoy: a forest of random projection trees over float32 vectors."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..kernels.space import METRICS
from ..rows import positive
from .peer import Ids, Peer, PeerIndex, Rows, saved_bytes, steps
from .shared_out import Workers

METRIC: dict[str, Any] = {name: name for name in METRICS} | {"normalized": "angular", "ip": "dot"}


class _AnnoyIndex(PeerIndex):
    # The library has no batches: the queries of one are shared out among threads.
    def __init__(self, index: Any) -> None:
        super().__init__()
        self.index = index
        self._workers = Workers()

    @property
    def nbytes(self) -> int:
        return saved_bytes(self.index.save)

    def _ids(self, rows: Rows, k: int, threads: int, *, nodes: int = -1) -> Ids:  # type: ignore[override]
        return self._workers.each(partial(self._answer, k=k, nodes=nodes), rows, threads)

    def _answer(self, rows: Rows, k: int, nodes: int) -> Ids:
        ids = np.full((len(rows), k), -1, dtype=np.int32)
        for row, query in enumerate(rows.tolist()):
            found = self.index.get_nns_by_vector(query, k, nodes)
            ids[row, : len(found)] = found
        return ids


@dataclass(frozen=True, slots=True, repr=False)
class Annoy(Peer):
    """A forest. The search looks at `nodes` of its nodes (``search_k``).

    Parameters
    ----------
    trees : int
    seed : int
        Of the projections.
    """

    trees: int = 100
    seed: int = 0

    package = "annoy"
    module = "annoy"

    def __post_init__(self) -> None:
        positive(self.trees, "Annoy.trees")

    @property
    def metrics(self) -> tuple[str, ...]:
        """All."""
        return METRICS

    def query_grid(self) -> tuple[Mapping[str, Any], ...]:
        """Return nodes from 100 to 200,000."""
        return tuple({"nodes": nodes} for nodes in steps(100, 200_000, 12))

    def _index(self, rows: Rows, metric: str, threads: int) -> PeerIndex:
        from annoy import AnnoyIndex

        index = AnnoyIndex(rows.shape[1], METRIC[metric])
        index.set_seed(self.seed + 1)
        for place, row in enumerate(rows):
            index.add_item(place, row)
        index.build(self.trees, n_jobs=threads)
        return _AnnoyIndex(index)
