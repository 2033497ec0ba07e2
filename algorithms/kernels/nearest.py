"""The nearest of a set of vectors that form one list: routing, and the assignment step of k-means.

Symbols: q queries, d dimension, k vectors to keep, P panels.
"""

import numba
import numpy as np
import numpy.typing as npt

from .candidates import select, sort_keys
from .compile import kernel, numba_threads, parallel_kernel
from .heap import LARGEST, key_score, key_slot, make_key
from .panels import Panels
from .scan import scan_share, scan_single
from .score import score_one, score_share
from .shares import AGAINST_ONE_LIST, share_bounds
from .space import Space

HEAP_AT_MOST = 3  # beyond so many, a heap's offers cost more than keeping all scores and selecting
ROWS_OF_PRODUCTS = 48  # queries whose scores are held at a time: they stay in the second-level cache


@kernel
def _split(keys, row, slots, scores):  # type: ignore[no-untyped-def]
    # keys (q, k) uint64 · slots (k,) int32 · scores (k,) float32
    for i in range(keys.shape[1]):
        slots[i] = np.int32(key_slot(keys[row, i]))
        scores[i] = key_score(keys[row, i])


@kernel
def _nearest_single(values, bias, starts, differences, query, center, normalise, slots, scores):  # type: ignore[no-untyped-def]
    prepared = np.empty((1, query.shape[0]), dtype=np.float32)
    heaps = np.empty((1, slots.shape[0]), dtype=np.uint64)
    probes = np.zeros(1, dtype=np.int32)
    scan_single(values, bias, starts, differences, query, center, normalise, probes, prepared, heaps)
    _split(heaps, 0, slots, scores)


@kernel
def _nearest_share(values, bias, starts, differences, queries, center, normalise, slots, scores):  # type: ignore[no-untyped-def]
    prepared = np.empty(queries.shape, dtype=np.float32)
    heaps = np.empty(slots.shape, dtype=np.uint64)
    probes = np.zeros((queries.shape[0], 1), dtype=np.int32)
    scan_share(values, bias, starts, differences, queries, center, normalise, probes, prepared, heaps)
    for i in range(queries.shape[0]):
        _split(heaps, i, slots[i], scores[i])


@kernel
def keep_best(products, i, length, keys, ranked, slots, scores):  # type: ignore[no-untyped-def]
    """Find the k best of the first `length` products of row i.

    products (q, m) float32, minus the scores · keys (1, length), ranked (1, k) uint64, scratch · slots (k,) int32,
    scores (k,) float32
    """
    count = 0
    for j in range(length):
        score = np.float32(0.0) - products[i, j]
        if score <= LARGEST:  # never true of NaN
            keys[0, count] = make_key(score, j)
            count += 1
    found = min(count, slots.shape[0])
    if found < count:
        select(keys, 0, count, found, found)
    sort_keys(keys, 0, found, ranked)
    for j in range(slots.shape[0]):
        slots[j] = np.int32(key_slot(keys[0, j])) if j < found else -1
        scores[j] = key_score(keys[0, j]) if j < found else LARGEST


@kernel
def _many_single(values, bias, sizes, query, center, normalise, slots, scores):  # type: ignore[no-untyped-def]
    products = np.empty((1, sizes[0]), dtype=np.float32)
    keys = np.empty((1, sizes[0]), dtype=np.uint64)
    ranked = np.empty((1, slots.shape[0]), dtype=np.uint64)
    score_one(values, bias, query, center, normalise, products)
    keep_best(products, 0, sizes[0], keys, ranked, slots, scores)


@kernel
def _many_share(values, bias, sizes, queries, center, normalise, slots, scores):  # type: ignore[no-untyped-def]
    products = np.empty((min(ROWS_OF_PRODUCTS, queries.shape[0]), sizes[0]), dtype=np.float32)
    keys = np.empty((1, sizes[0]), dtype=np.uint64)
    ranked = np.empty((1, slots.shape[1]), dtype=np.uint64)
    for begin in range(0, queries.shape[0], ROWS_OF_PRODUCTS):
        end = min(begin + ROWS_OF_PRODUCTS, queries.shape[0])
        score_share(values, bias, queries[begin:end], center, normalise, products[: end - begin])
        for i in range(begin, end):
            keep_best(products, i - begin, sizes[0], keys, ranked, slots[i], scores[i])


@parallel_kernel
def _many_shares(values, bias, sizes, queries, center, normalise, slots, scores, bounds):  # type: ignore[no-untyped-def]
    # bounds (shares + 1,). Iteration i owns the queries of share i.
    for i in numba.prange(bounds.shape[0] - 1):
        begin, end = bounds[i], bounds[i + 1]
        _many_share(
            values, bias, sizes, queries[begin:end], center, normalise, slots[begin:end], scores[begin:end]
        )  # fmt: skip


@parallel_kernel
def _nearest_shares(values, bias, starts, differences, queries, center, normalise, slots, scores, bounds):  # type: ignore[no-untyped-def]
    # bounds (shares + 1,). Iteration i owns the queries of share i.
    for i in numba.prange(bounds.shape[0] - 1):
        begin, end = bounds[i], bounds[i + 1]
        _nearest_share(
            values, bias, starts, differences, queries[begin:end], center, normalise,
            slots[begin:end], scores[begin:end],
        )  # fmt: skip


def nearest(
    panels: Panels,
    queries: npt.NDArray[np.float32],
    space: Space,
    k: int,
    threads: int = 1,
    *,
    differences: bool = False,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Find the k vectors of lowest score, of a layout of one list.

    Parameters
    ----------
    panels : Panels
        Of one list, so that slot i is row i of what was laid out.
    queries : (q, d) float32, C-contiguous
        As given.
    space : Space
        How the kernel prepares them.
    k : int
    threads : int
        Of a batch; one query takes a serial path, which starts none. The result depends on neither.
    differences : bool
        Score by manhattan distance.

    Returns
    -------
    slots : (q, k) int32
        Best first, equal scores by slot; -1 where there are fewer than k vectors.
    scores : (q, k) float32
        ``bias - ⟨q, x⟩``, or ``bias + Σ|q - x|`` of `differences`.
    """
    slots = np.empty((len(queries), k), dtype=np.int32)
    scores = np.empty((len(queries), k), dtype=np.float32)
    if k > HEAP_AT_MOST and not differences:
        whole = (panels.values, panels.bias, panels.sizes)
        if len(queries) == 1:
            _many_single(*whole, queries[0], space.center, space.normalise, slots[0], scores[0])
        elif len(queries):
            bounds = share_bounds(len(queries), threads, AGAINST_ONE_LIST)
            with numba_threads(threads):
                _many_shares(*whole, queries, space.center, space.normalise, slots, scores, bounds)
        return slots, scores
    layout = (panels.values, panels.bias, panels.starts, differences)
    if len(queries) == 1:
        _nearest_single(*layout, queries[0], space.center, space.normalise, slots[0], scores[0])
    elif len(queries):
        bounds = share_bounds(len(queries), threads, AGAINST_ONE_LIST)
        with numba_threads(threads):
            _nearest_shares(*layout, queries, space.center, space.normalise, slots, scores, bounds)
    return slots, scores
