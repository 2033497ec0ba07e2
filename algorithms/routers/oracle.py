"""The oracle: looks the answer up first, then opens the lists that hold it. A bound, not a method.

No router over the same lists can find more of a query's k neighbours in ℓ lists, so its distance from this curve is
what a router may still gain, and this curve's distance from 1 is what only another clustering can.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..rows import positive
from ..value import Value
from .router import Fitted, Fitting, Routed
from .scored import route_by_scores

LARGEST_K = 1000  # up to here float32 tells all pairs of a count and a rank apart


def oracle_scores(
    neighbors: npt.NDArray[np.int32], assignment: npt.NDArray[np.int32], lists: int
) -> npt.NDArray[np.float32]:
    """Return how many of a query's true neighbours each list holds, plus a fraction for the nearest of them.

    Parameters
    ----------
    neighbors : (q, k) int32
        Nearest first, -1 where there are fewer.
    assignment : (n,) int32
        The list of each row.
    lists : int
        L.

    Returns
    -------
    scores : (q, L) float32
        Count + (k - rank)/(k + 1), rank (from 0) of the list's nearest one; 0 for a list that holds none; NaN for a
        query that found nothing.
    """
    count, k = neighbors.shape
    scores = np.zeros((count, lists), dtype=np.float32)
    best = np.zeros((count, lists), dtype=np.float32)
    for rank in range(k - 1, -1, -1):  # last to first: the nearest one writes last
        found = np.flatnonzero(neighbors[:, rank] >= 0)
        holding = assignment[neighbors[found, rank]]
        scores[found, holding] += 1.0
        best[found, holding] = (k - rank) / (k + 1)
    scores += best
    scores[neighbors[:, 0] < 0] = np.nan
    return scores


@dataclass(frozen=True, slots=True)
class OracleRoutes:
    """Exact search and the list of each row.

    Attributes
    ----------
    nearest : callable
        `Fitting.nearest`.
    assignment : (n,) int32
    lists, k : int
    """

    nearest: Callable[[npt.NDArray[np.float32], int], npt.NDArray[np.int32]]
    assignment: npt.NDArray[np.int32]
    lists: int
    k: int

    @property
    def nbytes(self) -> int:
        """Bytes of the assignment; the vectors, which the oracle reads too, are the index's own."""
        return self.assignment.nbytes

    def route(self, queries: npt.NDArray[np.float32], nprobe: int, threads: int = 1) -> Routed:
        """Return the nprobe lists that hold most of the neighbours of each query."""

        def score(block: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
            return oracle_scores(self.nearest(block, self.k), self.assignment, self.lists)

        return route_by_scores(score, queries, nprobe, 2 * self.lists + self.k, threads)


@dataclass(frozen=True, slots=True, repr=False)
class Oracle(Value):
    """Route by where the query's k true neighbours lie, found by exact search at query time.

    Parameters
    ----------
    k : int
        At most 1,000; a bound on recall@k for the same k.

    Notes
    -----
    Lists that hold more neighbours come first, equal ones by the rank of their nearest neighbour, then by list. An
    exact search precedes every answer (on the threads of the build), so its time is of no interest, and its lists and
    points are a lower bound on anybody's at that recall.
    """

    k: int = 10

    def __post_init__(self) -> None:
        if positive(self.k, "Oracle.k") > LARGEST_K:
            raise ValueError(f"Oracle.k: found {self.k}, expected at most {LARGEST_K}")

    @property
    def linear(self) -> bool:
        """No single representative for each list."""
        return False

    @property
    def learns(self) -> bool:
        """No training queries needed."""
        return False

    def resolve(self, metric: str) -> "Oracle":
        """Nothing depends on the metric."""
        return self

    def fit(self, fitting: Fitting) -> Fitted:
        """Keep exact search and the assignment."""
        lists = len(fitting.clusters.centroids)
        return Fitted(OracleRoutes(fitting.nearest, fitting.clusters.assignment, lists, self.k))
