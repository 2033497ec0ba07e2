"""The best k of a stream, as a heap of 64-bit keys.

A key holds a score and a slot in one unsigned integer: the float32 score, its bits rearranged so that integers sort as
the floats do, above the 32-bit slot. One integer comparison therefore orders by score, and equal scores by slot: what
a heap keeps never depends on the order of arrival. That is why single queries, batches and any number of threads agree
on ties.

A heap is a `(k,) uint64` row whose first element is the worst kept key. It starts full of `EMPTY`.
"""

import numpy as np

from .compile import kernel
from .vector import bits_float, float_bits

NO_SLOT = 0xFFFFFFFF
LARGEST = float(np.finfo(np.float32).max)  # the limit of a heap with room left; infinite scores (padding) never pass it


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
def clear(heap):  # type: ignore[no-untyped-def]
    """Fill a heap with empty places. heap (k,) uint64."""
    empty = make_key(np.float32(LARGEST), np.uint64(NO_SLOT))
    for i in range(heap.shape[0]):
        heap[i] = empty


@kernel
def sift_down(heap, size, key):  # type: ignore[no-untyped-def]
    """Put `key` in the place of the worst one of the first `size` and restore the heap."""
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and heap[child + 1] > heap[child]:
            child += 1
        if heap[child] <= key:
            break
        heap[place] = heap[child]
        place = child
    heap[place] = key


@kernel
def offer(heap, score, slot):  # type: ignore[no-untyped-def]
    """Keep (score, slot) if it is among the best, and return the score that the next one has to reach.

    heap (k,) uint64
    """
    key = make_key(score, slot)
    if key < heap[0]:
        sift_down(heap, heap.shape[0], key)
    return key_score(heap[0])


@kernel
def sort_heap(heap):  # type: ignore[no-untyped-def]
    """Sort a heap in place, best first, empty places last. heap (k,) uint64."""
    for end in range(heap.shape[0] - 1, 0, -1):
        worst = heap[0]
        last = heap[end]
        sift_down(heap, end, last)
        heap[end] = worst


@kernel
def make_heap(keys):  # type: ignore[no-untyped-def]
    """Order arbitrary keys as a heap, in place. keys (k,) uint64."""
    size = keys.shape[0]
    for start in range(size // 2 - 1, -1, -1):
        key = keys[start]
        place = start
        while True:
            child = 2 * place + 1
            if child >= size:
                break
            if child + 1 < size and keys[child + 1] > keys[child]:
                child += 1
            if keys[child] <= key:
                break
            keys[place] = keys[child]
            place = child
        keys[place] = key
