"""The compressed scan: score codes, keep the best R candidates, rank those exactly.

The score of vector x of list i is ``bias_x - ⟨q, c_i⟩ - offset - scale · sum``, lower is better: c_i is the list's
centroid, the sum is what the query's tables give for the codes of x - c_i (`tables`, `lookup`).

Single queries visit their lists in the router's order, two blocks at a time. A share of a batch visits lists one after
the other, each for all of its queries, so that codes are read and taken apart once for several queries; the lists that
each query's router likes best come in a first pass, which makes thresholds low before most codes are scored. Both keep
the same candidates: a score does not depend on the tile, and a set of best keys not on the order.

Symbols: q queries, d dimension, k neighbours, L lists, p probes, B blocks.
"""

import numba
import numpy as np
import numpy.typing as npt

from .blocks import Blocks
from .candidates import append, cut, select
from .compile import kernel, numba_threads, parallel_kernel
from .heap import LARGEST
from .lookup import (
    BLOCKS_PER_LOOKUP,
    QUERIES_PER_LOOKUP,
    lookup_stream,
    lookup_stream_of_one_block,
    lookup_tile,
)
from .panels import Panels
from .prefetch import prefetch_row
from .rerank import rerank_row
from .scan import group_by_list
from .score import score_one, score_share
from .shares import AGAINST_ONE_LIST, share_bounds
from .space import METRICS, Space, prepare_row
from .tables import make_tables
from .vector import lanes_at_most

ANGULAR = METRICS.index("angular")
FIRST_PASS = 2  # lists of each query that are scanned before all others
CAPACITY = 3  # times the candidates, places of a buffer
SLACK = 64  # places of a buffer beyond twice the candidates: what one step may append


@kernel
def _dot(row, query):  # type: ignore[no-untyped-def]
    total = np.float32(0.0)
    for j in range(query.shape[0]):
        total += row[j] * query[j]
    return total


@kernel
def _count(probes, sizes, work):  # type: ignore[no-untyped-def]
    # probes (p,) int32 · sizes (L,) int64 · work (2,) int64: lists opened, points in them
    work[0] = 0
    work[1] = 0
    for j in range(probes.shape[0]):
        if probes[j] >= 0:
            work[0] += 1
            work[1] += sizes[probes[j]]


@kernel
def _scan_list(codes, bias, first, last, tables, scales, shifts, picks, scores, keys, count, limit, wanted):  # type: ignore[no-untyped-def]
    # One query, blocks first to last - 1. keys (1, capacity); returns the new count and limit.
    block = first
    while block < last:
        if block + BLOCKS_PER_LOOKUP <= last:
            lookup_stream(codes, bias, block, tables, picks, scales, shifts, scores)
            blocks = BLOCKS_PER_LOOKUP
        else:
            lookup_stream_of_one_block(codes, bias, block, tables, picks, scales, shifts, scores)
            blocks = 1
        for half in range(2 * blocks):
            mask = lanes_at_most(scores, 0, half * 16, limit)
            if mask != np.uint64(0):
                count = append(mask, scores, 0, half * 16, block * 32 + half * 16, keys, 0, count)
        if count + SLACK > keys.shape[1]:
            count, limit = cut(keys, 0, count, wanted, wanted + wanted // 4)
        block += blocks
    return count, limit


@kernel
def _search_single(  # type: ignore[no-untyped-def]
    codes, bias, slot_ids, starts, sizes, centroids, rotation, rotation_bias, codewords, rows, lengths,
    query, center, normalise, metric, probes, wanted, ids, distances, work,
):  # fmt: skip
    prepared = np.empty(query.shape[0], dtype=np.float32)
    rotated = np.empty((1, codewords.shape[0] * codewords.shape[1]), dtype=np.float32)
    values = np.empty((codewords.shape[0], 16), dtype=np.float32)
    tables = np.empty((1, codes.shape[1]), dtype=np.uint8)
    scores = np.empty((1, BLOCKS_PER_LOOKUP * 32), dtype=np.float32)
    scales = np.empty(1, dtype=np.float32)
    shifts = np.empty(1, dtype=np.float32)
    picks = np.zeros(1, dtype=np.int64)
    keys = np.empty((1, CAPACITY * wanted + SLACK), dtype=np.uint64)
    prepare_row(query, center, normalise, prepared)
    score_one(rotation, rotation_bias, prepared, np.zeros_like(prepared), False, rotated)
    scales[0], offset = make_tables(rotated[0], codewords, values, tables, 0)
    count, limit = 0, np.float32(LARGEST)
    for j in range(probes.shape[0]):
        chosen = probes[j]
        if chosen >= 0:
            if (
                j + 1 < probes.shape[0] and probes[j + 1] >= 0
            ):  # a list may begin anywhere: its first block is asked for
                prefetch_row(codes, starts[probes[j + 1]])
                prefetch_row(centroids, np.int64(probes[j + 1]))
            shifts[0] = np.float32(0.0) - _dot(centroids[chosen], prepared) - offset
            count, limit = _scan_list(
                codes, bias, starts[chosen], starts[chosen + 1], tables, scales, shifts, picks, scores,
                keys, count, limit, wanted,
            )  # fmt: skip
    if count > wanted:
        count = select(keys, 0, count, wanted, wanted)
    asked = prepared if metric == ANGULAR else query
    rerank_row(rows, lengths, asked, metric, slot_ids, keys, 0, count, ids, distances)
    _count(probes, sizes, work)


@kernel
def _scan_lists(  # type: ignore[no-untyped-def]
    codes, bias, starts, begins, members, centroids, prepared, offsets, tables, scales, keys, counts, limits,
    wanted,
):  # fmt: skip
    # Every list, for the queries members[begins[i]:begins[i + 1]] that probe it.
    picks = np.empty(QUERIES_PER_LOOKUP, dtype=np.int64)
    shifts = np.empty(QUERIES_PER_LOOKUP, dtype=np.float32)
    scores = np.empty((QUERIES_PER_LOOKUP, 32), dtype=np.float32)
    for i in range(starts.shape[0] - 1):
        for begin in range(begins[i], begins[i + 1], QUERIES_PER_LOOKUP):
            here = min(QUERIES_PER_LOOKUP, begins[i + 1] - begin)
            for j in range(QUERIES_PER_LOOKUP):
                picks[j] = members[begin + min(j, here - 1)]
                shifts[j] = np.float32(0.0) - _dot(centroids[i], prepared[picks[j]]) - offsets[picks[j]]
            for block in range(starts[i], starts[i + 1]):
                lookup_tile(codes, bias, block, tables, picks, scales, shifts, scores)
                for j in range(here):
                    row = picks[j]
                    for half in range(2):
                        mask = lanes_at_most(scores, j, half * 16, limits[row])
                        if mask != np.uint64(0):
                            counts[row] = append(
                                mask, scores, j, half * 16, block * 32 + half * 16, keys, row, counts[row]
                            )  # fmt: skip
                    if counts[row] + SLACK > keys.shape[1]:
                        counts[row], limits[row] = cut(keys, row, counts[row], wanted, wanted + wanted // 4)


@kernel
def _search_share(  # type: ignore[no-untyped-def]
    codes, bias, slot_ids, starts, sizes, centroids, rotation, rotation_bias, codewords, rows, lengths,
    queries, center, normalise, metric, probes, wanted, ids, distances, work,
):  # fmt: skip
    count, lists = queries.shape[0], starts.shape[0] - 1
    prepared = np.empty(queries.shape, dtype=np.float32)
    rotated = np.empty((count, codewords.shape[0] * codewords.shape[1]), dtype=np.float32)
    values = np.empty((codewords.shape[0], 16), dtype=np.float32)
    tables = np.empty((count, codes.shape[1]), dtype=np.uint8)
    scales = np.empty(count, dtype=np.float32)
    offsets = np.empty(count, dtype=np.float32)
    limits = np.full(count, np.float32(LARGEST), dtype=np.float32)
    counts = np.zeros(count, dtype=np.int64)
    keys = np.empty((count, CAPACITY * wanted + SLACK), dtype=np.uint64)
    begins = np.empty(lists + 1, dtype=np.int64)
    members = np.empty(probes.size, dtype=np.int32)
    for i in range(count):
        prepare_row(queries[i], center, normalise, prepared[i])
    score_share(rotation, rotation_bias, prepared, np.zeros_like(center), False, rotated)
    for i in range(count):
        scales[i], offsets[i] = make_tables(rotated[i], codewords, values, tables, i)
    early = min(FIRST_PASS, probes.shape[1])
    for part in range(2):
        probed = np.ascontiguousarray(probes[:, :early] if part == 0 else probes[:, early:])
        group_by_list(probed, lists, begins, members)
        _scan_lists(
            codes, bias, starts, begins, members, centroids, prepared, offsets, tables, scales, keys, counts, limits,
            wanted,
        )  # fmt: skip
    for i in range(count):
        if counts[i] > wanted:
            counts[i] = select(keys, i, counts[i], wanted, wanted)
        asked = prepared[i] if metric == ANGULAR else queries[i]
        rerank_row(rows, lengths, asked, metric, slot_ids, keys, i, counts[i], ids[i], distances[i])
        _count(probes[i], sizes, work[i])


@parallel_kernel
def _search_shares(  # type: ignore[no-untyped-def]
    codes, bias, slot_ids, starts, sizes, centroids, rotation, rotation_bias, codewords, rows, lengths,
    queries, center, normalise, metric, probes, wanted, ids, distances, work, bounds,
):  # fmt: skip
    # bounds (shares + 1,). Iteration i owns the queries of share i.
    for i in numba.prange(bounds.shape[0] - 1):
        begin, end = bounds[i], bounds[i + 1]
        _search_share(
            codes, bias, slot_ids, starts, sizes, centroids, rotation, rotation_bias, codewords, rows, lengths,
            queries[begin:end], center, normalise, metric, probes[begin:end], wanted,
            ids[begin:end], distances[begin:end], work[begin:end],
        )  # fmt: skip


def search_compressed(
    blocks: Blocks,
    centroids: npt.NDArray[np.float32],
    rotation: Panels,
    codewords: npt.NDArray[np.float32],
    rows: npt.NDArray[np.float32],
    lengths: npt.NDArray[np.float32],
    queries: npt.NDArray[np.float32],
    space: Space,
    metric: str,
    probes: npt.NDArray[np.int32],
    k: int,
    wanted: int,
    threads: int = 1,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Find the k nearest of the candidates that a compressed scan of the probed lists leaves.

    Parameters
    ----------
    blocks : Blocks
        4-bit codes, list after list.
    centroids : (L, d) float32
        Prepared.
    rotation : Panels
        Of d' vectors: what a prepared query is multiplied by to meet the codewords.
    codewords : (M, w, 16) float32
    rows : (n, d) float32, or uint16 that hold float16
        As given.
    lengths : (n,) float32
        Inverse lengths under angular; empty otherwise.
    queries : (q, d) float32, C-contiguous
        As given.
    space : Space
    metric : str
        Any but manhattan.
    probes : (q, p) int32, C-contiguous
        The lists to scan for each query, best first, each at most once; -1 for none.
    k : int
    wanted : int
        Candidates to rank, at least k.
    threads : int
        Of a batch; one query takes a serial path, which starts none. The result depends on neither.

    Returns
    -------
    ids : (q, k) int32
    distances : (q, k) float32
    work : (q, 2) int64
        As `search.search_lists` returns them.
    """
    ids = np.empty((len(queries), k), dtype=np.int32)
    distances = np.empty((len(queries), k), dtype=np.float32)
    work = np.empty((len(queries), 2), dtype=np.int64)
    code = METRICS.index(metric)
    layout = (
        blocks.codes, blocks.bias, blocks.ids, blocks.starts, blocks.sizes, centroids, rotation.values, rotation.bias,
        codewords, rows, lengths,
    )  # fmt: skip
    if len(queries) == 1:
        _search_single(
            *layout, queries[0], space.center, space.normalise, code, probes[0], wanted, ids[0], distances[0], work[0]
        )
    elif len(queries):
        bounds = share_bounds(len(queries), threads, AGAINST_ONE_LIST)
        with numba_threads(threads):
            _search_shares(
                *layout, queries, space.center, space.normalise, code, probes, wanted, ids, distances, work, bounds
            )  # fmt: skip
    return ids, distances, work
