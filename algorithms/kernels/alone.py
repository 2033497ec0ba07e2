"""The serial kernels by themselves, many calls in one, for whoever times them.

A call from Python costs microseconds, a warm list hardly more. Here the calls follow one another inside compiled code,
each as the public functions (`search`, `nearest`) would make it on one thread.

Symbols: q queries, d dimension, k neighbours, L lists, p probes.
"""

import numpy as np
import numpy.typing as npt

from .blocks import Blocks
from .compile import kernel
from .compressed import CAPACITY, SLACK, scan_codes
from .finish import finish_row
from .heap import LARGEST
from .panels import Panels
from .scan import scan_share, scan_single
from .space import METRICS, Space


@kernel
def _scan_each(values, bias, starts, differences, queries, center, normalise, probes, prepared, heaps, kept):  # type: ignore[no-untyped-def]
    # prepared (1, d) float32 and heaps (1, k) uint64, scratch · kept (q, k) uint64 · the rest as for `scan_single`
    for i in range(queries.shape[0]):
        scan_single(values, bias, starts, differences, queries[i], center, normalise, probes[i], prepared, heaps)
        kept[i] = heaps[0]


def scan_each(
    panels: Panels, queries: npt.NDArray[np.float32], space: Space, metric: str, probes: npt.NDArray[np.int32], k: int
) -> npt.NDArray[np.uint64]:
    """Scan the probed lists of each query, one query after the other.

    Parameters
    ----------
    panels, queries, space, metric, probes, k
        As for `search.search_lists`.

    Returns
    -------
    keys : (q, k) uint64
        What is best, best first (`heap`).
    """
    keys = np.empty((len(queries), k), dtype=np.uint64)
    _scan_each(
        panels.values, panels.bias, panels.starts, metric == "manhattan", queries, space.center, space.normalise,
        probes, np.empty((1, queries.shape[1]), dtype=np.float32), np.empty((1, k), dtype=np.uint64), keys,
    )  # fmt: skip
    return keys


def scan_together(
    panels: Panels, queries: npt.NDArray[np.float32], space: Space, metric: str, probes: npt.NDArray[np.int32], k: int
) -> npt.NDArray[np.uint64]:
    """Scan the probed lists of all queries, each list once; otherwise as `scan_each`."""
    keys = np.empty((len(queries), k), dtype=np.uint64)
    scan_share(
        panels.values, panels.bias, panels.starts, metric == "manhattan", queries, space.center, space.normalise,
        probes, np.empty_like(queries), keys,
    )  # fmt: skip
    return keys


@kernel
def _finish_each(values, slot_ids, queries, metric, keys, ids, distances):  # type: ignore[no-untyped-def]
    # values (P, d, 16) · slot_ids (P, 16) int32 · queries (q, d) float32, prepared · keys (q, k) uint64
    for i in range(queries.shape[0]):
        finish_row(values, slot_ids, queries[i], metric, keys, i, ids[i], distances[i])


def finish_each(
    panels: Panels, prepared: npt.NDArray[np.float32], metric: str, keys: npt.NDArray[np.uint64]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Compute the exact distances of each query's winners.

    Parameters
    ----------
    panels : Panels
    prepared : (q, d) float32
        Queries, prepared.
    metric : str
    keys : (q, k) uint64
        As `scan_each` returns them; left as they are.

    Returns
    -------
    ids : (q, k) int32
    distances : (q, k) float32
        As of `search.search_lists`.
    """
    ids = np.empty(keys.shape, dtype=np.int32)
    distances = np.empty(keys.shape, dtype=np.float32)
    _finish_each(panels.values, panels.ids, prepared, METRICS.index(metric), keys.copy(), ids, distances)
    return ids, distances


@kernel
def _scan_codes_each(nibbles, codes, bias, starts, tables, probes, wanted, keys, counts):  # type: ignore[no-untyped-def]
    # tables (q, ·) uint8 · keys (1, capacity) uint64, scratch · counts (q,) int64: candidates left
    scores = np.empty((1, 64), dtype=np.float32)
    scales, shifts = np.ones(1, dtype=np.float32), np.zeros(1, dtype=np.float32)
    picks = np.zeros(1, dtype=np.int64)
    for i in range(tables.shape[0]):
        count, limit = 0, np.float32(LARGEST)
        for j in range(probes.shape[1]):
            chosen = probes[i, j]
            count, limit = scan_codes(
                nibbles, codes, bias, starts[chosen], starts[chosen + 1], tables[i : i + 1], scales, shifts, picks,
                scores, keys, count, limit, wanted,
            )  # fmt: skip
        counts[i] = count


def scan_codes_each(
    blocks: Blocks, nibbles: bool, tables: npt.NDArray[np.uint8], probes: npt.NDArray[np.int32], wanted: int
) -> npt.NDArray[np.int64]:
    """Scan the codes of the probed lists of each query, one query after the other.

    Parameters
    ----------
    blocks : Blocks
        Codes of 4 bits (`nibbles`) or of 8.
    nibbles : bool
    tables : (q, bytes of a query) uint8
    probes : (q, p) int32
    wanted : int
        Candidates that are never cut.

    Returns
    -------
    counts : (q,) int64
        Candidates left in the buffer at the end.
    """
    counts = np.empty(len(tables), dtype=np.int64)
    keys = np.empty((1, CAPACITY * wanted + SLACK), dtype=np.uint64)
    _scan_codes_each(nibbles, blocks.codes, blocks.bias, blocks.starts, tables, probes, wanted, keys, counts)
    return counts
