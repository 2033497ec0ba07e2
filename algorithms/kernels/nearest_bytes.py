"""The nearest of a set of vectors stored as bytes: routing at a quarter of the memory traffic.

As `nearest` of one list, but scores are of 8-bit codes (`byte_products`). Symbols: q queries, d dimension, L vectors.
"""

import numba
import numpy as np
import numpy.typing as npt

from .blocks import Blocks
from .byte_products import BLOCKS_PER_PRODUCT, QUERIES_PER_PRODUCT, byte_tile
from .byte_queries import make_bytes
from .candidates import append, cut, select, sort_keys
from .compile import kernel, numba_threads, parallel_kernel
from .compressed import CAPACITY, SLACK, scan_codes
from .heap import LARGEST, key_score, key_slot
from .shares import AGAINST_ONE_LIST, share_bounds
from .space import Space, prepare_row
from .vector import lanes_at_most


@kernel
def write_nearest(keys, row, count, ranked, slots, scores):  # type: ignore[no-untyped-def]
    """Write the k lowest of the kept keys, sorted.

    keys (·, capacity) uint64, of which row `row` holds `count` · ranked (1, k) uint64, scratch · slots (k,) int32 ·
    scores (k,) float32
    """
    found = min(count, slots.shape[0])
    if found < count:
        select(keys, row, count, found, found)
    sort_keys(keys, row, found, ranked)
    for j in range(slots.shape[0]):
        slots[j] = np.int32(key_slot(keys[row, j])) if j < found else -1
        scores[j] = np.float32(0.0) - key_score(keys[row, j]) if j < found else -np.inf


@kernel
def nearest_bytes_single(codes, bias, steps, query, center, normalise, slots, scores):  # type: ignore[no-untyped-def]
    """Answer one query.

    codes (B, ·) uint8 · bias (B, 32), steps (d,), query (d,), center (d,), scores (k,) float32 · slots (k,) int32
    """
    prepared = np.empty(query.shape[0], dtype=np.float32)
    tables = np.empty((1, codes.shape[1] // 32), dtype=np.uint8)
    scales, shifts = np.empty(1, dtype=np.float32), np.empty(1, dtype=np.float32)
    picks = np.zeros(1, dtype=np.int64)
    scratch = np.empty((1, 32 * BLOCKS_PER_PRODUCT), dtype=np.float32)
    wanted = slots.shape[0]
    keys = np.empty((1, CAPACITY * wanted + SLACK), dtype=np.uint64)
    ranked = np.empty((1, wanted), dtype=np.uint64)
    prepare_row(query, center, normalise, prepared)
    scales[0], shifts[0] = make_bytes(prepared, steps, tables, 0)
    no_limit = np.float32(LARGEST)
    count, _ = scan_codes(
        False, codes, bias, 0, codes.shape[0], tables, scales, shifts, picks, scratch, keys, 0, no_limit, wanted
    )  # fmt: skip
    write_nearest(keys, 0, count, ranked, slots, scores)


@kernel
def _share(codes, bias, steps, queries, center, normalise, slots, scores):  # type: ignore[no-untyped-def]
    prepared = np.empty(queries.shape[1], dtype=np.float32)
    tables = np.empty((QUERIES_PER_PRODUCT, codes.shape[1] // 32), dtype=np.uint8)
    scales = np.empty(QUERIES_PER_PRODUCT, dtype=np.float32)
    shifts = np.empty(QUERIES_PER_PRODUCT, dtype=np.float32)
    picks = np.arange(QUERIES_PER_PRODUCT)
    scratch = np.empty((QUERIES_PER_PRODUCT, 32), dtype=np.float32)
    wanted = slots.shape[1]
    keys = np.empty((QUERIES_PER_PRODUCT, CAPACITY * wanted + SLACK), dtype=np.uint64)
    counts = np.empty(QUERIES_PER_PRODUCT, dtype=np.int64)
    limits = np.empty(QUERIES_PER_PRODUCT, dtype=np.float32)
    ranked = np.empty((1, wanted), dtype=np.uint64)
    for begin in range(0, queries.shape[0], QUERIES_PER_PRODUCT):
        here = min(QUERIES_PER_PRODUCT, queries.shape[0] - begin)
        for i in range(QUERIES_PER_PRODUCT):
            prepare_row(queries[begin + min(i, here - 1)], center, normalise, prepared)
            scales[i], shifts[i] = make_bytes(prepared, steps, tables, i)
            counts[i], limits[i] = 0, np.float32(LARGEST)
        for block in range(codes.shape[0]):
            byte_tile(codes, bias, block, tables, picks, scales, shifts, scratch)
            for i in range(here):
                for half in range(2):
                    mask = lanes_at_most(scratch, i, half * 16, limits[i])
                    if mask != np.uint64(0):
                        counts[i] = append(mask, scratch, i, half * 16, block * 32 + half * 16, keys, i, counts[i])
                if counts[i] + SLACK > keys.shape[1]:
                    counts[i], limits[i] = cut(keys, i, counts[i], wanted, wanted + wanted // 4)
        for i in range(here):
            write_nearest(keys, i, counts[i], ranked, slots[begin + i], scores[begin + i])


@parallel_kernel
def _shares(codes, bias, steps, queries, center, normalise, slots, scores, bounds):  # type: ignore[no-untyped-def]
    # bounds (shares + 1,). Iteration i owns the queries of share i.
    for i in numba.prange(bounds.shape[0] - 1):
        begin, end = bounds[i], bounds[i + 1]
        _share(
            codes, bias, steps, queries[begin:end], center, normalise, slots[begin:end], scores[begin:end]
        )  # fmt: skip


def nearest_bytes(
    blocks: Blocks,
    steps: npt.NDArray[np.float32],
    queries: npt.NDArray[np.float32],
    space: Space,
    k: int,
    threads: int = 1,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Find the k vectors of highest score, of a layout of one list of 8-bit codes.

    Parameters
    ----------
    blocks : Blocks
        Of one list, so that slot i is row i of what was laid out.
    steps : (d,) float32
        What one code is worth in each coordinate.
    queries : (q, d) float32, C-contiguous
        As given.
    space : Space
        How the kernel prepares them.
    k : int
    threads : int
        Of a batch; one query takes a serial path, which starts none. The result depends on neither.

    Returns
    -------
    slots : (q, k) int32
        Best first, equal scores by slot; -1 where there are fewer than k vectors.
    scores : (q, k) float32
        ``⟨q, x⟩ - bias``, as far as the codes tell: higher is better, unlike what `nearest` returns; -inf at -1.
    """
    slots = np.empty((len(queries), k), dtype=np.int32)
    scores = np.empty((len(queries), k), dtype=np.float32)
    layout = (blocks.codes, blocks.bias, steps)
    if len(queries) == 1:
        nearest_bytes_single(*layout, queries[0], space.center, space.normalise, slots[0], scores[0])
    elif len(queries):
        bounds = share_bounds(len(queries), threads, AGAINST_ONE_LIST)
        with numba_threads(threads):
            _shares(*layout, queries, space.center, space.normalise, slots, scores, bounds)
    return slots, scores
