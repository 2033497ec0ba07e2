"""From kept keys to answers: exact distances of the winners, in their final order.

Scores rank by float32 arithmetic that suits the scan; what a user is told is recomputed in float64 from the vectors of
the k winners, and they are sorted by that distance, equal ones by id.
"""

import numba
import numpy as np
import numpy.typing as npt

from .compile import kernel, numba_threads, parallel_kernel
from .heap import key_score, key_slot, make_heap, make_key, sort_heap
from .panels import Panels
from .space import METRICS, Space, prepare_row

EUCLIDEAN = METRICS.index("euclidean")
ONE_MINUS = (METRICS.index("angular"), METRICS.index("normalized"))


@kernel
def _distance(values, slot, query, metric):  # type: ignore[no-untyped-def]
    # values (P, d, 16) · query (d,), prepared · metric: place in METRICS
    panel, lane = slot // 16, slot % 16
    total = 0.0
    if metric == EUCLIDEAN:
        for j in range(query.shape[0]):
            difference = np.float64(query[j]) - np.float64(values[panel, j, lane])
            total += difference * difference
        return np.sqrt(total)
    for j in range(query.shape[0]):
        total += np.float64(query[j]) * np.float64(values[panel, j, lane])
    if metric == ONE_MINUS[0] or metric == ONE_MINUS[1]:
        return 1.0 - total
    return -total


@kernel
def finish_row(values, slot_ids, query, metric, keys, ids, distances):  # type: ignore[no-untyped-def]
    """Turn the keys of one query into ids and distances.

    values (P, d, 16) float32 · slot_ids (P, 16) int32 · query (d,) float32, prepared · keys (k,) uint64, best first,
    reordered in place · ids (k,) int32 · distances (k,) float32
    """
    found = 0
    for j in range(keys.shape[0]):
        slot = key_slot(keys[j])
        if slot < 0:
            break
        row = slot_ids[slot // 16, slot % 16]
        keys[j] = make_key(np.float32(_distance(values, slot, query, metric)), np.uint64(row))
        found = j + 1
    make_heap(keys[:found])
    sort_heap(keys[:found])
    for j in range(keys.shape[0]):
        if j < found:
            ids[j] = np.int32(key_slot(keys[j]))
            distances[j] = key_score(keys[j])
        else:
            ids[j] = -1
            distances[j] = np.inf


@kernel
def _finish_single(values, slot_ids, query, center, normalise, metric, keys, ids, distances):  # type: ignore[no-untyped-def]
    prepared = np.empty(query.shape[0], dtype=np.float32)
    prepare_row(query, center, normalise, prepared)
    finish_row(values, slot_ids, prepared, metric, keys, ids, distances)


@parallel_kernel
def _finish_all(values, slot_ids, queries, center, normalise, metric, keys, ids, distances):  # type: ignore[no-untyped-def]
    # Iteration i owns row i of keys, ids and distances.
    for i in numba.prange(queries.shape[0]):
        _finish_single(values, slot_ids, queries[i], center, normalise, metric, keys[i], ids[i], distances[i])


def finish(
    panels: Panels,
    queries: npt.NDArray[np.float32],
    space: Space,
    metric: str,
    keys: npt.NDArray[np.uint64],
    threads: int = 1,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Return the ids and exact distances of the kept keys.

    Parameters
    ----------
    panels : Panels
        The layout whose slots the keys name.
    queries : (q, d) float32, C-contiguous
        As given.
    space : Space
        How queries are prepared.
    metric : str
        One of `space.METRICS`.
    keys : (q, k) uint64
        Of `scan_lists`; overwritten.
    threads : int

    Returns
    -------
    ids : (q, k) int32
        Rows of the training matrix by ascending distance, equal distances by id; -1 where fewer than k were scanned.
    distances : (q, k) float32
        Euclidean distance, 1 - cosine, 1 - inner product, or minus the inner product, by metric; +inf at id -1.
    """
    ids = np.empty(keys.shape, dtype=np.int32)
    distances = np.empty(keys.shape, dtype=np.float32)
    code = METRICS.index(metric)
    arrays = (panels.values, panels.ids)
    if len(queries) == 1:
        _finish_single(*arrays, queries[0], space.center, space.normalise, code, keys[0], ids[0], distances[0])
    elif len(queries):
        with numba_threads(threads):
            _finish_all(*arrays, queries, space.center, space.normalise, code, keys, ids, distances)
    return ids, distances
