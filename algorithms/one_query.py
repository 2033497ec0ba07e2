"""One query through byte routes and compressed lists, in one call of one kernel.

Such a query takes twenty microseconds or so; two calls with thirty arrays take ten more. Every array less that is made
or handed over is a quarter of a microsecond. The kernels are those of
`routers.byte_routes` and `codecs.compressed_lists`, and so is every answer, to the bit; only the way there is shorter.
"""

from typing import TypeGuard

import numpy as np
import numpy.typing as npt
from numba.core import config

from .codecs.codec import Lists
from .codecs.compressed_lists import CompressedLists, candidates
from .found import Found
from .kernels.addresses import addresses_of, cube_at, first_row, matrix_at, vector_at
from .kernels.compile import kernel
from .kernels.compressed import compressed_single
from .kernels.nearest_bytes import nearest_bytes_single
from .kernels.space import METRICS
from .routers.byte_routes import ByteRoutes
from .routers.router import Routes

KINDS = 3  # numbers after the places: whether routes and lists normalise, and the metric


@kernel
def _answer(places, rows, queries, wanted, nprobe, ids, distances, work):  # type: ignore[no-untyped-def]
    # places: of the arrays that `OneQuery` names, in its order, then its kinds · rows (n, d) · queries (1, d) float32
    query = first_row(queries, np.float32)
    kinds = places[places.shape[0] - KINDS :]
    probes, scores = np.empty(nprobe, dtype=np.int32), np.empty(nprobe, dtype=np.float32)
    nearest_bytes_single(
        matrix_at(places, 0, np.uint8), matrix_at(places, 1, np.float32), vector_at(places, 2, np.float32), query,
        vector_at(places, 3, np.float32), kinds[0] != 0, probes, scores,
    )  # fmt: skip
    compressed_single(
        matrix_at(places, 4, np.uint8), matrix_at(places, 5, np.float32), matrix_at(places, 6, np.int32),
        vector_at(places, 7, np.int64), vector_at(places, 8, np.int64), matrix_at(places, 9, np.uint8),
        vector_at(places, 10, np.float32), matrix_at(places, 11, np.uint8), cube_at(places, 12, np.float32),
        vector_at(places, 13, np.float32), rows, vector_at(places, 14, np.float32), query,
        vector_at(places, 15, np.float32), kinds[1] != 0, kinds[2], probes, wanted, ids[0], distances[0], work[:, 0],
    )  # fmt: skip


class OneQuery:
    """What a single query of one index needs, laid ready.

    Parameters
    ----------
    routes : ByteRoutes
    lists : CompressedLists
    """

    def __init__(self, routes: ByteRoutes, lists: CompressedLists) -> None:
        compressed, space = lists.compressed, lists.asked
        blocks = compressed.blocks
        self._kept = (
            routes.blocks.codes, routes.blocks.bias, routes.steps, routes.space.center,
            blocks.codes, blocks.bias, blocks.ids, blocks.starts, blocks.sizes, compressed.centers, compressed.steps,
            compressed.rotation, compressed.codewords, compressed.code_steps, compressed.lengths, space.center,
        )  # fmt: skip
        kinds = (routes.space.normalise, space.normalise, METRICS.index(lists.metric))
        self._places = np.concatenate([addresses_of(self._kept), np.array(kinds, dtype=np.int64)])
        self._rows = compressed.rows
        self._shape = (1, len(space.center))

    def takes(self, queries: npt.ArrayLike) -> TypeGuard[npt.NDArray[np.float32]]:
        """Return whether these are one query as `search` wants it, so that nobody need make it so."""
        return (
            type(queries) is np.ndarray
            and queries.shape == self._shape
            and queries.dtype == np.float32
            and queries.flags.c_contiguous
        )

    def search(self, query: npt.NDArray[np.float32], k: int, nprobe: int, rerank: int | None) -> Found:
        """Answer query (1, d), C-contiguous, as given; nprobe at most L."""
        ids = np.empty((1, k), dtype=np.int32)
        distances = np.empty((1, k), dtype=np.float32)
        work = np.empty((2, 1), dtype=np.int64)
        wanted = candidates(k, rerank, len(self._rows))
        _answer(self._places, self._rows, query, wanted, nprobe, ids, distances, work)
        return Found(ids, distances, work[0], work[1])


def one_query(routes: Routes, lists: Lists) -> OneQuery | None:
    """Return the short way of an index, or None where there is none."""
    if isinstance(routes, ByteRoutes) and isinstance(lists, CompressedLists) and not config.DISABLE_JIT:
        return OneQuery(routes, lists)
    return None
