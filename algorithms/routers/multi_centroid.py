"""Several centroids for each list: a list is as good as the best of its parts.

One mean says little about a list that is long or has several heaps. The same k-means that made the lists divides each
again into `count` parts, and the query is compared with all their centroids. "SubPartition" among the baselines of
Bruch et al., arXiv 2405.12207; Auvolat et al., "Clustering is Efficient for Approximate Maximum Inner Product Search",
arXiv 1507.05910, route through such a hierarchy. In memory `count` = t + 2 equals an optimist of rank t.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..clustering.kmeans import KMeans
from ..kernels.panels import Panels, make_panels
from ..kernels.score import score_all
from ..kernels.segments import largest_of_segments
from ..kernels.space import Space, identity
from ..rows import positive
from ..value import Value
from .centroid import LINEAR_SCORINGS, linear_scoring, routing_vectors
from .linear import linear_routes
from .router import Fitted, Fitting, Routed
from .scored import route_by_scores

COMBINATIONS = ("best", "mean")


@dataclass(frozen=True, slots=True)
class MultiCentroidRoutes:
    """Sub-centroids in panels.

    Attributes
    ----------
    panels : Panels
        All sub-centroids, list after list.
    starts : (L + 1,) int64
        List i owns the slots starts[i] to starts[i + 1] - 1.
    space : Space
    """

    panels: Panels
    starts: npt.NDArray[np.int64]
    space: Space

    @property
    def nbytes(self) -> int:
        """Bytes of sub-centroids, biases and offsets."""
        return self.panels.values.nbytes + self.panels.bias.nbytes + self.starts.nbytes

    def route(self, queries: npt.NDArray[np.float32], nprobe: int, threads: int = 1) -> Routed:
        """Return the nprobe best lists of each query."""

        def score(block: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
            products = score_all(self.panels, block, self.space, threads)
            return largest_of_segments(products, self.starts, threads)

        return route_by_scores(score, queries, nprobe, int(self.starts[-1]) + len(self.starts), threads)


@dataclass(frozen=True, slots=True, repr=False)
class MultiCentroid(Value):
    """Route by the best of `count` centroids of each list.

    Parameters
    ----------
    count : int
        r; a list of fewer rows has as many as rows.
    iterations : int
        Of k-means inside a list.
    combine : str
        ``best``: a list scores as the best of its centroids does; ``mean``: as all of them do on average, which is one
        vector again, the control that shows what the maximum is worth.
    scoring : str, optional
        As of `Centroid`, of each centroid: ``inner product``, ``normalised`` or ``euclidean``; by default what suits
        the metric. Euclidean scores are ⟨q, c⟩ - ½‖c‖².
    """

    count: int = 4
    iterations: int = 10
    combine: str = "best"
    scoring: str | None = None

    def __post_init__(self) -> None:
        positive(self.count, "MultiCentroid.count")
        positive(self.iterations, "MultiCentroid.iterations")
        for name, allowed in (("combine", COMBINATIONS), ("scoring", (None, *LINEAR_SCORINGS))):
            if getattr(self, name) not in allowed:
                expected = ", ".join(word for word in allowed if word)
                raise ValueError(f"MultiCentroid.{name}: found {getattr(self, name)!r}, expected one of {expected}")

    @property
    def linear(self) -> bool:
        """One representative for each list where scores are combined by their mean."""
        return self.combine == "mean"

    @property
    def learns(self) -> bool:
        """No training queries needed."""
        return False

    def resolve(self, metric: str) -> "MultiCentroid":
        """Return the router with its scoring spelled out."""
        return replace(self, scoring=self.scoring or linear_scoring(metric))

    def fit(self, fitting: Fitting) -> Fitted:
        """Divide each list and lay the sub-centroids out for routing."""
        parts = []
        for i, members in enumerate(fitting.clusters.members()):
            parts.append(self._divide(fitting, i, members))
            fitting.progress("router", i + 1, len(fitting.clusters.centroids), "centroids within lists")
        starts = np.zeros(len(parts) + 1, dtype=np.int64)
        np.cumsum([len(part) for part in parts], out=starts[1:])
        vectors, constants = routing_vectors(np.concatenate(parts), self.scoring or linear_scoring(fitting.metric))
        if self.combine == "mean":
            sizes = np.diff(starts)
            middles = np.add.reduceat(vectors.astype(np.float64), starts[:-1]) / sizes[:, None]
            levels = np.add.reduceat(constants.astype(np.float64), starts[:-1]) / sizes
            routes = linear_routes(middles.astype(np.float32), levels.astype(np.float32), fitting.space)
            return Fitted(routes, notes={"router_parameters": middles.size})
        bias = np.float32(0.0) - constants
        panels = make_panels(np.ascontiguousarray(vectors), identity(vectors.shape[1]), bias=bias)
        return Fitted(MultiCentroidRoutes(panels, starts, fitting.space), notes={"router_parameters": vectors.size})

    def _divide(self, fitting: Fitting, i: int, members: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        # The sub-centroids of one list, without those that k-means left empty: no row of the list lies there.
        if not len(members):
            return fitting.clusters.centroids[i : i + 1]
        divide = KMeans(lists=self.count, iterations=self.iterations)
        # One thread: lists are short, and several would mostly wait for each other.
        clusters = divide.cluster(fitting.rows[members], fitting.space, seed=fitting.seed)
        return clusters.centroids[clusters.sizes > 0]
