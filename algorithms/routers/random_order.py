"""Lists in random order: the control that no router should lose to.

The order is a hash of the query's bits, the list and the seed, so that the same query is sent the same way alone, in
any batch, and by anybody.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..value import Value
from .router import Fitted, Fitting, Routed
from .scored import nowhere, route_by_scores

GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2⁶⁴ divided by the golden ratio, odd


def mixed(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return a hash of each number: the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014, figure 17)."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


@dataclass(frozen=True, slots=True)
class RandomRoutes:
    """One odd multiplier for each coordinate.

    Attributes
    ----------
    multipliers : (d,) uint64
    lists : int
        L.
    """

    multipliers: npt.NDArray[np.uint64]
    lists: int

    @property
    def nbytes(self) -> int:
        """Bytes of the multipliers."""
        return self.multipliers.nbytes

    def scores(self, queries: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return a number in [0, 1) for each query and list, (q, L) float32, equally likely everywhere."""
        bits = np.ascontiguousarray(queries).view(np.uint32).astype(np.uint64)
        hashes = mixed((bits * self.multipliers).sum(axis=1, dtype=np.uint64))
        steps = np.arange(1, self.lists + 1, dtype=np.uint64) * GOLDEN
        drawn = mixed(hashes[:, None] + steps) >> np.uint64(40)  # 24 bits: what float32 holds exactly
        return nowhere(queries, drawn.astype(np.float32) * np.float32(2.0**-24))

    def route(self, queries: npt.NDArray[np.float32], nprobe: int, threads: int = 1) -> Routed:
        """Return nprobe lists of each query, in random order."""
        columns = 2 * (len(self.multipliers) + 2 * self.lists)
        return route_by_scores(self.scores, queries, nprobe, columns, threads)


@dataclass(frozen=True, slots=True, repr=False)
class Random(Value):
    """Route anywhere: a permutation of the lists from the query's bits and the index's seed."""

    @property
    def linear(self) -> bool:
        """No single representative for each list."""
        return False

    @property
    def learns(self) -> bool:
        """No training queries needed."""
        return False

    def resolve(self, metric: str) -> "Random":
        """Nothing depends on the metric."""
        return self

    def fit(self, fitting: Fitting) -> Fitted:
        """Draw the multipliers of the hash."""
        generator = np.random.default_rng(fitting.seed)
        drawn = generator.integers(0, 2**64, size=fitting.rows.shape[1], dtype=np.uint64)
        multipliers = np.bitwise_or(drawn, np.uint64(1))
        return Fitted(RandomRoutes(multipliers, len(fitting.clusters.centroids)))
