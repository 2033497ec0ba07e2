"""Lists of equal size, of random vectors, and queries that probe them: cold or warm.

Cold lists fill much more memory than any cache, and are probed in a random order until all of them were; warm ones are
the same few again and again.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ...algorithms.kernels.panels import Panels, make_panels
from ...algorithms.kernels.space import Space, identity
from .sizes import Sizes

PROBES = 8  # lists of a query
PARTS = 16
SEED = 7


def normal(rows: int, dimension: int, seed: int = SEED) -> npt.NDArray[np.float32]:
    """Return (rows, dimension) float32, standard normal."""
    return np.random.default_rng(seed).standard_normal((rows, dimension), dtype=np.float32)


def queries_of(count: int, dimension: int) -> npt.NDArray[np.float32]:
    """Return (PARTS, count, dimension) float32: other queries for each call.

    Of the same queries again and again a processor learns the outcome of every comparison by heart.
    """
    return normal(PARTS * count, dimension, seed=1).reshape(PARTS, count, dimension)


@dataclass(frozen=True, slots=True)
class Lists:
    """Float32 lists in panels.

    Attributes
    ----------
    panels : Panels
    space : Space
    bytes : int
        Of all vectors, and of the constant that each score starts from.
    """

    panels: Panels
    space: Space
    bytes: int

    @property
    def count(self) -> int:
        """L."""
        return len(self.panels.sizes)


@lru_cache(maxsize=1)  # several kernels in succession scan the same half gigabyte
def make_lists(lists: int, list_size: int, dimension: int) -> Lists:
    """Lay out `lists` lists of `list_size` vectors."""
    rows = normal(lists * list_size, dimension)
    space = identity(dimension)
    assignment = np.repeat(np.arange(lists, dtype=np.int32), list_size)
    panels = make_panels(rows, space, assignment, lists)
    return Lists(panels, space, rows.nbytes + 4 * len(rows))


def lists_of(sizes: Sizes, cold: bool) -> Lists:
    """Return cold lists, or as many warm ones as a query probes."""
    count = max(PROBES, sizes.cold // sizes.list_bytes // PROBES * PROBES) if cold else PROBES
    return make_lists(count, sizes.list_size, sizes.dimension)


def probes_of(lists: Lists, queries: int) -> list[npt.NDArray[np.int32]]:
    """Return parts of (queries, p) int32, which together probe every list as often as any other.

    With as many lists as probes there is one part: every query probes all of them.
    """
    order = np.random.default_rng(SEED).permutation(lists.count).astype(np.int32).reshape(-1, PROBES)
    if len(order) == 1:
        return [np.repeat(order, queries, axis=0)]
    return [order[start : start + queries] for start in range(0, len(order) - queries + 1, queries)]
