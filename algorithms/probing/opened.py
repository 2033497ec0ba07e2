"""From routes to probes: policies that decide from the routes alone, and share lists between the queries of a batch.

All L lists of many queries at once would fill the memory, so queries are routed a block at a time, what stays closed is
cut off, and one scan serves them all.
"""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from ..routers.router import Routed
from .policy import Searched

ROUTED_AT_ONCE = 8_000_000  # lists, of all the queries of a block together

Choose = Callable[[npt.NDArray[np.float32], Routed], npt.NDArray[np.int32]]


def routed_blocks(
    index: Searched, queries: npt.NDArray[np.float32], width: int, threads: int
) -> Iterator[tuple[npt.NDArray[np.float32], Routed]]:
    """Yield the queries (b, d) and their routes to `width` lists, a block at a time; at least one block."""
    size = max(1024, ROUTED_AT_ONCE // width)
    for start in range(0, max(1, len(queries)), size):
        block = queries[start : start + size]
        yield block, index.routes.route(block, width, threads)


def opened_lists(
    index: Searched, queries: npt.NDArray[np.float32], width: int, choose: Choose, threads: int
) -> npt.NDArray[np.int32]:
    """Return the lists that each query opens.

    Parameters
    ----------
    index : Searched
    queries : (q, d) float32
    width : int
        Lists to route to, at most L.
    choose : callable
        Queries and routes of a block to the routed lists, -1 in place of those that stay closed.
    threads : int

    Returns
    -------
    (q, p) int32
        C-contiguous, p as wide as the query that opens most; -1 for none.
    """
    chosen = [choose(block, routed) for block, routed in routed_blocks(index, queries, width, threads)]
    widths = [int(np.flatnonzero((lists >= 0).any(axis=0)).max(initial=-1)) + 1 for lists in chosen]
    probes = np.full((len(queries), max(widths)), -1, dtype=np.int32)
    start = 0
    for lists, used in zip(chosen, widths, strict=True):
        probes[start : start + len(lists), :used] = lists[:, :used]
        start += len(lists)
    return probes
