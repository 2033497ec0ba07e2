"""Float32 scores that rank like the distance, and how wrong they can be.

A brute-force search wants one matrix product and no more. Each metric but manhattan, which `differences` sums pair by
pair, is brought to "score = scale · ⟨x, prepared query⟩ + offset, smaller is nearer", and beside it stands a bound on
the rounding error of every score of a query. The bound is what lets `truth` prove that nothing nearer was dropped: a
dot product of d float32 numbers is wrong by at most about d · 2⁻²⁴ · |x| · |q|, whatever the order of its additions
(Higham, Accuracy and Stability of Numerical Algorithms, section 3.1).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .differences import Differences

_ROWS = 8192  # rows turned into float64 at a time
_TINY, _HUGE = 1e-12, 1e12  # norms outside are left to float64: squares would leave float32's range


@dataclass(frozen=True, eq=False)
class Scores:
    """A database and queries prepared for scoring.

    Attributes
    ----------
    train
        (n, d) float32, as given.
    queries
        (q, d) float32, prepared.
    scale, offset
        (n,) float32 per database row, or None where the metric needs none.
    error
        (q,) float64, no score of the query is further than this from the exact one.
    shift
        (q,) float64, added to an exact score gives the distance (its square, where Euclidean).
    squared
        Whether score + shift is a squared distance.
    trustworthy
        False where norms are too extreme for float32 scores.
    """

    train: npt.NDArray[np.float32]
    queries: npt.NDArray[np.float32]
    scale: npt.NDArray[np.float32] | None
    offset: npt.NDArray[np.float32] | None
    error: npt.NDArray[np.float64]
    shift: npt.NDArray[np.float64]
    squared: bool
    trustworthy: bool

    def block(self, queries: slice, rows: slice) -> npt.NDArray[np.float32]:
        """Score some queries against some database rows: (queries, rows) float32."""
        scores: npt.NDArray[np.float32] = self.queries[queries] @ self.train[rows].T
        if self.scale is not None:
            scores *= self.scale[rows]
        if self.offset is not None:
            scores += self.offset[rows]
        return scores

    def limit(self, queries: slice, distances: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Give the score no row nearer than `distances` (one per query) can exceed: (queries,) float64."""
        exact = (np.square(distances) if self.squared else distances) - self.shift[queries]
        return np.asarray(exact + self.error[queries])


def prepare(train: npt.NDArray[np.float32], queries: npt.NDArray[np.float32], metric: str) -> Scores | Differences:
    """Bring a canonical metric to float32 scores.

    Parameters
    ----------
    train, queries
        (n, d) and (q, d) float32, C-contiguous.
    metric
        A canonical metric.

    Returns
    -------
    Scores or Differences
        With error bounds valid for this data.
    """
    lengths, widths = row_norms(train), row_norms(queries)
    trustworthy = _in_range(lengths, metric) and _in_range(widths, metric)
    if metric == "manhattan":
        return Differences(train, queries, trustworthy)
    if not trustworthy:
        nothing = np.full(len(queries), np.inf)
        return Scores(train, queries, None, None, nothing, np.zeros(len(queries)), False, False)
    longest = float(lengths.max(initial=0.0))
    unit = (train.shape[1] + 8) * 2.0**-23
    if metric == "angular":
        scale = -_inverse(lengths).astype(np.float32)
        directions = (queries * _inverse(widths)[:, None]).astype(np.float32)
        error, shift = np.full(len(queries), unit), np.ones(len(queries))
        return Scores(train, directions, scale, None, error, shift, False, True)
    if metric == "euclidean":
        error = 2 * unit * longest * widths + 2.0**-22 * longest**2
        offset = np.square(lengths).astype(np.float32)
        return Scores(train, queries * np.float32(-2), None, offset, error, widths**2, True, True)
    shift = np.full(len(queries), 1.0 if metric == "normalized" else 0.0)
    return Scores(train, -queries, None, None, unit * longest * widths, shift, False, True)


def row_norms(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Compute the length of each row in float64, a few thousand rows at a time: (n,) float64."""
    out = np.empty(len(rows))
    for start in range(0, len(rows), _ROWS):
        part = rows[start : start + _ROWS].astype(np.float64)
        out[start : start + _ROWS] = np.einsum("ij,ij->i", part, part)
    return np.sqrt(out, out=out)


def _inverse(norms: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)


def _in_range(norms: npt.NDArray[np.float64], metric: str) -> bool:
    seen = norms[norms > 0]
    if not seen.size:
        return True
    smallest = float(seen.min() if metric == "angular" else seen.max())
    return smallest >= _TINY and float(seen.max()) <= _HUGE
