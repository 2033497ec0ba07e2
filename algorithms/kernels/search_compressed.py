"""Search over compressed lists: what divides queries among threads around the kernels of `compressed`.

Symbols: q queries, d dimension, d' rotated dimension, k neighbours, L lists, p probes, n vectors.
"""

from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from .blocks import Blocks
from .compile import numba_threads, parallel_kernel
from .compressed import CAPACITY, SLACK, compressed_share, compressed_single
from .shares import AGAINST_ONE_LIST, share_bounds
from .space import METRICS, Space

BUFFER_BYTES = 32 << 20  # of candidates that wait in a share
FEWEST = 64  # queries of a share: below that lists would be read for little


class Compressed(NamedTuple):
    """Codes, and what turns them into answers.

    Attributes
    ----------
    blocks : Blocks
        Codes of 4 or 8 bits, list after list.
    centers : (L, d) uint8
        Prepared centroids as bytes (`byte_queries`), d filled up to a multiple of 4.
    steps : (d,) float32
        What one code of `centers` and `rotation` is worth in each coordinate.
    rotation : (d'/32, bytes of a block) uint8
        What a prepared query is multiplied by to meet the codewords, as bytes; no blocks of 8-bit codes.
    codewords : (M, w, 16) float32
        Of 4-bit codes; (0, 0, 16) of 8-bit codes.
    code_steps : (d,) float32
        What one 8-bit code is worth in each coordinate.
    rows : (n, d) float32, or uint16 that hold float16
        What candidates are ranked by, as given.
    lengths : (n,) float32
        Inverse lengths of the rows under angular; empty otherwise.
    """

    blocks: Blocks
    centers: npt.NDArray[np.uint8]
    steps: npt.NDArray[np.float32]
    rotation: npt.NDArray[np.uint8]
    codewords: npt.NDArray[np.float32]
    code_steps: npt.NDArray[np.float32]
    rows: npt.NDArray[Any]
    lengths: npt.NDArray[np.float32]

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays together."""
        return self.blocks.nbytes + sum(array.nbytes for array in self[1:])


@parallel_kernel
def _shares(  # type: ignore[no-untyped-def]
    codes, bias, slot_ids, starts, sizes, centers, steps, rotation, codewords, code_steps, rows, lengths,
    queries, center, normalise, metric, probes, wanted, ids, distances, work, bounds,
):  # fmt: skip
    # bounds (shares + 1,). Iteration i owns the queries of share i.
    for i in numba.prange(bounds.shape[0] - 1):
        begin, end = bounds[i], bounds[i + 1]
        compressed_share(
            codes, bias, slot_ids, starts, sizes, centers, steps, rotation, codewords, code_steps, rows, lengths,
            queries[begin:end], center, normalise, metric, probes[begin:end], wanted,
            ids[begin:end], distances[begin:end], work[begin:end],
        )  # fmt: skip


def search_compressed(
    lists: Compressed,
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
    lists : Compressed
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
    if len(queries) == 1:
        compressed_single(
            *lists.blocks, *lists[1:], queries[0], space.center, space.normalise, code, probes[0], wanted, ids[0],
            distances[0], work[0],
        )  # fmt: skip
    elif len(queries):
        # Candidates wait in a buffer for each query of a share.
        longest = BUFFER_BYTES // (8 * (CAPACITY * wanted + SLACK))
        bounds = share_bounds(len(queries), threads, max(FEWEST, min(AGAINST_ONE_LIST, longest)))
        with numba_threads(threads):
            _shares(
                *lists.blocks, *lists[1:], queries, space.center, space.normalise, code, probes, wanted, ids,
                distances, work, bounds,
            )  # fmt: skip
    return ids, distances, work
