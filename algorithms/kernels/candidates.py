"""The candidates of a compressed scan: a buffer of keys that is cut back to the best R whenever it is full.

A heap pays for each offer; a buffer pays for a store, and once in a while for a selection in linear time. What it ends
with is the same: the R lowest keys (`heap.make_key`), which never depend on the order of arrival.

Buffers are the rows of a (q, capacity) uint64 matrix.
"""

import numpy as np

from .compile import kernel
from .heap import key_score, make_heap, make_key, sort_heap
from .vector import lowest_bit

FEW = 192


@kernel
def _partition(keys, row, low, high, pivot):  # type: ignore[no-untyped-def]
    # Bring the keys below `pivot` of keys[row, low:high] to its front; return the first place after them. No branch
    # depends on a key: half of such branches would be guessed wrong, and each wrong guess costs more than ten swaps.
    place = low
    for i in range(low, high):
        key = keys[row, i]
        keys[row, i] = keys[row, place]
        keys[row, place] = key
        place += np.int64(key < pivot)
    return place


@kernel
def _partition_through(keys, row, low, high, pivot):  # type: ignore[no-untyped-def]
    # As `_partition`, with the keys that equal the pivot.
    place = low
    for i in range(low, high):
        key = keys[row, i]
        keys[row, i] = keys[row, place]
        keys[row, place] = key
        place += np.int64(key <= pivot)
    return place


@kernel
def select(keys, row, count, fewest, most):  # type: ignore[no-untyped-def]
    """Bring the lowest of the first `count` keys of a row to its front; return how many, from `fewest` to `most`.

    Hoare's selection with the median of three. Keys may be equal, though those of candidates never are.
    keys (q, capacity) uint64
    """
    low, high = 0, count
    while high > most:
        if high - low < 4:
            # insertion: too few for a pivot that leaves both sides something
            for i in range(low + 1, high):
                key, j = keys[row, i], i
                while j > low and keys[row, j - 1] > key:
                    keys[row, j] = keys[row, j - 1]
                    j -= 1
                keys[row, j] = key
            return max(low, most)
        first, second, third = keys[row, low], keys[row, (low + high) >> 1], keys[row, high - 1]
        pivot = max(min(first, second), min(max(first, second), third))
        place = _partition(keys, row, low, high, pivot)
        if place == low:  # the pivot is the lowest and comes more than once: what equals it counts as below
            place = _partition_through(keys, row, low, high, pivot)
            if place == high:  # all alike
                return max(low, most)
        if place >= fewest:
            high = place
            if place <= most:
                return place
        else:
            low = place
    return high


@kernel
def sort_keys(keys, row, count, ranked):  # type: ignore[no-untyped-def]
    """Sort the first `count` keys of a row, lowest first.

    Few keys are sorted by counting how many are lower: more comparisons, none of which the processor has to guess.
    keys (q, capacity) uint64, distinct · ranked (1, count) uint64, scratch
    """
    if count > FEW:
        make_heap(keys, row, count)
        sort_heap(keys, row, count)
        return
    for i in range(count):
        key, rank = keys[row, i], np.int64(0)
        for j in range(count):
            rank += np.int64(keys[row, j] < key)
        ranked[0, rank] = key
    for i in range(count):
        keys[row, i] = ranked[0, i]


@kernel
def cut(keys, row, count, fewest, most):  # type: ignore[no-untyped-def]
    """Keep between `fewest` and `most` lowest of `count` keys; return how many, and the score of the worst of them."""
    kept = select(keys, row, count, fewest, most)
    worst = keys[row, 0]
    for i in range(1, kept):
        worst = max(worst, keys[row, i])
    return kept, key_score(worst)


@kernel
def append(mask, scores, i, column, first_slot, keys, row, count):  # type: ignore[no-untyped-def]
    """Append those of the 16 scores[i, column:] that `mask` marks; return the new count."""
    while mask != np.uint64(0):
        lane = lowest_bit(mask)
        mask = mask & (mask - np.uint64(1))
        keys[row, count] = make_key(scores[i, column + lane], first_slot + lane)
        count += 1
    return count
