"""PyNNDescent: a graph of nearest neighbours found by descent, over float32 vectors."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..kernels.compile import available_threads, numba_threads
from ..rows import positive
from .peer import Ids, Peer, PeerIndex, Rows

METRIC = {"euclidean": "euclidean", "angular": "dot", "normalized": "dot"}  # manhattan fails to compile in 0.7


class _PyNNDescentIndex(PeerIndex):
    # Whether queries run in parallel is compiled into the search: two views of one graph.
    def __init__(self, serial: Any) -> None:
        super().__init__()
        self.serial = serial
        self.serial.prepare()
        self._state = self.serial.search_rng_state.copy()
        self._parallel: Any = None

    @property
    def nbytes(self) -> int:
        held = {id(part): part for part in vars(self.serial).values() if isinstance(part, np.ndarray)}
        graph = self.serial._search_graph
        return int(sum(part.nbytes for part in (*held.values(), graph.data, graph.indices, graph.indptr)))

    def _ids(self, rows: Rows, k: int, threads: int, *, epsilon: float = 0.1) -> Ids:  # type: ignore[override]
        if threads == 1 or len(rows) == 1:
            self.serial.search_rng_state[:] = self._state  # else the same query finds other ids the next time
            return self.serial.query(rows, k, epsilon)[0]  # type: ignore[no-any-return]
        if self._parallel is None:
            self._parallel = self._in_parallel()
        self._parallel.search_rng_state[:] = self._state
        with numba_threads(threads):
            return self._parallel.query(rows, k, epsilon)[0]  # type: ignore[no-any-return]

    def _in_parallel(self) -> Any:
        twin = copy.copy(self.serial)
        for made in ("_search_function", "_deheap_function", "_fast_plan", "_query_workspace"):
            twin.__dict__.pop(made, None)
        twin.parallel_batch_queries = True
        twin.search_rng_state = self._state.copy()
        twin.prepare()
        return twin


@dataclass(frozen=True, slots=True, repr=False)
class PyNNDescent(Peer):
    """A graph.

    Parameters
    ----------
    neighbors : int
        Of a node, before pruning.
    seed : int
    """

    neighbors: int = 40
    seed: int = 0

    package = "pynndescent"
    module = "pynndescent"

    def __post_init__(self) -> None:
        positive(self.neighbors, "PyNNDescent.neighbors")

    @property
    def metrics(self) -> tuple[str, ...]:
        """Not the inner product of vectors of unequal length."""
        return tuple(METRIC)

    def query_grid(self) -> tuple[Mapping[str, Any], ...]:
        """Return epsilon from 0 to 0.5."""
        epsilons = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
        return tuple({"epsilon": epsilon} for epsilon in epsilons)

    def _index(self, rows: Rows, metric: str, threads: int) -> PeerIndex:
        from pynndescent import NNDescent

        index = NNDescent(
            rows,
            METRIC[metric],
            n_neighbors=min(self.neighbors, len(rows) - 1),
            random_state=self.seed,
            n_jobs=min(threads, available_threads()),
        )
        return _PyNNDescentIndex(index)
