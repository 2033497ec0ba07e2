"""The scan: score queries against panels and keep the best k of each.

A score is ``bias - ⟨q, x⟩``, lower is better. One formula serves four metrics: bias 0 ranks by inner product
(and by cosine, for normalised vectors), bias ½‖x‖² ranks by euclidean distance, since ½‖q - x‖² = ½‖q‖² +
½‖x‖² - ⟨q, x⟩ and the first term is the same for all x. Manhattan distance is no inner product: where `differences`
is set, the score is ``bias + Σ|q - x|`` and other tiles are called, a choice made once per tile. One kernel serves
every purpose: scanning lists, exact search (one list that holds everything), routing (the lists' representatives are
the vectors), and k-means assignment (routing to one list).

This file holds the serial kernels; `nearest` and `search` hold the shells that divide queries among threads,
and the public functions. Symbols: q queries, d dimension, k neighbours, L lists, p probes, P panels.
"""

import numpy as np

from .compile import kernel
from .heap import LARGEST, clear, offer, sort_heap
from .space import prepare_row
from .vector import (
    PANELS_PER_STREAM,
    PANELS_PER_TILE,
    QUERIES_PER_TILE,
    difference_stream,
    difference_stream_of_one_panel,
    difference_tile,
    difference_tile_of_one_panel,
    lanes_at_most,
    lowest_bit,
    stream,
    stream_of_one_panel,
    tile,
    tile_of_one_panel,
)

# Panels are taken in blocks of this many floats, which the second-level cache holds while all queries pass
# over them.
FLOATS_PER_BLOCK = 48 * 1024


@kernel
def _keep(mask, scores, i, column, first_slot, heaps, row, limit):  # type: ignore[no-untyped-def]
    # Offer to heap `row` those of the 16 scores[i, column:] that `mask` marks as reaching the limit.
    while mask != np.uint64(0):
        lane = lowest_bit(mask)
        mask = mask & (mask - np.uint64(1))
        score = scores[i, column + lane]
        if score <= limit:
            limit = offer(heaps, row, score, first_slot + lane)
    return limit


@kernel
def scan_one(values, bias, first, last, differences, queries, heaps, limit, scores, pick):  # type: ignore[no-untyped-def]
    """Offer panels first to last - 1 to heap 0, for the query `pick[0]`; return the new limit.

    values (P, d, 16) float32 · bias (P, 16) float32 · differences bool · queries (q, d) float32 ·
    heaps (1, k) uint64 · scores (1, 64) float32, scratch · pick (1,) int64
    """
    panel = first
    while panel + PANELS_PER_STREAM <= last:
        if differences:
            difference_stream(values, bias, panel, queries, pick, scores)
        else:
            stream(values, bias, panel, queries, pick, scores)
        for p in range(PANELS_PER_STREAM):
            mask = lanes_at_most(scores, 0, p * 16, limit)
            if mask != np.uint64(0):
                limit = _keep(mask, scores, 0, p * 16, (panel + p) * 16, heaps, 0, limit)
        panel += PANELS_PER_STREAM
    while panel < last:
        if differences:
            difference_stream_of_one_panel(values, bias, panel, queries, pick, scores)
        else:
            stream_of_one_panel(values, bias, panel, queries, pick, scores)
        mask = lanes_at_most(scores, 0, 0, limit)
        if mask != np.uint64(0):
            limit = _keep(mask, scores, 0, 0, panel * 16, heaps, 0, limit)
        panel += 1
    return limit


@kernel
def scan_many(  # type: ignore[no-untyped-def]
    values, bias, first, last, differences, queries, members, begin, end, heaps, limits, wide, narrow, picks
):
    """Offer panels first to last - 1 to the heaps of the queries members[begin:end].

    values (P, d, 16) float32 · bias (P, 16) float32 · differences bool · queries (q, d) float32 · members (m,) int32 ·
    heaps (q, k) uint64 · limits (q,) float32 · wide (6, 16·PANELS_PER_TILE), narrow (6, 16) float32 and
    picks (6,) int64, scratch
    """
    block = max(PANELS_PER_TILE, FLOATS_PER_BLOCK // max(1, values.shape[1] * 16))
    for block_first in range(first, last, block):
        block_last = min(block_first + block, last)
        for start in range(begin, end, QUERIES_PER_TILE):
            count = min(QUERIES_PER_TILE, end - start)
            for i in range(QUERIES_PER_TILE):
                picks[i] = members[start + min(i, count - 1)]
            panel = block_first
            while panel + PANELS_PER_TILE <= block_last:
                if differences:
                    difference_tile(values, bias, panel, queries, picks, wide)
                else:
                    tile(values, bias, panel, queries, picks, wide)
                for i in range(count):
                    row = picks[i]
                    for p in range(PANELS_PER_TILE):
                        mask = lanes_at_most(wide, i, p * 16, limits[row])
                        if mask != np.uint64(0):
                            limits[row] = _keep(
                                mask, wide, i, p * 16, (panel + p) * 16, heaps, row, limits[row]
                            )  # fmt: skip
                panel += PANELS_PER_TILE
            while panel < block_last:
                if differences:
                    difference_tile_of_one_panel(values, bias, panel, queries, picks, narrow)
                else:
                    tile_of_one_panel(values, bias, panel, queries, picks, narrow)
                for i in range(count):
                    row = picks[i]
                    mask = lanes_at_most(narrow, i, 0, limits[row])
                    if mask != np.uint64(0):
                        limits[row] = _keep(mask, narrow, i, 0, panel * 16, heaps, row, limits[row])
                panel += 1


@kernel
def count_work(probes, sizes, work):  # type: ignore[no-untyped-def]
    """Count lists opened and points in them. probes (p,) int32 · sizes (L,) int64 · work (2,) int64."""
    work[0] = 0
    work[1] = 0
    for j in range(probes.shape[0]):
        if probes[j] >= 0:
            work[0] += 1
            work[1] += sizes[probes[j]]


@kernel
def group_by_list(probes, lists, begins, members):  # type: ignore[no-untyped-def]
    """Sort queries by list, by counting: list i has members[begins[i]:begins[i + 1]].

    probes (q, p) int32, -1 for none · begins (L + 1,) int64 · members (q·p,) int32
    """
    for i in range(lists + 1):
        begins[i] = 0
    for i in range(probes.shape[0]):
        for j in range(probes.shape[1]):
            if probes[i, j] >= 0:
                begins[probes[i, j] + 1] += 1
    for i in range(lists):
        begins[i + 1] += begins[i]
    for i in range(probes.shape[0]):
        for j in range(probes.shape[1]):
            if probes[i, j] >= 0:
                members[begins[probes[i, j]]] = i
                begins[probes[i, j]] += 1
    for i in range(lists, 0, -1):
        begins[i] = begins[i - 1]
    begins[0] = 0


@kernel
def scan_share(values, bias, starts, differences, queries, center, normalise, probes, prepared, heaps):  # type: ignore[no-untyped-def]
    """Answer one share of a batch: each list is read once for all of the queries that probe it.

    values (P, d, 16) float32 · bias (P, 16) float32 · starts (L + 1,) int64 · differences bool ·
    queries (q, d) float32, as given · center (d,) float32 · probes (q, p) int32, -1 for none ·
    prepared (q, d) float32, overwritten ·
    heaps (q, k) uint64, overwritten, best first
    """
    count = queries.shape[0]
    lists = starts.shape[0] - 1
    wide = np.empty((QUERIES_PER_TILE, PANELS_PER_TILE * 16), dtype=np.float32)
    narrow = np.empty((QUERIES_PER_TILE, 16), dtype=np.float32)
    picks = np.empty(QUERIES_PER_TILE, dtype=np.int64)
    limits = np.full(count, np.float32(LARGEST), dtype=np.float32)
    begins = np.empty(lists + 1, dtype=np.int64)
    members = np.empty(probes.size, dtype=np.int32)
    group_by_list(probes, lists, begins, members)
    for i in range(count):
        prepare_row(queries[i], center, normalise, prepared[i])
        clear(heaps, i)
    for i in range(lists):
        if begins[i + 1] > begins[i]:
            scan_many(
                values, bias, starts[i], starts[i + 1], differences, prepared, members, begins[i], begins[i + 1],
                heaps, limits, wide, narrow, picks,
            )  # fmt: skip
    for i in range(count):
        sort_heap(heaps, i, heaps.shape[1])


@kernel
def scan_single(values, bias, starts, differences, query, center, normalise, probes, prepared, heaps):  # type: ignore[no-untyped-def]
    """Answer one query, list after list.

    As `scan_share`, but query (d,), probes (p,), best list first, prepared (1, d) and heaps (1, k).
    """
    scores = np.empty((1, PANELS_PER_STREAM * 16), dtype=np.float32)
    pick = np.zeros(1, dtype=np.int64)
    limit = np.float32(LARGEST)
    prepare_row(query, center, normalise, prepared[0])
    clear(heaps, 0)
    for j in range(probes.shape[0]):
        chosen = probes[j]
        if chosen >= 0:
            limit = scan_one(
                values, bias, starts[chosen], starts[chosen + 1], differences, prepared, heaps, limit, scores, pick
            )  # fmt: skip
    sort_heap(heaps, 0, heaps.shape[1])
