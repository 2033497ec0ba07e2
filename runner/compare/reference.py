"""The frozen kernel: work that never changes, so that its time tells what the machine was like.

Products of 64 queries with 8,192 vectors of 96 dimensions by the BLAS of numpy, on one thread. It is timed in every
pass beside what is compared; the history divides by it, and a reader sees from its spread how noisy the machine was.
Never change a number here: every stored history would break.
"""

import time

import numpy as np
from threadpoolctl import threadpool_limits

QUERIES, ROWS, DIMENSION, REPEATS, SEED = 64, 8192, 96, 4, 20_261_121


class Reference:
    """The kernel with its data."""

    def __init__(self) -> None:
        generator = np.random.default_rng(SEED)
        self._queries = generator.standard_normal((QUERIES, DIMENSION)).astype(np.float32)
        self._rows = generator.standard_normal((ROWS, DIMENSION)).astype(np.float32)
        self._out = np.empty((QUERIES, ROWS), np.float32)
        self.seconds()

    def seconds(self) -> float:
        """Return the seconds that it takes now."""
        with threadpool_limits(1):
            started = time.perf_counter_ns()
            for _ in range(REPEATS):
                np.matmul(self._queries, self._rows.T, out=self._out)
            return (time.perf_counter_ns() - started) / 1e9
