"""The 4-bit product quantiser: vectors of half a byte for each sub-quantiser, scored in registers, the best re-ranked.

A vector is stored as its residual to the list's centroid, mapped to the space in which queries see all errors alike
(`query_space`), cut into slices, each replaced by the nearest of sixteen codewords (Jégou et al., "Product
Quantization for Nearest Neighbor Search", TPAMI 2011). Scores come from look-ups in registers (`kernels.lookup`; the idea
is André et al., "Cache locality is not enough", VLDB 2015). The best candidates are ranked again by exact distances.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..found import Found
from ..kernels.blocks import Blocks, make_blocks
from ..kernels.codewords import encode, train_codewords
from ..kernels.compressed import search_compressed
from ..kernels.lookup import LAYOUT
from ..kernels.panels import Panels, make_panels
from ..kernels.space import Space, identity, prepare
from ..kernels.stop import StopRule
from ..rows import positive
from ..value import Value
from .codec import Encoding
from .query_space import QuerySpace, opened_pairs, query_space

METRICS = ("euclidean", "angular", "normalized", "ip")
STORAGES = ("float32", "float16", "given")
ROWS_PER_BLOCK = 16384
TRAINING_ROWS = 65536
FITTED_QUERIES = 256  # on which the part αc of the error is estimated
CANDIDATES_PER_NEIGHBOUR = 10


@dataclass(frozen=True, slots=True)
class QuantisedLists:
    """Codes in blocks, and what turns them into answers.

    Attributes
    ----------
    blocks : Blocks
    centroids : (L, d) float32
        Prepared.
    rotation : Panels
        Maps prepared queries to the space of the codewords.
    codewords : (M, w, 16) float32
    rows : (n, d) float32, or uint16 that hold float16
        What candidates are ranked by, as given.
    lengths : (n,) float32
        Inverse lengths of the rows under angular; empty otherwise.
    space : Space
    metric : str
    """

    blocks: Blocks
    centroids: npt.NDArray[np.float32]
    rotation: Panels
    codewords: npt.NDArray[np.float32]
    rows: npt.NDArray[Any]
    lengths: npt.NDArray[np.float32]
    space: Space
    metric: str

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Vectors of each list, (L,) int64."""
        return self.blocks.sizes

    @property
    def nbytes(self) -> int:
        """Bytes of codes, ids, centroids, codewords, and of the vectors that candidates are ranked by."""
        arrays = (self.centroids, self.rotation.values, self.codewords, self.rows, self.lengths)
        return self.blocks.nbytes + sum(array.nbytes for array in arrays)

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
        wanted = max(k, CANDIDATES_PER_NEIGHBOUR * k if rerank is None else rerank)
        ids, distances, work = search_compressed(
            self.blocks, self.centroids, self.rotation, self.codewords, self.rows, self.lengths, queries, self.space,
            self.metric, probes, k, wanted, threads,
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
        raise ValueError("probing: found ProductQuantiser lists, expected Float32 for policies that watch distances")

    def list_of_each_row(self) -> npt.NDArray[np.int32]:
        """Return the list that holds each row of the training matrix, (n,) int32."""
        ids, starts = self.blocks.ids, self.blocks.starts
        of_block = np.repeat(np.arange(len(starts) - 1, dtype=np.int32), np.diff(starts))
        real = ids >= 0
        lists = np.empty(int(self.blocks.sizes.sum()), dtype=np.int32)
        lists[ids[real]] = np.broadcast_to(of_block[:, None], ids.shape)[real]
        return lists


@dataclass(frozen=True, slots=True, repr=False)
class ProductQuantiser(Value):
    """Store each vector as codes of 4 bits, and once more for exact re-ranking.

    Parameters
    ----------
    subquantisers : int, optional
        M: half a byte each, a multiple of 4. By default one for every four dimensions.
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

    def __post_init__(self) -> None:
        if self.subquantisers is not None and (positive(self.subquantisers, "ProductQuantiser.subquantisers") % 4):
            raise ValueError(
                f"ProductQuantiser.subquantisers: found {self.subquantisers}, expected a multiple of 4"
            )  # fmt: skip
        if self.width is not None:
            positive(self.width, "ProductQuantiser.width")
        positive(self.iterations, "ProductQuantiser.iterations")
        if self.storage not in STORAGES:
            raise ValueError(
                f"ProductQuantiser.storage: found {self.storage!r}, expected one of {', '.join(STORAGES)}"
            )  # fmt: skip

    def encode(self, encoding: Encoding) -> QuantisedLists:
        """Find codewords, encode the rows, lay the codes out list after list.

        Raises
        ------
        ValueError
            A metric whose distance is no function of inner products (manhattan).
        """
        if encoding.metric not in METRICS:
            raise ValueError(
                f"ProductQuantiser: found metric {encoding.metric!r}, expected one of {', '.join(METRICS)}"
            )  # fmt: skip
        dimension = encoding.rows.shape[1]
        parts = self.subquantisers or max(4, 4 * round(dimension / 16))
        width = self.width or -(-dimension // parts)
        parts = min(parts, 4 * -(-dimension // (4 * width)))  # no sub-quantiser of zeros alone
        fitted = _fit(encoding, parts, width, self.iterations)
        codes, bias = _encoded(encoding, *fitted)
        blocks = make_blocks(
            codes, bias, encoding.assignment, len(encoding.centroids), bits=4, layout=LAYOUT, threads=encoding.threads
        )
        rotation = make_panels(fitted[0].backward, identity(dimension), threads=encoding.threads)
        rows, lengths = _stored(encoding, self.storage)
        return QuantisedLists(
            blocks, encoding.centroids, rotation, fitted[1], rows, lengths, encoding.space, encoding.metric
        )


def _sample(count: int, wanted: int, seed: int) -> npt.NDArray[np.int64]:
    if count <= wanted:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, wanted, replace=False))


def _residuals(encoding: Encoding, places: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    prepared = prepare(np.ascontiguousarray(encoding.rows[places]), encoding.space, encoding.threads, in_place=True)
    prepared -= encoding.centroids[encoding.assignment[places]]
    return prepared


def _fit(
    encoding: Encoding, parts: int, width: int, iterations: int
) -> tuple[QuerySpace, npt.NDArray[np.float32], float]:
    # The space, the codewords in it, and α.
    encoding.progress("codewords", 0, 1, "")
    asked = encoding.rows if encoding.queries is None else encoding.queries
    asked = np.ascontiguousarray(asked[_sample(len(asked), TRAINING_ROWS, encoding.seed)])
    queries = prepare(asked, encoding.space, encoding.threads)
    of_query, of_list = opened_pairs(queries, encoding.centroids, encoding.metric, encoding.seed)
    near = encoding.centroids[of_list]
    along = float(np.einsum("ij,ij->", queries[of_query], near, dtype=np.float64))
    alpha = along / max(float(np.einsum("ij,ij->", near, near, dtype=np.float64)), 1e-30)
    differences = queries[of_query] - np.float32(alpha) * near
    sample = _sample(len(encoding.rows), TRAINING_ROWS, encoding.seed + 1)
    residuals = _residuals(encoding, sample)
    space = query_space(differences, residuals, parts, width)
    mapped = np.ascontiguousarray(residuals @ space.forward.T)
    codewords = train_codewords(mapped, parts, iterations, encoding.seed, encoding.threads)
    alpha = _share_of_centroid(encoding, space, codewords, queries, of_query, of_list, sample, mapped)
    encoding.progress("codewords", 1, 1, f"{parts} sub-quantisers of {width}")
    return space, codewords, alpha


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
    codes, _ = encode(mapped, encoding.centroids @ space.backward.T, lists, codewords, encoding.threads)
    errors = mapped - _decoded(codes, codewords)
    order = np.argsort(lists, kind="stable")
    begins = np.searchsorted(lists[order], np.arange(len(encoding.centroids) + 1))
    centers = encoding.centroids @ space.backward.T
    above, below = 0.0, 0.0
    generator = np.random.default_rng(encoding.seed)
    pairs = generator.choice(len(of_query), min(len(of_query), 32 * FITTED_QUERIES), replace=False)
    asked = queries[of_query[pairs]] @ space.backward.T
    for query, chosen in zip(asked, of_list[pairs], strict=True):
        members = order[begins[chosen] : begins[chosen + 1]]
        if len(members):
            seen, center = errors[members] @ query, errors[members] @ centers[chosen]
            above += float(seen @ center)
            below += float(center @ center)
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
        places = np.arange(begin, min(begin + ROWS_PER_BLOCK, count))
        rows, lists = _residuals(encoding, places), encoding.assignment[places]
        near = encoding.centroids[lists]
        meant = np.einsum("ij,ij->i", near, rows, dtype=np.float64)
        half = 0.0
        if encoding.metric == "euclidean":
            full = rows + near
            half = 0.5 * np.einsum("ij,ij->i", full, full, dtype=np.float64)
        codes[places], got = encode(
            np.ascontiguousarray(rows @ space.forward.T), centers, lists, codewords, encoding.threads
        )
        bias[places] = half - alpha * (meant - got)
    encoding.progress("encoding", count, count, "")
    return codes, bias


def _stored(encoding: Encoding, storage: str) -> tuple[npt.NDArray[Any], npt.NDArray[np.float32]]:
    lengths = np.empty(0, dtype=np.float32)
    if encoding.metric == "angular":
        squares = np.einsum("ij,ij->i", encoding.rows, encoding.rows, dtype=np.float64)
        lengths = np.where(squares > 0, 1 / np.sqrt(np.maximum(squares, 1e-300)), 0).astype(np.float32)
    if storage == "given":
        return encoding.rows, lengths
    if storage == "float16":
        return encoding.rows.astype(np.float16).view(np.uint16), lengths
    return encoding.rows.copy(), lengths
