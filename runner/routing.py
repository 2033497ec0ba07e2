"""Routing observed alone: which lists a built index would open, in what order, and how fast it decides.

Recall against queries per second mixes the router with everything around it. Here nothing is scanned. For each
test query the whole order of the lists is taken once and reduced to where the lists of the true neighbours stand
in it; recall under any budget, of lists or of points, follows from these integers exactly and on any machine.

Symbols: q queries, K true neighbours, L lists, n vectors.
"""

import time
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ..algorithms.codecs.codec import Lists
from ..algorithms.progress import Progress
from ..algorithms.routers.router import Routes
from ..results.run import DEEPEST, Routing

IDS_IN_BLOCK = 1 << 22  # list ids held at a time: 16 MiB
TIMED_QUERIES = 300
UNTIMED_QUERIES = 64
TIMED_PART = 10  # the clock runs while the best tenth of the lists is sought


class Listed(Protocol):
    """What is asked of an index with lists."""

    @property
    def lists(self) -> Lists:
        """The vectors, list after list."""

    @property
    def routes(self) -> Routes:
        """The fitted router."""

    @property
    def count(self) -> int:
        """L."""

    def assignment(self) -> npt.NDArray[np.int32]:
        """Return the list of each vector, (n,) int32."""


def observe_routing(
    index: Listed,
    queries: npt.NDArray[np.float32],
    neighbors: npt.NDArray[np.int32],
    repetitions: int,
    threads: int,
    progress: Progress,
) -> Routing:
    """Return what the router of a built index does with the test queries.

    Parameters
    ----------
    index : IVFIndex
    queries : (q, d) float32
    neighbors : (q, K) int32
        True neighbours, nearest first; at most the first 100 are followed.
    repetitions : int
        Timed passes over the first queries, all kept, after one untimed pass.
    threads : int
        For the order of the lists; the clock runs for one query at a time on one thread.
    progress : callable
    """
    followed = np.ascontiguousarray(neighbors[:, :DEEPEST])
    rank, before, size, scanned = _places(index, queries, followed, threads, progress)
    nprobe = max(1, index.count // TIMED_PART)
    progress("routing times", 0, 1, f"{nprobe} lists")
    seconds = _times(index.routes, queries[:TIMED_QUERIES], nprobe, repetitions)
    progress("routing times", 1, 1, f"median {1e6 * float(np.median(seconds)):.1f} µs")
    return Routing(rank=rank, before=before, size=size, scanned=scanned, seconds=seconds, nprobe=nprobe)


Places = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.float64]]


def _places(
    index: Listed, queries: npt.NDArray[np.float32], neighbors: npt.NDArray[np.int32], threads: int, progress: Progress
) -> Places:
    # rank, before, size (q, K) and scanned (L,) as in `Routing`.
    sizes, home = index.lists.sizes, index.assignment()[neighbors]
    rank, before = np.empty_like(home), np.empty_like(home)
    scanned = np.zeros(index.count, np.int64)
    rows = max(1, IDS_IN_BLOCK // index.count)
    for start in range(0, len(queries), rows):
        progress("routing", start, len(queries), "")
        block = slice(start, start + rows)
        order = index.routes.route(queries[block], index.count, threads).lists
        rank[block], before[block], points = reduce_order(order, home[block], sizes)
        scanned += points
    progress("routing", len(queries), len(queries), "")
    return rank, before, sizes[home].astype(np.int32), scanned / len(queries)


def reduce_order(
    order: npt.NDArray[np.int32], home: npt.NDArray[np.int32], sizes: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Return where the lists of the true neighbours stand in the order of the lists.

    Parameters
    ----------
    order : (b, L) int32
        All lists of each query, best first; -1 at the end where the router ranked fewer.
    home : (b, K) int32
        The list of each true neighbour.
    sizes : (L,) int64

    Returns
    -------
    rank : (b, K) int32
        Position of `home` in `order`; L where it is not there.
    before : (b, K) int32
        Points in the lists before it; n where it is not there.
    scanned : (L,) int64
        Points in the first ℓ lists, summed over the b queries.
    """
    count = len(sizes)
    # One column more than lists: -1, as an index, is that column, and so is "not ranked".
    position = np.full((len(order), count + 1), count, np.int32)
    np.put_along_axis(position, order.astype(np.int64), np.arange(count, dtype=np.int32)[np.newaxis], axis=1)
    position[:, count] = count
    rank = np.take_along_axis(position, home.astype(np.int64), axis=1)
    until = np.cumsum(np.append(sizes, 0)[order], axis=1)  # (b, L): points in the first ℓ lists
    total = np.full((len(order), 1), sizes.sum(), np.int64)
    first = np.zeros((len(order), 1), np.int64)
    opened = np.concatenate([first, until[:, :-1], total], axis=1)
    before = np.take_along_axis(opened, rank.astype(np.int64), axis=1)
    return rank, before.astype(np.int32), until.sum(axis=0)


def _times(routes: Routes, queries: npt.NDArray[np.float32], nprobe: int, repetitions: int) -> npt.NDArray[np.float64]:
    rows = [queries[i : i + 1] for i in range(len(queries))]
    for row in rows[:UNTIMED_QUERIES]:
        routes.route(row, nprobe, 1)
    nanoseconds = np.empty((repetitions, len(rows)), np.int64)
    clock = time.perf_counter_ns
    for repetition in range(repetitions):
        for i, row in enumerate(rows):
            started = clock()
            routes.route(row, nprobe, 1)
            nanoseconds[repetition, i] = clock() - started
    return nanoseconds / 1e9
