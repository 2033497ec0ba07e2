"""Batches for libraries that answer one block of queries on one thread, and let other threads run meanwhile."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from .peer import Ids, Rows


class Workers:
    """Threads that wait for blocks of queries; started when first needed, kept as long as their number is asked for."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._threads = 0

    def each(self, answer: Callable[[Rows], Ids], rows: Rows, threads: int) -> Ids:
        """Return ``answer`` of all rows: of as many blocks of equal size as there are threads, one on each."""
        if threads == 1 or len(rows) == 1:
            return answer(rows)
        if self._pool is None or self._threads != threads:
            if self._pool is not None:
                self._pool.shutdown()
            self._pool, self._threads = ThreadPoolExecutor(threads), threads
        blocks: list[npt.NDArray[Any]] = np.array_split(rows, min(threads, len(rows)))
        return np.concatenate(list(self._pool.map(answer, blocks)))
