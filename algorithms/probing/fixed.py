"""Probe the same number of lists for every query.

A probing policy decides how many of the routed lists to open. A new one is one new file in this folder and
one line in `algorithms/registry.py`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..routers.router import Routes
from ..rows import positive
from ..value import Value


@dataclass(frozen=True, slots=True, repr=False)
class Fixed(Value):
    """Open the `nprobe` best lists.

    Parameters
    ----------
    nprobe : int
        ℓ, at least 1; more than there are lists means all of them.
    """

    nprobe: int

    def __post_init__(self) -> None:
        positive(self.nprobe, "nprobe")

    def probes(
        self, routes: Routes, queries: npt.NDArray[np.float32], lists: int, threads: int = 1
    ) -> npt.NDArray[np.int32]:
        """Return the lists to open, best first: (q, min(nprobe, L)) int32."""
        return routes.route(queries, min(self.nprobe, lists), threads)
