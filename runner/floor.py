"""What the clock itself costs: no time below this means anything."""

import functools
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..algorithms.found import Found
from ..algorithms.index import Built
from .measure import measure

_CALLS = 20_000
_QUERIES = 2_000


class EmptyIndex:
    """An index that answers at once, with nothing."""

    built = Built(0.0)
    nbytes = 0
    router_nbytes = 0

    def search(self, queries: Any, k: int = 10, *, threads: int = 1, **query_parameters: Any) -> Found:
        """Return no neighbours."""
        return _nothing(len(queries), k)


@functools.cache
def _nothing(queries: int, k: int) -> Found:
    none = np.zeros(queries, dtype=np.int64)
    return Found(np.full((queries, k), -1, np.int32), np.full((queries, k), np.inf, np.float32), none, none)


@dataclass(frozen=True, slots=True)
class Floor:
    """Times in nanoseconds, medians.

    Attributes
    ----------
    clock : float
        From one reading of the clock to the next.
    empty_index : float
        A single query to an index that answers at once, by the same clock as all others.
    """

    clock: float
    empty_index: float


def measure_floor() -> Floor:
    """Measure what a time contains that no index is to blame for; some ten milliseconds."""
    clock = time.perf_counter_ns
    readings = np.array([clock() for _ in range(_CALLS)])
    queries = np.zeros((_QUERIES, 1), dtype=np.float32)
    measured = measure(EmptyIndex(), queries, 10, {}, mode="single", threads=1, repetitions=3)
    return Floor(float(np.median(np.diff(readings))), float(1e9 * np.median(measured.seconds)))
