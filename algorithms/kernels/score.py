"""Every score of every query: for routers whose order is not one inner product per list.

Where only the best few matter, `nearest` keeps them while it scores; here a router goes on computing with all of the
products (a maximum over a group, a network's next layer, a quadratic form).

Symbols: q queries, d dimension, m vectors, P panels.
"""

import numba
import numpy as np
import numpy.typing as npt

from .compile import kernel, numba_threads, parallel_kernel
from .panels import Panels
from .shares import AGAINST_ONE_LIST, share_bounds
from .space import Space, prepare_row
from .vector import (
    PANELS_PER_STREAM,
    PANELS_PER_TILE,
    QUERIES_PER_TILE,
    stream,
    stream_of_one_panel,
    tile,
    tile_of_one_panel,
)


@kernel
def _copy(scratch, i, width, products, row, first):  # type: ignore[no-untyped-def]
    # scratch (·, ≥ width) float32, of which row i is negated into products (q, m) from column `first` on
    for j in range(min(width, products.shape[1] - first)):
        products[row, first + j] = np.float32(0.0) - scratch[i, j]


@kernel
def score_one(values, bias, query, center, normalise, products):  # type: ignore[no-untyped-def]
    """Score one query. values (P, d, 16), bias (P, 16) float32 · query (d,) float32 · products (1, m) float32."""
    prepared = np.empty((1, query.shape[0]), dtype=np.float32)
    scratch = np.empty((1, PANELS_PER_STREAM * 16), dtype=np.float32)
    pick = np.zeros(1, dtype=np.int64)
    prepare_row(query, center, normalise, prepared[0])
    panel = 0
    while panel + PANELS_PER_STREAM <= values.shape[0]:
        stream(values, bias, panel, prepared, pick, scratch)
        _copy(scratch, 0, PANELS_PER_STREAM * 16, products, 0, panel * 16)
        panel += PANELS_PER_STREAM
    while panel < values.shape[0]:
        stream_of_one_panel(values, bias, panel, prepared, pick, scratch)
        _copy(scratch, 0, 16, products, 0, panel * 16)
        panel += 1


@kernel
def score_share(values, bias, queries, center, normalise, products):  # type: ignore[no-untyped-def]
    """Score a share of a batch. As `score_one`, but queries (q, d) and products (q, m)."""
    prepared = np.empty(queries.shape, dtype=np.float32)
    wide = np.empty((QUERIES_PER_TILE, PANELS_PER_TILE * 16), dtype=np.float32)
    narrow = np.empty((QUERIES_PER_TILE, 16), dtype=np.float32)
    picks = np.empty(QUERIES_PER_TILE, dtype=np.int64)
    for i in range(queries.shape[0]):
        prepare_row(queries[i], center, normalise, prepared[i])
    for start in range(0, queries.shape[0], QUERIES_PER_TILE):
        count = min(QUERIES_PER_TILE, queries.shape[0] - start)
        for i in range(QUERIES_PER_TILE):
            picks[i] = start + min(i, count - 1)
        panel = 0
        while panel + PANELS_PER_TILE <= values.shape[0]:
            tile(values, bias, panel, prepared, picks, wide)
            for i in range(count):
                _copy(wide, i, PANELS_PER_TILE * 16, products, start + i, panel * 16)
            panel += PANELS_PER_TILE
        while panel < values.shape[0]:
            tile_of_one_panel(values, bias, panel, prepared, picks, narrow)
            for i in range(count):
                _copy(narrow, i, 16, products, start + i, panel * 16)
            panel += 1


@parallel_kernel
def _score_shares(values, bias, queries, center, normalise, products, bounds):  # type: ignore[no-untyped-def]
    # bounds (shares + 1,). Iteration i owns the queries of share i.
    for i in numba.prange(bounds.shape[0] - 1):
        begin, end = bounds[i], bounds[i + 1]
        score_share(values, bias, queries[begin:end], center, normalise, products[begin:end])


def score_all(
    panels: Panels, queries: npt.NDArray[np.float32], space: Space, threads: int = 1
) -> npt.NDArray[np.float32]:
    """Score every query against every vector of a layout of one list.

    Parameters
    ----------
    panels : Panels
        Of one list of m vectors, so that slot i is row i of what was laid out.
    queries : (q, d) float32, C-contiguous
        As given.
    space : Space
        How the kernel prepares them.
    threads : int
        Of a batch; one query takes a serial path, which starts none. The result depends on neither.

    Returns
    -------
    products : (q, m) float32
        ``⟨q, x⟩ - bias``: higher is better, unlike the scores inside the kernels.
    """
    products = np.empty((len(queries), int(panels.sizes[0])), dtype=np.float32)
    layout = (panels.values, panels.bias)
    if len(queries) == 1:
        score_one(*layout, queries[0], space.center, space.normalise, products)
    elif len(queries):
        bounds = share_bounds(len(queries), threads, AGAINST_ONE_LIST)
        with numba_threads(threads):
            _score_shares(*layout, queries, space.center, space.normalise, products, bounds)
    return products
