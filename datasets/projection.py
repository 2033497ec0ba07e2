"""Principal components of a database, and vectors with only so many of them.

The components are those of the database alone: no test query and no training query has a say, as none has when an
index is built. Which components depends on what the metric can see:

- ip, normalized: eigenvectors of the second moment XᵀX/n, nothing subtracted. Among all subspaces of D
  dimensions theirs keeps the most of Σ‖x‖² (Eckart and Young, Psychometrika 1936), and inner products with
  what is kept are unchanged. Subtracting the mean from x and q would change ⟨q, x⟩ by more than a constant per query.
- angular, and whenever vectors are brought to unit length afterwards: the second moment of x/‖x‖, since lengths do
  not count and long vectors must not have the say.
- euclidean (and every other metric that only sees differences): eigenvectors of the covariance, and the mean is
  subtracted from all vectors. Distances do not notice a shift; the second moment would spend its first component on it.

One linear map serves database, test and training queries.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .blocks import aligned

_ROWS = 8192  # rows in float64 at a time
_SEES_ORIGIN = ("ip", "normalized", "angular")

_Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Projection:
    """A linear map to fewer dimensions.

    Attributes
    ----------
    mean
        (d,) float64, subtracted first; zeros where the metric forbids it.
    components
        (d, D) float64, orthonormal columns, the strongest first.
    centred
        Whether the mean was subtracted.
    kept
        Share of the second moment (of the variance, where centred) within the components, 0 .. 1.
    """

    mean: npt.NDArray[np.float64]
    components: npt.NDArray[np.float64]
    centred: bool
    kept: float

    def __call__(self, rows: _Matrix) -> _Matrix:
        """Project (m, d) float32 rows: (m, D) float32."""
        out = aligned((len(rows), self.components.shape[1]))
        for start, block in _blocks(rows):
            out[start : start + len(block)] = (block - self.mean) @ self.components
        return out


def principal_projection(train: _Matrix, dimension: int, metric: str, normalise: bool) -> Projection:
    """Find the leading principal components of a database.

    Parameters
    ----------
    train
        (n, d) float32.
    dimension
        How many to keep, 1 .. d; beyond the rank of the data the further ones are arbitrary.
    metric
        The canonical metric that vectors will be compared by.
    normalise
        Whether vectors will be brought to unit length afterwards.

    Returns
    -------
    Projection
        Deterministic: each component's largest coordinate is positive.
    """
    directions = normalise or metric == "angular"
    centred = metric not in _SEES_ORIGIN and not directions
    mean = _mean(train) if centred else np.zeros(train.shape[1])
    strengths, vectors = np.linalg.eigh(_moment(train, mean, directions))
    order = np.argsort(-strengths, kind="stable")[:dimension]
    components = vectors[:, order]
    largest = np.abs(components).argmax(axis=0)
    components = components * np.where(components[largest, np.arange(len(order))] < 0, -1.0, 1.0)
    total = float(strengths.sum())
    kept = float(strengths[order].sum()) / total if total > 0 else 1.0
    return Projection(mean, np.ascontiguousarray(components), centred, min(1.0, kept))


def unit_length(rows: _Matrix) -> _Matrix:
    """Bring (m, d) float32 rows to length 1, computed in float64; rows of zeros stay."""
    out = aligned((len(rows), rows.shape[1]))
    for start, block in _blocks(rows):
        out[start : start + len(block)] = _directions(block)
    return out


def _mean(rows: _Matrix) -> npt.NDArray[np.float64]:
    total = np.zeros(rows.shape[1])
    for _, block in _blocks(rows):
        total += block.sum(axis=0)
    return np.asarray(total / len(rows))


def _moment(rows: _Matrix, mean: npt.NDArray[np.float64], directions: bool) -> npt.NDArray[np.float64]:
    moment: npt.NDArray[np.float64] = np.zeros((rows.shape[1], rows.shape[1]))
    for _, block in _blocks(rows):
        part = _directions(block) if directions else block - mean
        moment += part.T @ part
    moment /= len(rows)
    return moment


def _directions(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    return np.asarray(np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0))


def _blocks(rows: _Matrix) -> Iterator[tuple[int, npt.NDArray[np.float64]]]:
    for start in range(0, len(rows), _ROWS):
        yield start, rows[start : start + _ROWS].astype(np.float64)
