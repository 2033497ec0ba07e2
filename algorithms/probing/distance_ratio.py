"""Open the lists whose centroids are nearly as near as the nearest."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..found import Found
from ..kernels.centroid_distances import centroid_distances
from ..routers.router import Routed
from ..rows import positive
from ..value import Value
from .checks import at_least_zero
from .opened import opened_lists
from .policy import Searched


@dataclass(frozen=True, slots=True, repr=False)
class DistanceRatio(Value):
    """Among the routed lists open those with ``‖q - μ‖ <= (1 + epsilon) · min ‖q - μ‖``.

    The query-aware pruning of SPANN (Chen et al., NeurIPS 2021, arXiv 2111.08566). Distances are in the space in which
    the index compares vectors, whatever the router scores by; the order stays the router's.

    Parameters
    ----------
    epsilon : float
        At least 0.
    most : int, optional
        Look at so many of the routed lists only; by default at all.
    """

    epsilon: float = 0.1
    most: int | None = None

    def __post_init__(self) -> None:
        at_least_zero(self.epsilon, "DistanceRatio.epsilon")
        if self.most is not None:
            positive(self.most, "DistanceRatio.most")

    @property
    def calibrates(self) -> bool:
        """No training queries needed."""
        return False

    def search(
        self, index: Searched, queries: npt.NDArray[np.float32], k: int, threads: int = 1, rerank: int | None = None
    ) -> Found:
        """Scan the lists that are near enough."""

        def near(block: npt.NDArray[np.float32], routed: Routed) -> npt.NDArray[np.int32]:
            lengths = centroid_distances(block, index.lists.space, index.centroids, routed.lists, threads)
            farthest = (1.0 + self.epsilon) * lengths.min(axis=1, keepdims=True)
            return np.where(lengths <= farthest, routed.lists, np.int32(-1))

        width = min(self.most or index.count, index.count)
        probes = opened_lists(index, queries, width, near, threads)
        return index.lists.search(queries, probes, k, threads, rerank)
