"""The nearest of a set of vectors stored as bytes: routing at a quarter of the memory traffic.

As `nearest` of one list, but scores are of 8-bit codes (`byte_products`). Symbols: q queries, d dimension, L vectors.
"""

import numba
import numpy as np
import numpy.typing as npt

from .blocks import Blocks
from .byte_products import (
    BLOCKS_PER_PRODUCT,
    QUERIES_PER_PRODUCT,
    byte_stream,
    byte_stream_of_one_block,
    byte_tile,
)
from .byte_queries import make_bytes
from .compile import kernel, numba_threads, parallel_kernel
from .nearest import keep_best
from .shares import AGAINST_ONE_LIST, share_bounds
from .space import Space, prepare_row


@kernel
def _single(codes, bias, count, steps, query, center, normalise, slots, scores):  # type: ignore[no-untyped-def]
    prepared = np.empty(query.shape[0], dtype=np.float32)
    tables = np.empty((1, codes.shape[1] // 32), dtype=np.uint8)
    scales, shifts = np.empty(1, dtype=np.float32), np.empty(1, dtype=np.float32)
    picks = np.zeros(1, dtype=np.int64)
    found = np.empty((1, 32 * codes.shape[0]), dtype=np.float32)
    scratch = np.empty((1, 32 * BLOCKS_PER_PRODUCT), dtype=np.float32)
    keys = np.empty((1, count), dtype=np.uint64)
    ranked = np.empty((1, slots.shape[0]), dtype=np.uint64)
    prepare_row(query, center, normalise, prepared)
    scales[0], shifts[0] = make_bytes(prepared, steps, tables, 0)
    block = 0
    while block < codes.shape[0]:
        if block + BLOCKS_PER_PRODUCT <= codes.shape[0]:
            byte_stream(codes, bias, block, tables, picks, scales, shifts, scratch)
            width = 32 * BLOCKS_PER_PRODUCT
        else:
            byte_stream_of_one_block(codes, bias, block, tables, picks, scales, shifts, scratch)
            width = 32
        for j in range(width):
            found[0, block * 32 + j] = np.float32(0.0) - scratch[0, j]
        block += width // 32
    keep_best(found, 0, count, keys, ranked, slots, scores)


@kernel
def _share(codes, bias, count, steps, queries, center, normalise, slots, scores):  # type: ignore[no-untyped-def]
    prepared = np.empty(queries.shape[1], dtype=np.float32)
    tables = np.empty((QUERIES_PER_PRODUCT, codes.shape[1] // 32), dtype=np.uint8)
    scales = np.empty(QUERIES_PER_PRODUCT, dtype=np.float32)
    shifts = np.empty(QUERIES_PER_PRODUCT, dtype=np.float32)
    picks = np.arange(QUERIES_PER_PRODUCT)
    found = np.empty((QUERIES_PER_PRODUCT, 32 * codes.shape[0]), dtype=np.float32)
    scratch = np.empty((QUERIES_PER_PRODUCT, 32), dtype=np.float32)
    keys = np.empty((1, count), dtype=np.uint64)
    ranked = np.empty((1, slots.shape[1]), dtype=np.uint64)
    for begin in range(0, queries.shape[0], QUERIES_PER_PRODUCT):
        here = min(QUERIES_PER_PRODUCT, queries.shape[0] - begin)
        for i in range(QUERIES_PER_PRODUCT):
            prepare_row(queries[begin + min(i, here - 1)], center, normalise, prepared)
            scales[i], shifts[i] = make_bytes(prepared, steps, tables, i)
        for block in range(codes.shape[0]):
            byte_tile(codes, bias, block, tables, picks, scales, shifts, scratch)
            for i in range(here):
                for j in range(32):
                    found[i, block * 32 + j] = np.float32(0.0) - scratch[i, j]
        for i in range(here):
            keep_best(found, i, count, keys, ranked, slots[begin + i], scores[begin + i])


@parallel_kernel
def _shares(codes, bias, count, steps, queries, center, normalise, slots, scores, bounds):  # type: ignore[no-untyped-def]
    # bounds (shares + 1,). Iteration i owns the queries of share i.
    for i in numba.prange(bounds.shape[0] - 1):
        begin, end = bounds[i], bounds[i + 1]
        _share(
            codes, bias, count, steps, queries[begin:end], center, normalise, slots[begin:end], scores[begin:end]
        )  # fmt: skip


def nearest_bytes(
    blocks: Blocks,
    steps: npt.NDArray[np.float32],
    queries: npt.NDArray[np.float32],
    space: Space,
    k: int,
    threads: int = 1,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Find the k vectors of lowest score, of a layout of one list of 8-bit codes.

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
        ``bias - ⟨q, x⟩``, as far as the codes tell.
    """
    slots = np.empty((len(queries), k), dtype=np.int32)
    scores = np.empty((len(queries), k), dtype=np.float32)
    layout = (blocks.codes, blocks.bias, int(blocks.sizes[0]), steps)
    if len(queries) == 1:
        _single(*layout, queries[0], space.center, space.normalise, slots[0], scores[0])
    elif len(queries):
        bounds = share_bounds(len(queries), threads, AGAINST_ONE_LIST)
        with numba_threads(threads):
            _shares(*layout, queries, space.center, space.normalise, slots, scores, bounds)
    return slots, scores
