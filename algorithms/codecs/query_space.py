"""Where queries lie, and what that says about which errors of a code matter.

A compressed list scores ``⟨q, c⟩ + ⟨q, r̂⟩`` where ``⟨q, c⟩ + ⟨q, r⟩`` is meant: r is a vector's residual in its list,
c the list's centroid, r̂ what its code stands for. The error is ⟨q, e⟩ with e = r - r̂, and two things are known about q:

- Queries that open a list resemble αc. The part ⟨αc, e⟩ of the error is a constant of the vector, and is put right in
  its bias. What is left is ⟨q - αc, e⟩.
- The differences q - αc have a second moment S, and the expected square of what is left is eᵀSe. That is the squared
  length of S^½ e: a quantiser that minimises plain squared error does the right thing in the space that S^½ maps to.

`query_space` returns that map and its inverse, from S and the second moment of the residuals. Both are rotated so that
the coordinates have falling variance, dealt out to the sub-quantisers so that each gets its part of it (Ge et al.,
"Optimized Product Quantization", CVPR 2013, eigenvalue allocation).

Weighting by where queries lie is what "Quantization based Fast Inner Product Search" (Guo et al., AISTATS 2016) does
for whole vectors. Symbols: m queries, d dimension, L lists, n rows.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FLOOR = 1e-2  # of the mean eigenvalue: directions that no training query took may still be taken
PROBED = 0.1  # part of the lists that a query is taken to open
PAIRS = 50_000  # of a query and a list that it opens, at most: enough for a moment, and no burden on memory


class QuerySpace(NamedTuple):
    """Two maps with ⟨q, x⟩ = ⟨backward q, forward x⟩.

    Attributes
    ----------
    forward : (d', d) float32
        For vectors.
    backward : (d', d) float32
        For queries.
    """

    forward: npt.NDArray[np.float32]
    backward: npt.NDArray[np.float32]


def opened_pairs(
    queries: npt.NDArray[np.float32], centroids: npt.NDArray[np.float32], metric: str, seed: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return queries and lists that they are likely to open, as two arrays of places of equal length.

    Parameters
    ----------
    queries : (m, d) float32, prepared
    centroids : (L, d) float32, prepared
    metric : str
    seed : int
    """
    count = max(1, round(PROBED * len(centroids)))
    wanted = max(1, PAIRS // count)
    chosen = np.arange(len(queries))
    if len(queries) > wanted:
        chosen = np.sort(np.random.default_rng(seed).choice(len(queries), wanted, replace=False))
    scores = queries[chosen] @ centroids.T
    if metric == "euclidean":
        scores -= 0.5 * np.einsum("ij,ij->i", centroids, centroids)
    lists = np.argpartition(-scores, min(count, len(centroids)) - 1, axis=1)[:, :count]
    return np.repeat(chosen, lists.shape[1]), lists.ravel()


def _power(moment: npt.NDArray[np.float64], exponent: float) -> npt.NDArray[np.float64]:
    values, vectors = np.linalg.eigh(moment)
    values = np.maximum(values, max(FLOOR * float(values.mean()), 1e-30))
    return np.asarray((vectors * values**exponent) @ vectors.T)


def _dealt(variances: npt.NDArray[np.float64], parts: int, width: int) -> npt.NDArray[np.int64]:
    # Coordinates by falling variance, each to the part that has the fewest, then the least, so far.
    filled, weight = np.zeros(parts, dtype=np.int64), np.zeros(parts)
    places = np.empty(parts * width, dtype=np.int64)
    for coordinate, variance in enumerate(variances[: parts * width]):
        part = int(np.lexsort((weight, filled))[0])
        places[part * width + filled[part]] = coordinate
        filled[part] += 1
        weight[part] += np.log(max(float(variance), 1e-30))
    return places


def second_moment(blocks: Iterable[npt.NDArray[np.float32]], dimension: int) -> npt.NDArray[np.float64]:
    """Return the mean of xxᵀ (d, d) over the rows x of all blocks (·, d), which need not be in memory together."""
    moment, count = np.zeros((dimension, dimension)), 0
    for block in blocks:
        exact = block.astype(np.float64)
        moment += exact.T @ exact
        count += len(block)
    return moment / max(1, count)


def query_space(
    differences: npt.NDArray[np.float64], residuals: npt.NDArray[np.float64], parts: int, width: int
) -> QuerySpace:
    """Return the space in which squared error is the error that queries see.

    Parameters
    ----------
    differences : (d, d) float64
        Second moment S of q - αc, for queries and lists that they open.
    residuals : (d, d) float64
        Second moment of the vectors' residuals.
    parts, width : int
        M sub-quantisers of w coordinates each: d' = M·w. Fewer than d drops the coordinates of least variance; more
        are filled with zeros.
    """
    dimension = len(residuals)
    # Of unit scale, so that mapped vectors are as long as they were: squares of longer ones would leave float32.
    moment = differences / (float(np.trace(differences)) / dimension or 1.0)
    root, inverse = _power(moment, 0.5), _power(moment, -0.5)
    variances, vectors = np.linalg.eigh(root @ residuals @ root)
    order = np.argsort(-variances)
    variances, vectors = variances[order], vectors[:, order]
    missing = max(0, parts * width - dimension)
    vectors = np.pad(vectors, ((0, 0), (0, missing)))[:, _dealt(np.pad(variances, (0, missing)), parts, width)]
    return QuerySpace(
        np.ascontiguousarray((root @ vectors).T, dtype=np.float32),
        np.ascontiguousarray((inverse @ vectors).T, dtype=np.float32),
    )
