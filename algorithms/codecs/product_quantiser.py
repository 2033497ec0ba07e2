"""The 4-bit product quantiser: vectors of half a byte for each sub-quantiser, scored in registers, the best re-ranked.

A vector is stored as its residual to the list's centroid, mapped to the space in which queries see all errors alike
(`query_space`), cut into slices, each replaced by the nearest of sixteen codewords (Jégou et al., "Product
Quantization for Nearest Neighbor Search", TPAMI 2011). Scores come from look-ups in registers (`kernels.lookup`; the
idea is André et al., "Cache locality is not enough", VLDB 2015). The best candidates are ranked again by exact
distances.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..kernels.blocks import make_blocks
from ..kernels.byte_queries import byte_codes, byte_steps
from ..kernels.codewords import encode, train_codewords
from ..kernels.lookup import LAYOUT, MOST_SUBQUANTISERS
from ..kernels.search_compressed import Compressed
from ..kernels.space import prepare
from ..rows import positive
from ..value import Value
from .codec import Encoding
from .compressed_lists import (
    ROWS_PER_BLOCK,
    CompressedLists,
    check_storage,
    metric_refusal,
    query_preparation,
    residuals_of,
    sample_places,
    stored_rows,
)
from .query_space import QuerySpace, opened_pairs, query_space, second_moment

TRAINING_ROWS = 8192  # 512 for each codeword; with twice as many recall was the same on wordnet and sift
FITTED_QUERIES = 256  # on which the part αc of the error is estimated


@dataclass(frozen=True, slots=True, repr=False)
class ProductQuantiser(Value):
    """Store each vector as codes of 4 bits, and once more for exact re-ranking.

    Parameters
    ----------
    subquantisers : int, optional
        M: half a byte each, a multiple of 4, at most 512. By default one for every three dimensions, up to 1,536 of
        them; beyond, as many as are needed for all, each of more dimensions.
    width : int, optional
        Coordinates of a sub-quantiser. By default so many that all dimensions are kept; fewer drop the coordinates
        that matter least to queries.
    storage : str
        Of the vectors that candidates are ranked by: ``float32``, ``float16`` (half the bytes; distances are those of
        the rounded vectors), or ``given``: the matrix passed to `build` is kept, not copied, and may be a memory map.
    iterations : int
        Of the k-means that finds the codewords.
    """

    subquantisers: int | None = None
    width: int | None = None
    storage: str = "float32"
    iterations: int = 12

    reads_queries = True

    def __post_init__(self) -> None:
        if self.subquantisers is not None and (positive(self.subquantisers, "ProductQuantiser.subquantisers") % 4):
            raise ValueError(
                f"ProductQuantiser.subquantisers: found {self.subquantisers}, expected a multiple of 4"
            )  # fmt: skip
        if self.subquantisers is not None and self.subquantisers > MOST_SUBQUANTISERS:
            raise ValueError(
                f"ProductQuantiser.subquantisers: found {self.subquantisers}, expected at most {MOST_SUBQUANTISERS}"
            )
        if self.width is not None:
            positive(self.width, "ProductQuantiser.width")
        positive(self.iterations, "ProductQuantiser.iterations")
        check_storage(self.storage, "ProductQuantiser.storage")

    def refusal(self, metric: str) -> str:
        """Return why this metric is not served, or nothing: its distance must be a function of inner products."""
        return metric_refusal(metric, self)

    def encode(self, encoding: Encoding) -> CompressedLists:
        """Find codewords, encode the rows, lay the codes out list after list.

        Raises
        ------
        ValueError
            A metric that is not served (manhattan).
        """
        why = self.refusal(encoding.metric)
        if why:
            raise ValueError(why)
        dimension = encoding.rows.shape[1]
        parts = self.subquantisers or default_subquantisers(dimension)
        width = self.width or -(-dimension // parts)
        parts = min(parts, 4 * -(-dimension // (4 * width)))  # no sub-quantiser of zeros alone
        fitted = _fit(encoding, parts, width, self.iterations)
        codes, bias = _encoded(encoding, *fitted)
        blocks = make_blocks(
            codes, bias, encoding.assignment, len(encoding.centroids), bits=4, layout=LAYOUT, threads=encoding.threads
        )
        rotation, codewords = _balanced(fitted[0].backward, fitted[1], encoding.centroids)
        steps = byte_steps(np.concatenate([encoding.centroids, rotation]))
        nowhere = np.zeros(len(rotation), dtype=np.int32)
        rotation_blocks = make_blocks(
            byte_codes(rotation, steps), np.zeros(len(rotation), dtype=np.float32), nowhere, 1, bits=8
        )
        rows, lengths = stored_rows(encoding, self.storage)
        centers = byte_codes(encoding.centroids, steps)
        nothing = np.empty(0, dtype=np.float32)
        compressed = Compressed(blocks, centers, steps, rotation_blocks.codes, codewords, nothing, rows, lengths)
        return CompressedLists(compressed, encoding.space, encoding.metric)


def default_subquantisers(dimension: int) -> int:
    """Return the M of vectors of a dimension: one for every three coordinates, a multiple of 4."""
    return min(MOST_SUBQUANTISERS, max(4, 4 * round(dimension / 12)))


def _balanced(
    backward: npt.NDArray[np.float32], codewords: npt.NDArray[np.float32], centroids: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    # Rows of the rotation as long as centroids are, so that bytes of one step suit both; what a row is multiplied by,
    # its coordinate of the codewords is divided by.
    lengths = np.linalg.norm(backward, axis=1)
    wanted = float(np.linalg.norm(centroids, axis=1).mean()) or 1.0
    factors = np.where(lengths > 0, wanted / np.maximum(lengths, 1e-30), 1.0)
    return (
        (backward * factors[:, None]).astype(np.float32),
        (codewords / factors.reshape(codewords.shape[0], codewords.shape[1], 1)).astype(np.float32),
    )


def _fit(
    encoding: Encoding, parts: int, width: int, iterations: int
) -> tuple[QuerySpace, npt.NDArray[np.float32], float]:
    # The space, the codewords in it, and α.
    encoding.progress("codewords", 0, 1, "")
    asked = encoding.rows if encoding.queries is None else encoding.queries
    asked = np.ascontiguousarray(asked[sample_places(len(asked), TRAINING_ROWS, encoding.seed)])
    queries = prepare(asked, query_preparation(encoding.space, encoding.metric), encoding.threads)
    of_query, of_list = opened_pairs(queries, encoding.centroids, encoding.metric, encoding.seed)
    dimension = encoding.rows.shape[1]
    along = below = 0.0
    for asking, near in _in_blocks(queries, of_query, encoding.centroids, of_list):
        along += float(np.einsum("ij,ij->", asking, near, dtype=np.float64))
        below += float(np.einsum("ij,ij->", near, near, dtype=np.float64))
    alpha = np.float32(along / max(below, 1e-30))
    pairs = _in_blocks(queries, of_query, encoding.centroids, of_list)
    differences = second_moment((asking - alpha * near for asking, near in pairs), dimension)
    sample = sample_places(len(encoding.rows), TRAINING_ROWS, encoding.seed + 1)
    residuals = residuals_of(encoding, sample).rows
    own = second_moment(np.array_split(residuals, -(-len(residuals) // ROWS_PER_BLOCK)), dimension)
    space = query_space(differences, own, parts, width)
    mapped = np.ascontiguousarray(residuals @ space.forward.T)
    codewords = train_codewords(mapped, parts, iterations, encoding.seed, encoding.threads)
    share = _share_of_centroid(encoding, space, codewords, queries, of_query, of_list, sample, mapped)
    encoding.progress("codewords", 1, 1, f"{parts} sub-quantisers of {width}")
    return space, codewords, share


def _in_blocks(
    queries: npt.NDArray[np.float32],
    of_query: npt.NDArray[np.int64],
    centroids: npt.NDArray[np.float32],
    of_list: npt.NDArray[np.int64],
) -> Iterator[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
    # Pairs of a query and a centroid, a few thousand at a time: all of them at once would weigh more than the data.
    for begin in range(0, len(of_query), ROWS_PER_BLOCK):
        places = slice(begin, begin + ROWS_PER_BLOCK)
        yield queries[of_query[places]], centroids[of_list[places]]


def _share_of_centroid(
    encoding: Encoding,
    space: QuerySpace,
    codewords: npt.NDArray[np.float32],
    queries: npt.NDArray[np.float32],
    of_query: npt.NDArray[np.int64],
    of_list: npt.NDArray[np.int64],
    sample: npt.NDArray[np.int64],
    mapped: npt.NDArray[np.float32],
) -> float:
    # The α that makes ⟨q - αc, e⟩ least over queries and the vectors of lists that they open: a one-dimensional least
    # squares fit of ⟨q, e⟩ to ⟨c, e⟩.
    lists = encoding.assignment[sample]
    centers = encoding.centroids @ space.backward.T
    codes, _ = encode(mapped, centers, lists, codewords, encoding.threads)
    errors = mapped - _decoded(codes, codewords)
    order = np.argsort(lists, kind="stable")
    begins = np.searchsorted(lists[order], np.arange(len(encoding.centroids) + 1))
    above, below = 0.0, 0.0
    generator = np.random.default_rng(encoding.seed)
    pairs = generator.choice(len(of_query), min(len(of_query), 32 * FITTED_QUERIES), replace=False)
    pairs = pairs[np.argsort(of_list[pairs], kind="stable")]
    opened, first = np.unique(of_list[pairs], return_index=True)
    asked = queries[of_query[pairs]] @ space.backward.T
    for chosen, asking in zip(opened, np.split(asked, first[1:]), strict=True):
        members = order[begins[chosen] : begins[chosen + 1]]
        # their own products may exceed float32
        seen = (errors[members] @ asking.T).astype(np.float64)
        center = (errors[members] @ centers[chosen]).astype(np.float64)
        above += float(seen.sum(axis=1) @ center)
        below += len(asking) * float(center @ center)
    return above / below if below > 0 else 0.0


def _decoded(codes: npt.NDArray[np.uint8], codewords: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    parts, width, _ = codewords.shape
    return codewords.transpose(0, 2, 1)[np.arange(parts), codes].reshape(len(codes), parts * width)


def _encoded(
    encoding: Encoding, space: QuerySpace, codewords: npt.NDArray[np.float32], alpha: float
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    # Codes of all rows, and the bias ½‖x‖² (euclidean) - α⟨c, e⟩ of each.
    count = len(encoding.rows)
    codes = np.empty((count, len(codewords)), dtype=np.uint8)
    bias = np.empty(count, dtype=np.float32)
    centers = np.ascontiguousarray(encoding.centroids @ space.backward.T, dtype=np.float32)
    for begin in range(0, count, ROWS_PER_BLOCK):
        encoding.progress("encoding", begin, count, "")
        places = slice(begin, min(begin + ROWS_PER_BLOCK, count))
        residuals = residuals_of(encoding, places)
        codes[places], got = encode(
            residuals.rows @ space.forward.T, centers, encoding.assignment[places], codewords, encoding.threads
        )
        half = residuals.half if encoding.metric == "euclidean" else 0.0
        bias[places] = half - alpha * (residuals.along - got)
    encoding.progress("encoding", count, count, "")
    return codes, bias
