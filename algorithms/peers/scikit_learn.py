"""scikit-learn's exact neighbours: exhaustive, and two trees."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from .peer import Ids, Peer, PeerIndex, Rows
from .shared_out import Workers

TREES = ("brute", "kd_tree", "ball_tree")


class _BruteIndex(PeerIndex):
    # Threads are those of OpenMP and of the linear algebra below: limits of the process, set when they change.
    def __init__(self, index: Any, rows: Rows) -> None:
        from threadpoolctl import ThreadpoolController

        super().__init__()
        self.index, self._rows = index, rows
        self._threads = 0
        self._controller = ThreadpoolController()

    @property
    def nbytes(self) -> int:
        return int(self._rows.nbytes)

    def _ids(self, rows: Rows, k: int, threads: int) -> Ids:  # type: ignore[override]
        if threads != self._threads:
            self._controller.limit(limits=threads)
            self._threads = threads
        return self.index.kneighbors(rows, k, return_distance=False)  # type: ignore[no-any-return]


class _TreeIndex(PeerIndex):
    # A tree answers on one thread: the queries of a batch are shared out.
    def __init__(self, tree: Any) -> None:
        super().__init__()
        self.tree = tree
        self._workers = Workers()

    @property
    def nbytes(self) -> int:
        return sum(np.asarray(array).nbytes for array in self.tree.get_arrays())

    def _ids(self, rows: Rows, k: int, threads: int) -> Ids:  # type: ignore[override]
        return self._workers.each(partial(self.tree.query, k=k, return_distance=False), rows, threads)


@dataclass(frozen=True, slots=True, repr=False)
class ScikitLearn(Peer):
    """Exact search. Directions are compared as euclidean distances of rows of unit length, zero rows apart the same.

    Parameters
    ----------
    tree : str
        ``brute``, ``kd_tree`` or ``ball_tree``; the trees keep float64.
    leaf_size : int
        Of a tree.
    """

    tree: str = "brute"
    leaf_size: int = 40

    package = "scikit-learn"
    module = "sklearn"

    def __post_init__(self) -> None:
        if self.tree not in TREES:
            raise ValueError(f"ScikitLearn.tree: found {self.tree!r}, expected one of {', '.join(TREES)}")

    @property
    def metrics(self) -> tuple[str, ...]:
        """Not the inner product, which is no distance."""
        return ("euclidean", "angular", "normalized", "manhattan")

    def query_grid(self) -> tuple[Mapping[str, Any], ...]:
        """One point: there is nothing to sweep."""
        return ({},)

    def _index(self, rows: Rows, metric: str, threads: int) -> PeerIndex:
        from sklearn.neighbors import BallTree, KDTree, NearestNeighbors

        metric = "manhattan" if metric == "manhattan" else "euclidean"
        if self.tree == "brute":
            return _BruteIndex(NearestNeighbors(algorithm="brute", metric=metric).fit(rows), rows)
        kind = KDTree if self.tree == "kd_tree" else BallTree
        return _TreeIndex(kind(rows, leaf_size=self.leaf_size, metric=metric))
