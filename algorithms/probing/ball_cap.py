"""Stop when the ball around the query hardly reaches into lists that are still closed."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..found import Found, stacked
from ..kernels.stop import covered
from ..rows import positive
from ..value import Value
from .cap_volume import cap_volumes
from .checks import share
from .opened import routed_blocks
from .policy import Searched

METRICS = ("euclidean", "angular", "normalized")  # where a neighbourhood is a ball


@dataclass(frozen=True, slots=True, repr=False)
class BallCap(Value):
    """Estimate the recall so far from geometry, after each list, and stop when it reaches `recall`.

    The ball around the query whose radius is the distance of the k-th best so far holds every better neighbour. Beyond
    the bisector between the nearest centroid and that of list j lies a cap of the ball; list j holds neighbours in
    proportion to its volume (Mohoney et al.: "Quake: Adaptive Indexing for Vector Search", OSDI 2025, arXiv 2506.03437,
    adaptive partition scanning; `kernels.stop.closed_part` is the estimate). The radius shrinks as the search goes on.
    Angular and normalized vectors are taken to have length 1. It promises recall under a model, and is not calibrated.

    Parameters
    ----------
    recall : float
        Above 0, at most 1; 1 stops when no closed list can hold a better neighbour.
    candidates : int, optional
        Look at so many of the routed lists only, as if there were no others; by default at all.
    """

    recall: float = 0.9
    candidates: int | None = None

    def __post_init__(self) -> None:
        share(self.recall, "BallCap.recall")
        if self.candidates is not None:
            positive(self.candidates, "BallCap.candidates")

    @property
    def calibrates(self) -> bool:
        """No training queries needed."""
        return False

    def search(
        self, index: Searched, queries: npt.NDArray[np.float32], k: int, threads: int = 1, rerank: int | None = None
    ) -> Found:
        """Scan list after list of each query until the ball is covered.

        Raises
        ------
        ValueError
            A metric under which the neighbours within a distance form no ball.
        """
        if index.lists.metric not in METRICS:
            raise ValueError(f"{self!r}: found metric {index.lists.metric!r}, expected one of {', '.join(METRICS)}")
        caps = index.remembered("cap volumes", lambda: cap_volumes(index.centroids.shape[1]))
        rule = covered(1.0 - self.recall, index.centroids, caps)
        width = min(self.candidates or index.count, index.count)
        return stacked(
            [
                index.lists.search_until(block, routed.lists, k, rule, threads)
                for block, routed in routed_blocks(index, queries, width, threads)
            ]
        )
