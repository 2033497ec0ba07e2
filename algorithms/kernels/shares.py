"""How a batch is divided among threads."""

import numpy as np
import numpy.typing as npt

# Queries that a thread takes at a time. Against one short list (centroids, representatives) the queries should stay in
# its cache; against all lists every share reads them from memory once, so shares should be long.
AGAINST_ONE_LIST = 2048
AGAINST_ALL_LISTS = 8192


def share_bounds(queries: int, threads: int, longest: int) -> npt.NDArray[np.int64]:
    """Divide queries evenly into shares, a multiple of `threads` of them, none above `longest`.

    Returns
    -------
    bounds : (shares + 1,) int64
        Share i holds the queries bounds[i] to bounds[i + 1] - 1.
    """
    rounds = max(1, -(-queries // (threads * longest)))
    return np.linspace(0, queries, rounds * threads + 1).astype(np.int64)
