"""Probe the same number of lists for every query."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..found import Found
from ..rows import positive
from ..value import Value
from .policy import Searched


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

    @property
    def calibrates(self) -> bool:
        """No training queries needed."""
        return False

    def search(
        self, index: Searched, queries: npt.NDArray[np.float32], k: int, threads: int = 1, rerank: int | None = None
    ) -> Found:
        """Scan the same number of lists for every query."""
        return probe_fixed(index, queries, self.nprobe, k, threads, rerank)


def probe_fixed(
    index: Searched,
    queries: npt.NDArray[np.float32],
    nprobe: int,
    k: int,
    threads: int = 1,
    rerank: int | None = None,
) -> Found:
    """Scan the `nprobe` best lists of every query: what `Fixed` does, without a value for each call."""
    routed = index.routes.route(queries, min(nprobe, index.count), threads)
    return index.lists.search(queries, routed.lists, k, threads, rerank)
