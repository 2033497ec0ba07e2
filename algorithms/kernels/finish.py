"""From kept keys to answers: exact distances of the winners, in their final order.

Scores rank by float32 arithmetic that suits the scan; what a user is told is recomputed in float64 from the
vectors of the k winners, and they are sorted by that distance, equal ones by id.
"""

import numpy as np

from .compile import kernel
from .heap import key_score, key_slot, make_heap, make_key, sort_heap
from .space import METRICS

EUCLIDEAN = METRICS.index("euclidean")
MANHATTAN = METRICS.index("manhattan")
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
    if metric == MANHATTAN:
        for j in range(query.shape[0]):
            total += abs(np.float64(query[j]) - np.float64(values[panel, j, lane]))
        return total
    for j in range(query.shape[0]):
        total += np.float64(query[j]) * np.float64(values[panel, j, lane])
    if metric == ONE_MINUS[0] or metric == ONE_MINUS[1]:
        return 1.0 - total
    return -total


@kernel
def finish_row(values, slot_ids, query, metric, keys, i, ids, distances):  # type: ignore[no-untyped-def]
    """Turn row i of the keys into ids and distances.

    values (P, d, 16) float32 · slot_ids (P, 16) int32 · query (d,) float32, prepared · keys (k,) uint64, best
    first, reordered in place · ids (k,) int32 · distances (k,) float32
    """
    found = 0
    for j in range(keys.shape[1]):
        slot = key_slot(keys[i, j])
        if slot < 0:
            break
        row = slot_ids[slot // 16, slot % 16]
        keys[i, j] = make_key(np.float32(_distance(values, slot, query, metric)), np.uint64(row))
        found = j + 1
    make_heap(keys, i, found)
    sort_heap(keys, i, found)
    for j in range(keys.shape[1]):
        if j < found:
            ids[j] = np.int32(key_slot(keys[i, j]))
            distances[j] = key_score(keys[i, j])
        else:
            ids[j] = -1
            distances[j] = np.inf
