"""The largest list first, whatever the query: the control for routers that only learnt which lists are large.

Counted in lists probed, a large list is a bargain; counted in points scanned it is not. Where this router does well
under the first budget alone, so may others.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..value import Value
from .router import Fitted, Fitting, Routed
from .scored import nowhere, route_by_scores


@dataclass(frozen=True, slots=True)
class ListSizeRoutes:
    """The size of each list, (L,) float32."""

    sizes: npt.NDArray[np.float32]

    @property
    def nbytes(self) -> int:
        """Bytes of the sizes."""
        return self.sizes.nbytes

    def route(self, queries: npt.NDArray[np.float32], nprobe: int, threads: int = 1) -> Routed:
        """Return the nprobe largest lists, the same for each query."""

        def score(block: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
            return nowhere(block, np.tile(self.sizes, (len(block), 1)))

        return route_by_scores(score, queries, nprobe, len(self.sizes), threads)


@dataclass(frozen=True, slots=True, repr=False)
class ListSize(Value):
    """Route by the number of rows of each list, equal ones by list."""

    @property
    def linear(self) -> bool:
        """No single representative for each list."""
        return False

    @property
    def learns(self) -> bool:
        """No training queries needed."""
        return False

    def resolve(self, metric: str) -> "ListSize":
        """Nothing depends on the metric."""
        return self

    def fit(self, fitting: Fitting) -> Fitted:
        """Count."""
        return Fitted(ListSizeRoutes(fitting.clusters.sizes.astype(np.float32)))
