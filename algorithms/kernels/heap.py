"""The best k of a stream, as a heap of 64-bit keys.

A key holds a score and a slot in one unsigned integer: the float32 score, its bits rearranged so that
integers sort as the floats do, above the 32-bit slot. One integer comparison therefore orders by score, and
equal scores by slot: what a heap keeps never depends on the order of arrival. That is why single queries,
batches and any number of threads agree on ties.

Heaps are the rows of a `(q, k) uint64` matrix; the first element of a row is its worst kept key, and a heap starts full
of empty places. Kernels pass the matrix and the row: a view of the row would cost more than most of what is done to it.
"""

import numpy as np

from .compile import kernel
from .vector import bits_float, float_bits

NO_SLOT = 0xFFFFFFFF
# The limit of a heap with room left; infinite scores (padding) never pass it.
LARGEST = float(np.finfo(np.float32).max)


@kernel
def make_key(score, slot):  # type: ignore[no-untyped-def]
    """Pack float32 `score` and uint32 `slot` into one key that sorts by both."""
    bits = np.uint64(float_bits(np.float32(score)))
    sign = np.uint64(0x80000000)
    everything = np.uint64(0xFFFFFFFF)
    ordered = (bits ^ everything) if (bits & sign) != np.uint64(0) else (bits | sign)
    return (ordered << np.uint64(32)) | np.uint64(slot)


@kernel
def key_score(key):  # type: ignore[no-untyped-def]
    """Return the float32 score inside `key`."""
    ordered = np.uint64(key) >> np.uint64(32)
    sign = np.uint64(0x80000000)
    everything = np.uint64(0xFFFFFFFF)
    bits = (ordered ^ sign) if (ordered & sign) != np.uint64(0) else (ordered ^ everything)
    return bits_float(np.uint32(bits))


@kernel
def key_slot(key):  # type: ignore[no-untyped-def]
    """Return the slot inside `key`; -1 for an empty place."""
    slot = np.int64(np.uint64(key) & np.uint64(0xFFFFFFFF))
    return np.int64(-1) if slot == 0xFFFFFFFF else slot


@kernel
def clear(heaps, row):  # type: ignore[no-untyped-def]
    """Fill a heap with empty places. heaps (q, k) uint64."""
    empty = make_key(np.float32(LARGEST), np.uint64(NO_SLOT))
    for i in range(heaps.shape[1]):
        heaps[row, i] = empty


@kernel
def sift_down(heaps, row, size, place, key):  # type: ignore[no-untyped-def]
    """Put `key` at `place` of a heap of `size` keys, or below it, so that no parent is better than its children."""
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and heaps[row, child + 1] > heaps[row, child]:
            child += 1
        if heaps[row, child] <= key:
            break
        heaps[row, place] = heaps[row, child]
        place = child
    heaps[row, place] = key


@kernel
def offer(heaps, row, score, slot):  # type: ignore[no-untyped-def]
    """Keep (score, slot) if it is among the best k, and return the score that the next one has to reach.

    heaps (q, k) uint64
    """
    key = make_key(score, slot)
    if key < heaps[row, 0]:
        sift_down(heaps, row, heaps.shape[1], 0, key)
    return key_score(heaps[row, 0])


@kernel
def sort_heap(heaps, row, size):  # type: ignore[no-untyped-def]
    """Sort the first `size` keys of a heap in place, best first. heaps (q, k) uint64."""
    for end in range(size - 1, 0, -1):
        worst = heaps[row, 0]
        sift_down(heaps, row, end, 0, heaps[row, end])
        heaps[row, end] = worst


@kernel
def make_heap(heaps, row, size):  # type: ignore[no-untyped-def]
    """Order the first `size` arbitrary keys of a row as a heap, in place. heaps (q, k) uint64."""
    for place in range(size // 2 - 1, -1, -1):
        sift_down(heaps, row, size, place, heaps[row, place])
