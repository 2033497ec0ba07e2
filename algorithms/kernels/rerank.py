"""Exact distances of a compressed scan's candidates, from the vectors as they were given.

Candidates lie anywhere in memory: their rows are asked for ahead (prefetched), several at a time. A row is float32, or
float16 held as uint16. Ranking is in float32; the k winners are measured again in float64, which a user is told.

Symbols: n vectors, d dimension, k neighbours.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import config
from numba.extending import intrinsic

from .candidates import select
from .compile import kernel
from .finish import EUCLIDEAN, ONE_MINUS
from .heap import key_score, key_slot, make_heap, make_key, sort_heap
from .prefetch import prefetch_row

AHEAD = 6  # rows asked for before they are needed


@intrinsic
def _as_float(typing_context, value):  # type: ignore[no-untyped-def]
    # A float32 as it is, or the bits of a float16.
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if signature.args[0] == types.float32:
            return arguments[0]
        return builder.fpext(builder.bitcast(arguments[0], ir.HalfType()), ir.FloatType())

    return types.float32(value), generate


def _plain_as_float(value: Any) -> np.float32:
    return np.float32(value.view(np.float16)) if value.dtype == np.uint16 else value


if config.DISABLE_JIT:
    as_float: Any = _plain_as_float
else:
    as_float = _as_float


@kernel
def _rough(rows, row, query, metric):  # type: ignore[no-untyped-def]
    # Lower is better; float32. rows (n, d) float32 or uint16 · query (d,) float32
    total = np.float32(0.0)
    if metric == EUCLIDEAN:
        for j in range(query.shape[0]):
            difference = query[j] - as_float(rows[row, j])
            total += difference * difference
        return total
    for j in range(query.shape[0]):
        total += query[j] * as_float(rows[row, j])
    return np.float32(0.0) - total


@kernel
def _exact(rows, row, query, metric):  # type: ignore[no-untyped-def]
    # What `_rough` ranks by, in float64, in the metric's unit.
    total = 0.0
    if metric == EUCLIDEAN:
        for j in range(query.shape[0]):
            difference = np.float64(query[j]) - np.float64(as_float(rows[row, j]))
            total += difference * difference
        return np.sqrt(total)
    square = 0.0
    for j in range(query.shape[0]):
        value = np.float64(as_float(rows[row, j]))
        total += np.float64(query[j]) * value
        square += value * value
    if metric == ONE_MINUS[0]:
        return 1.0 - (total / np.sqrt(square) if square > 0.0 else 0.0)
    if metric == ONE_MINUS[1]:
        return 1.0 - total
    return -total


@kernel
def rerank_row(rows, lengths, query, metric, slot_ids, keys, row, count, ids, distances):  # type: ignore[no-untyped-def]
    """Turn the first `count` keys of a row, in any order, into the k nearest ids and their distances.

    rows (n, d) float32, or float16 as uint16, as given · lengths (n,) float32: inverse, and (0,) but under angular ·
    query (d,) float32: of unit length under angular, else as given · metric: place in METRICS · slot_ids (B, 32)
    int32 · keys (q, capacity) uint64, overwritten · ids (k,) int32 · distances (k,) float32
    """
    for j in range(count):
        slot = key_slot(keys[row, j])
        keys[row, j] = np.uint64(slot_ids[slot // 32, slot % 32])
    for j in range(min(AHEAD, count)):
        prefetch_row(rows, np.int64(keys[row, j]))
    for j in range(count):
        if j + AHEAD < count:
            prefetch_row(rows, np.int64(keys[row, j + AHEAD]))
        chosen = np.int64(keys[row, j])
        score = _rough(rows, chosen, query, metric)
        if lengths.shape[0] > 0:
            score *= lengths[chosen]
        keys[row, j] = make_key(score, np.uint64(chosen))
    found = min(count, ids.shape[0])
    if found < count:
        select(keys, row, count, found, found)
    for j in range(found):
        chosen = key_slot(keys[row, j])
        keys[row, j] = make_key(np.float32(_exact(rows, chosen, query, metric)), np.uint64(chosen))
    make_heap(keys, row, found)
    sort_heap(keys, row, found)
    for j in range(ids.shape[0]):
        if j < found:
            ids[j] = np.int32(key_slot(keys[row, j]))
            distances[j] = key_score(keys[row, j])
        else:
            ids[j] = -1
            distances[j] = np.inf
