"""Eight bits for each coordinate: a quarter of float32, and nearly its order.

A vector is stored as its residual to the list's centroid, each coordinate rounded to one of 255 steps. Steps are of
coordinates, not of vectors: they go into the query once, and a score stays one sum of integers
(`kernels.byte_products`). The best candidates are ranked again by exact distances.
"""

from dataclasses import dataclass

import numpy as np

from ..kernels.blocks import make_blocks
from ..kernels.byte_queries import MIDDLE, byte_codes, byte_steps
from ..kernels.search_compressed import Compressed
from ..value import Value
from .codec import Encoding
from .compressed_lists import CompressedLists, check_storage, metric_refusal, residuals_of, stored_rows

ROWS_PER_BLOCK = 16384
CUT = 4.0  # standard deviations: a step of the farthest outlier would be too coarse for everybody else


@dataclass(frozen=True, slots=True, repr=False)
class Int8(Value):
    """Store each coordinate in one byte, and each vector once more for exact re-ranking.

    Parameters
    ----------
    storage : str
        Of the vectors that candidates are ranked by: ``float32``, ``float16`` (half the bytes; distances are those of
        the rounded vectors), or ``given``: the matrix passed to `build` is kept, not copied, and may be a memory map.
    """

    storage: str = "float32"

    def __post_init__(self) -> None:
        check_storage(self.storage, "Int8.storage")

    def refusal(self, metric: str) -> str:
        """Return why this metric is not served, or nothing: its distance must be a function of inner products."""
        return metric_refusal(metric, self)

    def encode(self, encoding: Encoding) -> CompressedLists:
        """Round the residuals, lay the codes out list after list.

        Raises
        ------
        ValueError
            A metric that is not served (manhattan).
        """
        why = self.refusal(encoding.metric)
        if why:
            raise ValueError(why)
        count, dimension = encoding.rows.shape
        blocks = [slice(begin, min(begin + ROWS_PER_BLOCK, count)) for begin in range(0, count, ROWS_PER_BLOCK)]
        largest, squares = np.zeros(dimension, dtype=np.float32), np.zeros(dimension)
        for places in blocks:
            residuals = residuals_of(encoding, places).rows
            largest = np.maximum(largest, np.abs(residuals).max(axis=0))
            squares += np.einsum("ij,ij->j", residuals, residuals, dtype=np.float64)
        within = np.minimum(largest, CUT * np.sqrt(squares / count).astype(np.float32))
        code_steps = byte_steps(within[None])
        codes = np.empty((count, -(-dimension // 4) * 4), dtype=np.uint8)
        bias = np.empty(count, dtype=np.float32)
        for places in blocks:
            encoding.progress("encoding", places.start, count, "")
            residuals, _, half = residuals_of(encoding, places)
            codes[places] = byte_codes(residuals, code_steps)
            errors = residuals - (codes[places, :dimension].astype(np.float32) - MIDDLE) * code_steps
            bias[places] = half if encoding.metric == "euclidean" else 0.0
            if encoding.metric != "ip":  # of a query of length 1 nobody knows how much of a long centroid is in it
                near = encoding.centroids[encoding.assignment[places]]
                bias[places] -= np.einsum("ij,ij->i", near, errors, dtype=np.float64)
        encoding.progress("encoding", count, count, "")
        rows, lengths = stored_rows(encoding, self.storage)
        steps = byte_steps(encoding.centroids)
        compressed = Compressed(
            make_blocks(
                codes, bias, encoding.assignment, len(encoding.centroids), bits=8, threads=encoding.threads
            ),
            byte_codes(encoding.centroids, steps),
            steps,
            np.empty((0, codes.shape[1] * 32), dtype=np.uint8),
            np.empty((0, 0, 16), dtype=np.float32),
            code_steps,
            rows,
            lengths,
        )  # fmt: skip
        return CompressedLists(compressed, encoding.space, encoding.metric)
