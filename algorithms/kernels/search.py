"""Search over lists: scan what is probed, finish the winners, count the work.

Symbols: q queries, d dimension, k neighbours, L lists, p probes, P panels.
"""

import numba
import numpy as np
import numpy.typing as npt

from .compile import kernel, numba_threads, parallel_kernel
from .finish import MANHATTAN, finish_row
from .panels import Panels
from .scan import count_work, scan_share, scan_single
from .shares import AGAINST_ALL_LISTS, share_bounds
from .space import METRICS, Space


@kernel
def _search_single(  # type: ignore[no-untyped-def]
    values, bias, slot_ids, starts, sizes, query, center, normalise, metric, probes, ids, distances, work
):
    prepared = np.empty((1, query.shape[0]), dtype=np.float32)
    heaps = np.empty((1, ids.shape[0]), dtype=np.uint64)
    scan_single(values, bias, starts, metric == MANHATTAN, query, center, normalise, probes, prepared, heaps)
    finish_row(values, slot_ids, prepared[0], metric, heaps, 0, ids, distances)
    count_work(probes, sizes, work)


@kernel
def _search_share(  # type: ignore[no-untyped-def]
    values, bias, slot_ids, starts, sizes, queries, center, normalise, metric, probes, ids, distances, work
):
    prepared = np.empty(queries.shape, dtype=np.float32)
    heaps = np.empty(ids.shape, dtype=np.uint64)
    scan_share(values, bias, starts, metric == MANHATTAN, queries, center, normalise, probes, prepared, heaps)
    for i in range(queries.shape[0]):
        finish_row(values, slot_ids, prepared[i], metric, heaps, i, ids[i], distances[i])
        count_work(probes[i], sizes, work[i])


@parallel_kernel
def _search_shares(  # type: ignore[no-untyped-def]
    values,
    bias,
    slot_ids,
    starts,
    sizes,
    queries,
    center,
    normalise,
    metric,
    probes,
    ids,
    distances,
    work,
    bounds,
):
    # bounds (shares + 1,). Iteration i owns the queries of share i.
    for i in numba.prange(bounds.shape[0] - 1):
        begin, end = bounds[i], bounds[i + 1]
        _search_share(
            values, bias, slot_ids, starts, sizes, queries[begin:end], center, normalise, metric,
            probes[begin:end], ids[begin:end], distances[begin:end], work[begin:end],
        )  # fmt: skip


def search_lists(
    panels: Panels,
    queries: npt.NDArray[np.float32],
    space: Space,
    metric: str,
    probes: npt.NDArray[np.int32],
    k: int,
    threads: int = 1,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Find the k nearest vectors of the probed lists for each query.

    Parameters
    ----------
    panels : Panels
        The vectors, list after list.
    queries : (q, d) float32, C-contiguous
        As given.
    space : Space
        How the kernel prepares them.
    metric : str
        One of `space.METRICS`.
    probes : (q, p) int32, C-contiguous
        The lists to scan for each query, each at most once; -1 for none.
    k : int
    threads : int
        Of a batch; one query takes a serial path, which starts none. The result depends on neither.

    Returns
    -------
    ids : (q, k) int32
        Rows of the training matrix by ascending distance, equal distances by id; -1 where fewer than k were
        scanned.
    distances : (q, k) float32
        Euclidean distance, 1 - cosine, 1 - inner product, minus the inner product, or manhattan distance, by
        metric; +inf at id -1.
    work : (q, 2) int64
        Lists opened and points scanned.
    """
    ids = np.empty((len(queries), k), dtype=np.int32)
    distances = np.empty((len(queries), k), dtype=np.float32)
    work = np.empty((len(queries), 2), dtype=np.int64)
    code = METRICS.index(metric)
    layout = (panels.values, panels.bias, panels.ids, panels.starts, panels.sizes)
    if len(queries) == 1:
        _search_single(
            *layout, queries[0], space.center, space.normalise, code, probes[0], ids[0], distances[0], work[0]
        )
    elif len(queries):
        bounds = share_bounds(len(queries), threads, AGAINST_ALL_LISTS)
        with numba_threads(threads):
            _search_shares(*layout, queries, space.center, space.normalise, code, probes, ids, distances, work, bounds)
    return ids, distances, work
