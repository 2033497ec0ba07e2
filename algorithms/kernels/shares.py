"""How a batch is divided among threads."""

import numpy as np
import numpy.typing as npt

# A thread works on at most this many queries at a time: their heaps stay in its cache.
QUERIES_PER_SHARE = 2048


def share_bounds(queries: int, threads: int) -> npt.NDArray[np.int64]:
    """Divide queries evenly into shares, a multiple of `threads` of them, none above `QUERIES_PER_SHARE`.

    Returns
    -------
    bounds : (shares + 1,) int64
        Share i holds the queries bounds[i] to bounds[i + 1] - 1.
    """
    rounds = max(1, -(-queries // (threads * QUERIES_PER_SHARE)))
    return np.linspace(0, queries, rounds * threads + 1).astype(np.int64)
