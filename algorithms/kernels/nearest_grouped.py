"""The nearest of very many vectors stored as bytes, without reading all of them.

The vectors lie in groups, each with a vector of its own. A query ranks the groups, opens them from the best on until
they hold enough vectors, and scores those alone: the index' own idea, once more, for its representatives.

Symbols: q queries, d dimension, L vectors, G groups.
"""

import numba
import numpy as np
import numpy.typing as npt

from .blocks import Blocks
from .byte_products import BLOCKS_PER_PRODUCT
from .byte_queries import make_bytes
from .candidates import sort_keys
from .compile import kernel, numba_threads, parallel_kernel
from .compressed import CAPACITY, SLACK, scan_codes
from .heap import LARGEST, key_slot
from .nearest_bytes import write_nearest
from .shares import AGAINST_ONE_LIST, share_bounds
from .space import Space, prepare_row


@kernel
def _rank(  # type: ignore[no-untyped-def]
    group_codes, group_bias, codes, bias, slot_ids, starts, sizes, steps, query, center, normalise, enough, slots,
    scores,
):  # fmt: skip
    # One query. group_codes, group_bias: one list of G vectors · codes, bias, slot_ids, starts, sizes: the L vectors,
    # group after group · enough: vectors to score, at least as many as slots (k,)
    prepared = np.empty(query.shape[0], dtype=np.float32)
    tables = np.empty((1, codes.shape[1] // 32), dtype=np.uint8)
    scales, shifts = np.empty(1, dtype=np.float32), np.empty(1, dtype=np.float32)
    picks = np.zeros(1, dtype=np.int64)
    scratch = np.empty((1, 32 * BLOCKS_PER_PRODUCT), dtype=np.float32)
    prepare_row(query, center, normalise, prepared)
    scales[0], shifts[0] = make_bytes(prepared, steps, tables, 0)
    groups, no_limit = sizes.shape[0], np.float32(LARGEST)
    order = np.empty((1, groups + SLACK), dtype=np.uint64)
    ranked = np.empty((1, max(groups, slots.shape[0])), dtype=np.uint64)
    found, _ = scan_codes(
        False, group_codes, group_bias, 0, group_codes.shape[0], tables, scales, shifts, picks, scratch, order, 0,
        no_limit, groups + SLACK,
    )  # fmt: skip
    sort_keys(order, 0, found, ranked)
    wanted = slots.shape[0]
    keys = np.empty((1, CAPACITY * wanted + SLACK), dtype=np.uint64)
    count, limit, scored = 0, no_limit, 0
    for i in range(found):
        if scored >= enough:
            break
        group = key_slot(order[0, i])
        scored += sizes[group]
        count, limit = scan_codes(
            False, codes, bias, starts[group], starts[group + 1], tables, scales, shifts, picks, scratch, keys, count,
            limit, wanted,
        )  # fmt: skip
    write_nearest(keys, 0, count, ranked, slots, scores)
    for j in range(wanted):
        if slots[j] >= 0:
            slots[j] = slot_ids[slots[j] // 32, slots[j] % 32]


@parallel_kernel
def _shares(  # type: ignore[no-untyped-def]
    group_codes, group_bias, codes, bias, slot_ids, starts, sizes, steps, queries, center, normalise, enough, slots,
    scores, bounds,
):  # fmt: skip
    # bounds (shares + 1,). Iteration i owns the queries of share i.
    for i in numba.prange(bounds.shape[0] - 1):
        for j in range(bounds[i], bounds[i + 1]):
            _rank(
                group_codes, group_bias, codes, bias, slot_ids, starts, sizes, steps, queries[j], center, normalise,
                enough, slots[j], scores[j],
            )  # fmt: skip


@kernel
def _one(  # type: ignore[no-untyped-def]
    group_codes, group_bias, codes, bias, slot_ids, starts, sizes, steps, queries, center, normalise, enough, slots,
    scores,
):  # fmt: skip
    _rank(
        group_codes, group_bias, codes, bias, slot_ids, starts, sizes, steps, queries[0], center, normalise, enough,
        slots[0], scores[0],
    )  # fmt: skip


def nearest_grouped(
    groups: Blocks,
    blocks: Blocks,
    steps: npt.NDArray[np.float32],
    queries: npt.NDArray[np.float32],
    space: Space,
    k: int,
    enough: int,
    threads: int = 1,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Find k vectors of high score: the highest of those whose groups are opened.

    Parameters
    ----------
    groups : Blocks
        One list of 8-bit codes: a vector for each group.
    blocks : Blocks
        8-bit codes, group after group; their ids are what is returned.
    steps : (d,) float32
        What one code is worth in each coordinate, of both.
    queries : (q, d) float32, C-contiguous
        As given.
    space : Space
        How the kernel prepares them.
    k : int
    enough : int
        Groups are opened, best first, until they hold so many vectors; at least k.
    threads : int
        Of a batch; one query takes a serial path, which starts none. The result depends on neither.

    Returns
    -------
    ids : (q, k) int32
        Best first, equal scores by place; -1 where there are fewer than k vectors.
    scores : (q, k) float32
        ``⟨q, x⟩ - bias``, as far as the codes tell: higher is better; -inf at -1.
    """
    ids = np.empty((len(queries), k), dtype=np.int32)
    scores = np.empty((len(queries), k), dtype=np.float32)
    layout = (groups.codes, groups.bias, *blocks, steps)
    if len(queries) == 1:
        _one(*layout, queries, space.center, space.normalise, max(k, enough), ids, scores)
    elif len(queries):
        bounds = share_bounds(len(queries), threads, AGAINST_ONE_LIST)
        with numba_threads(threads):
            _shares(*layout, queries, space.center, space.normalise, max(k, enough), ids, scores, bounds)
    return ids, scores
