"""Manhattan routes: the lists whose representatives are nearest to the query by the sum of absolute differences.

They stand beside `linear` because -‖q - μ‖₁ is no inner product of q with anything: the scan calls its other tiles.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..kernels.nearest import nearest
from ..kernels.panels import Panels, make_panels
from ..kernels.space import Space, identity
from .router import Routed, routed


@dataclass(frozen=True, slots=True)
class ManhattanRoutes:
    """Representatives in panels; the list of lowest Σ|q - representative| comes first.

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

    def route(self, queries: npt.NDArray[np.float32], nprobe: int, threads: int = 1) -> Routed:
        """Return the nprobe best lists of each query; a score is minus the distance."""
        lists, distances = nearest(self.panels, queries, self.space, nprobe, threads, differences=True)
        return routed(lists, distances)


def manhattan_routes(representatives: npt.NDArray[np.float32], space: Space) -> ManhattanRoutes:
    """Lay representatives out for routing.

    Parameters
    ----------
    representatives : (L, d) float32
        In the prepared space.
    space : Space
        How queries are prepared.
    """
    rows = np.ascontiguousarray(representatives, dtype=np.float32)
    return ManhattanRoutes(make_panels(rows, identity(rows.shape[1])), space)
