"""Compressed lists: what the codecs of 4 and 8 bits have in common.

Both store the residual of a vector to its list's centroid in codes, and the vector once more, as given, by which the
best candidates of a scan are ranked.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..found import Found
from ..kernels.blocks import convert_layout
from ..kernels.lookup import LAYOUT
from ..kernels.residuals import Residuals, subtract_centroids
from ..kernels.search_compressed import Compressed, search_compressed
from ..kernels.space import Space
from ..kernels.stop import StopRule
from .codec import Encoding, list_of_each_row

METRICS = ("euclidean", "angular", "normalized", "ip")
STORAGES = ("float32", "float16", "given")
LARGEST_FLOAT16 = 65504.0
LARGEST_FLOAT32 = float(np.finfo(np.float32).max)
CANDIDATES_PER_NEIGHBOUR = 10
ROWS_PER_BLOCK = 4096  # that are read or encoded at a time


@dataclass(frozen=True, slots=True)
class CompressedLists:
    """Codes in blocks, and what turns them into answers.

    Attributes
    ----------
    compressed : Compressed
    space : Space
    metric : str
    """

    compressed: Compressed
    space: Space
    metric: str

    @property
    def asked(self) -> Space:
        """How queries are prepared for the codes: see `query_preparation`."""
        return query_preparation(self.space, self.metric)

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Vectors of each list, (L,) int64."""
        return self.compressed.blocks.sizes

    @property
    def nbytes(self) -> int:
        """Bytes of codes, ids, centroids, codewords, and of the vectors that candidates are ranked by."""
        return self.compressed.nbytes

    @property
    def layout(self) -> str | None:
        """How 4-bit codes lie in memory, one of `kernels.blocks.LAYOUTS`; None of 8-bit codes, which have one way."""
        return LAYOUT if len(self.compressed.codewords) else None

    def from_layout(self, layout: str) -> "CompressedLists":
        """Return lists whose 4-bit codes lie in `layout` now with the codes as this processor reads them."""
        blocks = self.compressed.blocks
        converted = blocks._replace(codes=convert_layout(blocks.codes, layout, LAYOUT))
        return CompressedLists(self.compressed._replace(blocks=converted), self.space, self.metric)

    def search(
        self,
        queries: npt.NDArray[np.float32],
        probes: npt.NDArray[np.int32],
        k: int,
        threads: int = 1,
        rerank: int | None = None,
    ) -> Found:
        """Scan the codes of the probed lists, rank the best `rerank` candidates exactly.

        Parameters
        ----------
        queries : (q, d) float32, as given
        probes : (q, p) int32
            Lists of each query, best first, without repetition; -1 for none.
        k : int
        threads : int
        rerank : int, optional
            At least k; by default 10·k.
        """
        wanted = candidates(k, rerank, len(self.compressed.rows))
        ids, distances, work = search_compressed(
            self.compressed, queries, self.asked, self.metric, probes, k, wanted, threads
        )  # fmt: skip
        return Found(ids, distances, work[:, 0], work[:, 1])

    def search_until(
        self,
        queries: npt.NDArray[np.float32],
        probes: npt.NDArray[np.int32],
        k: int,
        rule: StopRule,
        threads: int = 1,
    ) -> Found:
        """Refuse: a stop rule looks at exact distances after each list, which a compressed scan does not have."""
        raise ValueError(
            "probing: found compressed lists, expected Float32 for Patience and BallCap, which watch exact distances"
        )

    def list_of_each_row(self) -> npt.NDArray[np.int32]:
        """Return the list that holds each row of the training matrix, (n,) int32."""
        return list_of_each_row(self.compressed.blocks.ids, self.compressed.blocks.starts)


def query_preparation(space: Space, metric: str) -> Space:
    """Return how queries are prepared for codes.

    As rows are, but for ``ip``: the order of inner products does not depend on the length of the query, and what codes
    assume of it, the share of a centroid that is in it, must not either.
    """
    return space._replace(normalise=True) if metric == "ip" else space


def candidates(k: int, rerank: int | None, count: int) -> int:
    """Return how many candidates are ranked exactly: as asked for, at least k; by default 10·k; never above `count`."""
    return min(count, max(k, CANDIDATES_PER_NEIGHBOUR * k if rerank is None else rerank))


def metric_refusal(metric: str, codec: object) -> str:
    """Return in one line why a codec does not serve a metric: its distance is no function of inner products."""
    return "" if metric in METRICS else f"{codec!r}: found metric {metric!r}, expected one of {', '.join(METRICS)}"


def check_storage(storage: str, name: str) -> None:
    """Refuse a storage that there is not.

    Raises
    ------
    ValueError
    """
    if storage not in STORAGES:
        raise ValueError(f"{name}: found {storage!r}, expected one of {', '.join(STORAGES)}")


def sample_places(count: int, wanted: int, seed: int) -> npt.NDArray[np.int64]:
    """Return at most `wanted` of `count` places, ascending."""
    if count <= wanted:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, wanted, replace=False))


def residuals_of(encoding: Encoding, places: npt.NDArray[np.int64] | slice) -> Residuals:
    """Return what is left of some rows without the centroids of their lists."""
    rows = np.ascontiguousarray(encoding.rows[places])
    return subtract_centroids(
        rows, encoding.space, encoding.centroids, encoding.assignment[places], encoding.threads
    )  # fmt: skip


def stored_rows(encoding: Encoding, storage: str) -> tuple[npt.NDArray[Any], npt.NDArray[np.float32]]:
    """Return what candidates are ranked by: rows (n, d), and inverse lengths (n,) under angular, (0,) otherwise.

    Raises
    ------
    ValueError
        Numbers that float16 does not reach.
    """
    count = len(encoding.rows)
    kept: npt.NDArray[Any] = encoding.rows
    if storage != "given":
        kept = np.empty(encoding.rows.shape, dtype=np.float16 if storage == "float16" else np.float32)
    lengths = np.empty(count if encoding.metric == "angular" else 0, dtype=np.float32)
    for begin in range(0, count, ROWS_PER_BLOCK):  # all that is asked of a row while it is in the cache
        places = slice(begin, min(begin + ROWS_PER_BLOCK, count))
        block = encoding.rows[places]
        if encoding.metric == "angular":
            squares = np.einsum("ij,ij->i", block, block, dtype=np.float64)
            inverse = np.minimum(1 / np.sqrt(np.maximum(squares, 1e-300)), LARGEST_FLOAT32)
            lengths[places] = np.where(squares > 0, inverse, 0)
        if storage == "float16":
            largest = float(max(block.max(), -block.min()))
            if largest > LARGEST_FLOAT16:
                raise ValueError(
                    f"storage 'float16': found {largest:g} in the rows, expected at most {LARGEST_FLOAT16:g}"
                )
        if storage != "given":
            kept[places] = block
    return kept.view(np.uint16) if storage == "float16" else kept, lengths
