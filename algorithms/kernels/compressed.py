"""The compressed scan: score codes, keep the best R candidates, rank those exactly.

The score of vector x of list i is ``bias_x - ⟨q, c_i⟩ + shift - scale · sum``, lower is better: c_i is the list's
centroid, the sum is what the query's tables give for the codes of x - c_i. Codes have 4 bits (`lookup`, tables from
`tables`) or 8 (`byte_products`, tables from `byte_queries`). Centroids, and the rotation of the query that 4-bit codes
ask for, are bytes themselves: their error is small against that of the codes, and reading them as float32 would take
longer than scanning a list.

Single queries visit their lists in the router's order, two blocks at a time. A share of a batch visits lists one after
the other, each for all of its queries, so that codes are read and taken apart once for several queries; the lists that
each query's router likes best come in a first pass, which makes thresholds low before most codes are scored. Both keep
the same candidates: a score does not depend on the tile, and a set of best keys not on the order.

This file holds the serial kernels; `search_compressed` holds the shell that divides queries among threads. Symbols: q
queries, d dimension, d' rotated dimension, k neighbours, L lists, p probes, B blocks, M sub-quantisers.
"""

import numpy as np

from .byte_products import (
    BLOCKS_PER_PRODUCT,
    QUERIES_PER_PRODUCT,
    byte_stream,
    byte_stream_of_one_block,
    byte_tile,
)
from .byte_queries import make_bytes
from .candidates import append, cut, select
from .compile import kernel, strict_kernel
from .heap import LARGEST
from .lookup import (
    BLOCKS_PER_LOOKUP,
    QUERIES_PER_LOOKUP,
    lookup_stream,
    lookup_stream_of_one_block,
    lookup_tile,
)
from .prefetch import prefetch_start
from .rerank import rerank_row
from .scan import count_work, group_by_list
from .space import METRICS, prepare_row
from .tables import make_tables
from .vector import lanes_at_most

ANGULAR = METRICS.index("angular")
FIRST_PASS = 2  # lists of each query that are scanned before all others
AHEAD = 2  # lists from that which is scanned to that whose pages are asked for
CAPACITY = 3  # times the candidates, places of a buffer
SLACK = 64  # places of a buffer beyond them: what one step may append
QUERIES_PER_TILE = QUERIES_PER_LOOKUP
BLOCKS_PER_STREAM = BLOCKS_PER_LOOKUP
assert QUERIES_PER_PRODUCT == QUERIES_PER_LOOKUP, "one loop serves both kinds of codes"
assert BLOCKS_PER_PRODUCT == BLOCKS_PER_LOOKUP, "one loop serves both kinds of codes"


@kernel
def _byte_product(codes, i, asked, row):  # type: ignore[no-untyped-def]
    # Σ code · byte. codes (L, d) uint8 · asked (q, d) uint8, bytes with a sign inside
    total = np.int32(0)
    for j in range(codes.shape[1]):
        total = np.int32(total + np.int32(np.int32(codes[i, j]) * np.int32(np.int8(asked[row, j]))))
    return np.float32(total)


@strict_kernel
def _shift(constant, table_constant, scale, product):  # type: ignore[no-untyped-def]
    # Strict, so that single queries and batches round alike.
    return constant - scale * product + table_constant


@kernel
def _rotate(rotation, no_bias, asked, scale, shift, scratch, rotated):  # type: ignore[no-untyped-def]
    # rotation (d'/32, bytes of a block) uint8 · no_bias (d'/32, 32) float32 zeros · asked, scale, shift: the query as
    # bytes, row 0 · rotated (d' filled up to 32,) float32
    pick = np.zeros(1, dtype=np.int64)
    for block in range(rotation.shape[0]):
        byte_stream_of_one_block(rotation, no_bias, block, asked, pick, scale, shift, scratch)
        for j in range(32):
            rotated[block * 32 + j] = np.float32(0.0) - scratch[0, j]


@kernel
def _ask(  # type: ignore[no-untyped-def]
    query, center, normalise, steps, rotation, no_bias, codewords, code_steps, prepared, asked, scratch, rotated,
    values, lows, tables, row, scale, shift,
):  # fmt: skip
    # Turn a query into bytes (asked (1, ·)) and into row `row` of the tables. Returns the scale and shift of the bytes,
    # and of the tables. scale, shift (1,), scratch
    prepare_row(query, center, normalise, prepared)
    scale[0], shift[0] = make_bytes(prepared, steps, asked, 0)
    if not scale[0] <= LARGEST:
        return scale[0], np.float32(0.0)  # NaN: whatever the tables hold, no score passes a limit
    if codewords.shape[0] > 0:
        _rotate(rotation, no_bias, asked, scale, shift, scratch, rotated)
        table_scale, offset = make_tables(rotated, codewords, values, lows, tables, row)
        return table_scale, np.float32(0.0) - offset
    return make_bytes(prepared, code_steps, tables, row)


@kernel
def scan_codes(  # type: ignore[no-untyped-def]
    nibbles, codes, bias, first, last, tables, scales, shifts, picks, scores, keys, count, limit, wanted
):
    """Append what reaches the limit in blocks first to last - 1, for one query; return the new count and limit.

    nibbles bool: codes of 4 bits, else of 8 · codes (B, ·) uint8 · bias (B, 32) float32 · tables (1, ·) uint8 ·
    scales, shifts (1,) float32 · picks (1,) int64, 0 · scores (1, 64) float32, scratch · keys (1, capacity) uint64 ·
    wanted: how many candidates are never cut
    """
    block = first
    while block < last:
        blocks = BLOCKS_PER_STREAM if block + BLOCKS_PER_STREAM <= last else 1
        if nibbles:
            if blocks > 1:
                lookup_stream(codes, bias, block, tables, picks, scales, shifts, scores)
            else:
                lookup_stream_of_one_block(codes, bias, block, tables, picks, scales, shifts, scores)
        elif blocks > 1:
            byte_stream(codes, bias, block, tables, picks, scales, shifts, scores)
        else:
            byte_stream_of_one_block(codes, bias, block, tables, picks, scales, shifts, scores)
        for half in range(2 * blocks):
            mask = lanes_at_most(scores, 0, half * 16, limit)
            if mask != np.uint64(0):
                count = append(mask, scores, 0, half * 16, block * 32 + half * 16, keys, 0, count)
        if count + SLACK > keys.shape[1]:
            count, limit = cut(keys, 0, count, wanted, wanted + wanted // 4)
        block += blocks
    return count, limit


@kernel
def _expect(codes, bias, starts, centers, chosen):  # type: ignore[no-untyped-def]
    # Ask for the first line of each block of a list that will be scanned soon. The processor fetches ahead by itself
    # once it is in a page of memory; finding the page takes it longer than scanning what lies there. More lines do not
    # help: in trials on ten million vectors, whole blocks asked for were slower than none.
    prefetch_start(centers, chosen)
    prefetch_start(bias, starts[chosen])
    for block in range(starts[chosen], starts[chosen + 1]):
        prefetch_start(codes, block)


@kernel
def compressed_single(  # type: ignore[no-untyped-def]
    codes, bias, slot_ids, starts, sizes, centers, steps, rotation, codewords, code_steps, rows, lengths,
    query, center, normalise, metric, probes, wanted, ids, distances, work,
):  # fmt: skip
    """Answer one query.

    codes (B, ·) uint8 · bias (B, 32) float32 · slot_ids (B, 32) int32 · starts (L + 1,), sizes (L,) int64 ·
    centers (L, d) uint8, centroids as bytes of `steps` (d,) float32 · rotation (d'/32, ·) uint8, of the same steps ·
    codewords (M, w, 16) float32, or (0, ·, ·) of 8-bit codes, whose steps are code_steps (d,) float32 · rows, lengths:
    see `rerank` · query (d,), as given · center (d,) float32 · probes (p,) int32, best first · wanted: R ·
    ids (k,) int32 · distances (k,) float32 · work (2,) int64
    """
    nibbles = codewords.shape[0] > 0
    prepared = np.empty(query.shape[0], dtype=np.float32)
    asked = np.empty((1, centers.shape[1]), dtype=np.uint8)
    rotated = np.empty(rotation.shape[0] * 32, dtype=np.float32)
    values = np.empty((codewords.shape[0], 16), dtype=np.float32)
    lows = np.empty(codewords.shape[0], dtype=np.float32)
    tables = np.empty((1, codes.shape[1] if nibbles else codes.shape[1] // 32), dtype=np.uint8)
    scores = np.empty((1, BLOCKS_PER_STREAM * 32), dtype=np.float32)
    scale, shift = np.empty(1, dtype=np.float32), np.empty(1, dtype=np.float32)
    table_scale, shifts = np.empty(1, dtype=np.float32), np.empty(1, dtype=np.float32)
    picks = np.zeros(1, dtype=np.int64)
    no_bias = np.zeros((rotation.shape[0], 32), dtype=np.float32)
    keys = np.empty((1, CAPACITY * wanted + SLACK), dtype=np.uint64)
    table_scale[0], constant = _ask(
        query, center, normalise, steps, rotation, no_bias, codewords, code_steps, prepared, asked, scores, rotated,
        values, lows, tables, 0, scale, shift,
    )  # fmt: skip
    count, limit = 0, np.float32(LARGEST)
    for j in range(probes.shape[0]):
        chosen = probes[j]
        if chosen >= 0:
            if j + AHEAD < probes.shape[0] and probes[j + AHEAD] >= 0:
                _expect(codes, bias, starts, centers, np.int64(probes[j + AHEAD]))
            shifts[0] = _shift(shift[0], constant, scale[0], _byte_product(centers, chosen, asked, 0))
            count, limit = scan_codes(
                nibbles, codes, bias, starts[chosen], starts[chosen + 1], tables, table_scale, shifts, picks, scores,
                keys, count, limit, wanted,
            )  # fmt: skip
    if count > wanted:
        count = select(keys, 0, count, wanted, wanted)
    judged = prepared if metric == ANGULAR else query
    rerank_row(rows, lengths, judged, metric, slot_ids, keys, 0, count, ids, distances)
    count_work(probes, sizes, work)


@kernel
def _scan_lists(  # type: ignore[no-untyped-def]
    nibbles, codes, bias, starts, begins, members, centers, asked, scales, constants, tables, table_scales,
    keys, counts, limits, wanted,
):  # fmt: skip
    # Every list, for the queries members[begins[i]:begins[i + 1]] that probe it.
    picks = np.empty(QUERIES_PER_TILE, dtype=np.int64)
    shifts = np.empty(QUERIES_PER_TILE, dtype=np.float32)
    scores = np.empty((QUERIES_PER_TILE, 32), dtype=np.float32)
    for i in range(starts.shape[0] - 1):
        for begin in range(begins[i], begins[i + 1], QUERIES_PER_TILE):
            here = min(QUERIES_PER_TILE, begins[i + 1] - begin)
            for j in range(QUERIES_PER_TILE):
                row = members[begin + min(j, here - 1)]
                picks[j] = row
                product = _byte_product(centers, i, asked, row)
                shifts[j] = _shift(constants[row, 0], constants[row, 1], scales[row], product)
            for block in range(starts[i], starts[i + 1]):
                if nibbles:
                    lookup_tile(codes, bias, block, tables, picks, table_scales, shifts, scores)
                else:
                    byte_tile(codes, bias, block, tables, picks, table_scales, shifts, scores)
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
def compressed_share(  # type: ignore[no-untyped-def]
    codes, bias, slot_ids, starts, sizes, centers, steps, rotation, codewords, code_steps, rows, lengths,
    queries, center, normalise, metric, probes, wanted, ids, distances, work,
):  # fmt: skip
    """Answer a share of a batch. As `compressed_single`, with a row for each query."""
    nibbles = codewords.shape[0] > 0
    count, lists = queries.shape[0], starts.shape[0] - 1
    prepared = np.empty(queries.shape, dtype=np.float32)
    asked = np.empty((count, centers.shape[1]), dtype=np.uint8)
    rotated = np.empty(rotation.shape[0] * 32, dtype=np.float32)
    values = np.empty((codewords.shape[0], 16), dtype=np.float32)
    lows = np.empty(codewords.shape[0], dtype=np.float32)
    tables = np.empty((count, codes.shape[1] if nibbles else codes.shape[1] // 32), dtype=np.uint8)
    scratch = np.empty((1, 32), dtype=np.float32)
    scale, shift = np.empty(1, dtype=np.float32), np.empty(1, dtype=np.float32)
    scales, table_scales = np.empty(count, dtype=np.float32), np.empty(count, dtype=np.float32)
    constants = np.empty((count, 2), dtype=np.float32)
    no_bias = np.zeros((rotation.shape[0], 32), dtype=np.float32)
    limits = np.full(count, np.float32(LARGEST), dtype=np.float32)
    counts = np.zeros(count, dtype=np.int64)
    keys = np.empty((count, CAPACITY * wanted + SLACK), dtype=np.uint64)
    begins = np.empty(lists + 1, dtype=np.int64)
    members = np.empty(probes.size, dtype=np.int32)
    for i in range(count):
        table_scales[i], constants[i, 1] = _ask(
            queries[i], center, normalise, steps, rotation, no_bias, codewords, code_steps, prepared[i],
            asked[i : i + 1], scratch, rotated, values, lows, tables, i, scale, shift,
        )  # fmt: skip
        scales[i], constants[i, 0] = scale[0], shift[0]
    early = min(FIRST_PASS, probes.shape[1])
    for part in range(2):
        probed = np.ascontiguousarray(probes[:, :early] if part == 0 else probes[:, early:])
        group_by_list(probed, lists, begins, members)
        _scan_lists(
            nibbles, codes, bias, starts, begins, members, centers, asked, scales, constants, tables, table_scales,
            keys, counts, limits, wanted,
        )  # fmt: skip
    for i in range(count):
        if counts[i] > wanted:
            counts[i] = select(keys, i, counts[i], wanted, wanted)
        judged = prepared[i] if metric == ANGULAR else queries[i]
        rerank_row(rows, lengths, judged, metric, slot_ids, keys, i, counts[i], ids[i], distances[i])
        count_work(probes[i], sizes, work[i])
