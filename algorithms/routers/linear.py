"""Linear routes: one representative for each list, and one matrix-vector product.

Centroids and learnt representatives end up here alike: at query time nothing distinguishes them but their
numbers.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..kernels.nearest import nearest
from ..kernels.panels import Panels, make_panels
from ..kernels.space import Space, identity
from .router import Routed, routed


@dataclass(frozen=True, slots=True)
class LinearRoutes:
    """Representatives in panels; the list of lowest ``bias - ⟨q, representative⟩`` comes first.

    Attributes
    ----------
    panels : Panels
        Slot i is the representative of list i.
    space : Space
        How queries are prepared.
    """

    panels: Panels
    space: Space

    @property
    def nbytes(self) -> int:
        """Bytes of representatives and biases."""
        return self.panels.values.nbytes + self.panels.bias.nbytes

    def representatives(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return representatives (L, d) and biases (L,) in the order of the lists."""
        count = int(self.panels.sizes[0])
        rows = self.panels.values.transpose(0, 2, 1).reshape(-1, self.panels.values.shape[1])[:count]
        return np.ascontiguousarray(rows), self.panels.bias.ravel()[:count].copy()

    def route(self, queries: npt.NDArray[np.float32], nprobe: int, threads: int = 1) -> Routed:
        """Return the nprobe best lists of each query."""
        lists, penalties = nearest(self.panels, queries, self.space, nprobe, threads)
        return routed(lists, penalties)


def linear_routes(
    representatives: npt.NDArray[np.float32], constants: npt.NDArray[np.float32], space: Space
) -> LinearRoutes:
    """Lay representatives out for routing.

    Parameters
    ----------
    representatives : (L, d) float32
        In the prepared space.
    constants : (L,) float32
        A list's score is ⟨q, representative⟩ + constant; the highest comes first.
    space : Space
        How queries are prepared.
    """
    rows = np.ascontiguousarray(representatives, dtype=np.float32)
    bias = np.float32(0.0) - constants  # not -constants: a -0.0 would sort before lists of equal score
    return LinearRoutes(make_panels(rows, identity(rows.shape[1]), bias=bias), space)
