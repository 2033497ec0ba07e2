"""Search that decides while it searches: list after list, until a rule over the best k so far says stop.

Every query goes its own way, so lists are not shared between the queries of a batch as in `search`: each query runs the
serial kernel that single queries run, and both give identical answers by construction.

Symbols: q queries, d dimension, k neighbours, L lists, p routed lists, P panels.
"""

import numba
import numpy as np
import numpy.typing as npt

from .compile import kernel, numba_threads, parallel_kernel
from .finish import finish_row
from .heap import LARGEST, clear, key_score, key_slot, sort_heap
from .panels import Panels
from .scan import scan_one
from .shares import share_bounds
from .space import METRICS, Space, prepare_row
from .stop import COVERED, STABLE, StopRule, closed_part, fill_heights, kept_from_before
from .vector import PANELS_PER_STREAM

QUERIES_PER_SHARE = 64  # short: queries stop at different times, and threads should finish together
EUCLIDEAN = METRICS.index("euclidean")
MANHATTAN = METRICS.index("manhattan")


@kernel
def _square_offset(query, metric):  # type: ignore[no-untyped-def]
    # What a doubled score lacks to a squared euclidean distance: ‖q‖², or 2 between unit vectors.
    if metric != EUCLIDEAN:
        return 2.0
    total = 0.0
    for j in range(query.shape[0]):
        total += np.float64(query[j]) * np.float64(query[j])
    return total


@kernel
def _open_until(  # type: ignore[no-untyped-def]
    values, bias, starts, sizes, prepared, metric, probes, kind, needed, patience, missed, centroids, caps,
    heaps, heights, scores, pick, work,
):  # fmt: skip
    # prepared (1, d) · probes (p,) int32 · heaps (1, k) · heights (p,) float64, scratch · work (2,) int64
    limit = np.float32(LARGEST)
    unchanged, home, offset = 0, -1, 0.0
    clear(heaps, 0)
    work[:] = 0
    if kind == COVERED:
        home = fill_heights(prepared[0], centroids, probes, heights)
        offset = _square_offset(prepared[0], metric)
    for j in range(probes.shape[0]):
        chosen = probes[j]
        if chosen < 0:
            continue
        first, last = starts[chosen], starts[chosen + 1]
        limit = scan_one(values, bias, first, last, metric == MANHATTAN, prepared, heaps, limit, scores, pick)
        work[0] += 1
        work[1] += sizes[chosen]
        if kind == STABLE:
            unchanged = unchanged + 1 if kept_from_before(heaps, first * 16, last * 16) >= needed else 0
            if unchanged >= patience:
                break
        elif key_slot(heaps[0, 0]) >= 0:  # k were found: there is a ball
            square = 2.0 * np.float64(key_score(heaps[0, 0])) + offset
            if closed_part(heights, home, j + 1, np.sqrt(max(0.0, square)), caps) <= missed:
                break
    sort_heap(heaps, 0, heaps.shape[1])


@kernel
def _until_share(  # type: ignore[no-untyped-def]
    values, bias, slot_ids, starts, sizes, queries, center, normalise, metric, probes,
    kind, needed, patience, missed, centroids, caps, ids, distances, work,
):  # fmt: skip
    # queries (q, d) · probes (q, p) int32 · ids, distances (q, k) · work (q, 2) int64
    prepared = np.empty((1, queries.shape[1]), dtype=np.float32)
    heaps = np.empty((1, ids.shape[1]), dtype=np.uint64)
    heights = np.empty(probes.shape[1], dtype=np.float64)
    scores = np.empty((1, PANELS_PER_STREAM * 16), dtype=np.float32)
    pick = np.zeros(1, dtype=np.int64)
    for i in range(queries.shape[0]):
        prepare_row(queries[i], center, normalise, prepared[0])
        _open_until(
            values, bias, starts, sizes, prepared, metric, probes[i], kind, needed, patience, missed, centroids, caps,
            heaps, heights, scores, pick, work[i],
        )  # fmt: skip
        finish_row(values, slot_ids, prepared[0], metric, heaps, 0, ids[i], distances[i])


@parallel_kernel
def _until_shares(  # type: ignore[no-untyped-def]
    values, bias, slot_ids, starts, sizes, queries, center, normalise, metric, probes,
    kind, needed, patience, missed, centroids, caps, ids, distances, work, bounds,
):  # fmt: skip
    # bounds (shares + 1,). Iteration i owns the queries of share i.
    for i in numba.prange(bounds.shape[0] - 1):
        begin, end = bounds[i], bounds[i + 1]
        _until_share(
            values, bias, slot_ids, starts, sizes, queries[begin:end], center, normalise, metric, probes[begin:end],
            kind, needed, patience, missed, centroids, caps, ids[begin:end], distances[begin:end], work[begin:end],
        )  # fmt: skip


def search_until(
    panels: Panels,
    queries: npt.NDArray[np.float32],
    space: Space,
    metric: str,
    probes: npt.NDArray[np.int32],
    k: int,
    rule: StopRule,
    threads: int = 1,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Open the lists of each query in order until the rule says stop, and find the k nearest vectors in them.

    Parameters
    ----------
    panels, queries, space, metric, k, threads
        As `search.search_lists` takes them.
    probes : (q, p) int32, C-contiguous
        The lists of each query, best first, each at most once; -1 for none.
    rule : StopRule
        A ball (`stop.covered`) needs a metric that has one: not ip, not manhattan.

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
    given = (
        panels.values, panels.bias, panels.ids, panels.starts, panels.sizes, queries, space.center, space.normalise,
        METRICS.index(metric), probes, *rule, ids, distances, work,
    )  # fmt: skip
    if len(queries) == 1:
        _until_share(*given)
    elif len(queries):
        with numba_threads(threads):
            _until_shares(*given, share_bounds(len(queries), threads, QUERIES_PER_SHARE))
    return ids, distances, work
