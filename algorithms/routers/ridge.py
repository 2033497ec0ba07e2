"""Ridge regression of many targets at once, with an intercept; the ridge chosen on rows held out.

One eigendecomposition of QᵀQ serves every ridge: (QᵀQ + aI)⁻¹ = V (Λ + a)⁻¹ Vᵀ.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

ROWS_PER_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Ridge:
    """A solution: targets ≈ weights · query + constants.

    Attributes
    ----------
    weights : (L, d) float64
    constants : (L,) float64
    ridge : float
        In units of the mean eigenvalue of QᵀQ.
    """

    weights: npt.NDArray[np.float64]
    constants: npt.NDArray[np.float64]
    ridge: float

    def squared_error(self, queries: npt.NDArray[np.float32], targets: npt.NDArray[np.float32]) -> float:
        """Return the mean squared error over queries (m, d) and targets (m, L)."""
        total = 0.0
        for start in range(0, len(queries), ROWS_PER_BLOCK):
            block = slice(start, start + ROWS_PER_BLOCK)
            total += float(np.square(queries[block] @ self.weights.T + self.constants - targets[block]).sum())
        return total / targets.size


@dataclass(frozen=True, slots=True)
class Decomposed:
    """What every ridge's solution is made of.

    Attributes
    ----------
    middle, target_middle : (d,), (L,) float64
        Means of queries and targets.
    eigenvalues : (d,) float64
    eigenvectors : (d, d) float64
        Of QᵀQ, Q less its mean.
    turned : (d, L) float64
        Vᵀ Qᵀ S.
    """

    middle: npt.NDArray[np.float64]
    target_middle: npt.NDArray[np.float64]
    eigenvalues: npt.NDArray[np.float64]
    eigenvectors: npt.NDArray[np.float64]
    turned: npt.NDArray[np.float64]

    def solve(self, ridge: float) -> Ridge:
        """Return the solution for a ridge; directions that no query has get no weight."""
        denominator = self.eigenvalues + ridge * float(self.eigenvalues.mean())
        inverse = np.where(denominator > 0, 1.0 / np.where(denominator > 0, denominator, 1.0), 0.0)
        weights = ((self.eigenvectors * inverse) @ self.turned).T
        return Ridge(weights, self.target_middle - weights @ self.middle, ridge)


def decompose(queries: npt.NDArray[np.float32], targets: npt.NDArray[np.float32]) -> Decomposed:
    """Take queries (m, d) and targets (m, L) apart, in float64, block by block."""
    middle, target_middle = (part.mean(axis=0, dtype=np.float64) for part in (queries, targets))
    gram = np.zeros((len(middle), len(middle)))
    mixed = np.zeros((len(middle), len(target_middle)))
    for start in range(0, len(queries), ROWS_PER_BLOCK):
        block = slice(start, start + ROWS_PER_BLOCK)
        centred = queries[block] - middle
        gram += centred.T @ centred
        mixed += centred.T @ (targets[block] - target_middle)
    eigenvalues, eigenvectors = np.linalg.eigh(gram)
    return Decomposed(middle, target_middle, eigenvalues.clip(min=0.0), eigenvectors, eigenvectors.T @ mixed)


def choose_ridge(
    queries: npt.NDArray[np.float32],
    targets: npt.NDArray[np.float32],
    training: npt.NDArray[np.int64],
    validation: npt.NDArray[np.int64],
    grid: Sequence[float],
) -> tuple[Ridge, dict[str, Any]]:
    """Solve over the training rows, with the ridge of smallest squared error on the validation rows.

    The validation rows are not solved over again: probing policies are calibrated on them.

    Parameters
    ----------
    queries : (m, d) float32
    targets : (m, L) float32
    training, validation : int64
        Rows of `queries`; the two parts do not meet.
    grid : sequence of float
        Ridges in units of the mean eigenvalue; of equal errors the first wins.

    Returns
    -------
    Ridge
    notes : dict
        The ridge, and of what is predicted on the validation part: the root mean squared error,
        that divided by the standard deviation of the targets around their lists' means, and how often the list of
        largest prediction is that of largest target.
    """
    parts = decompose(queries[training], targets[training])
    held_queries, held_targets = queries[validation], targets[validation]
    solutions = [parts.solve(ridge) for ridge in grid]
    errors = [solution.squared_error(held_queries, held_targets) for solution in solutions]
    best = int(np.argmin(errors))
    predicted = held_queries @ solutions[best].weights.T + solutions[best].constants
    spread = float(np.square(held_targets - parts.target_middle).mean())
    notes = {
        "ridge": grid[best],
        "validation_error": errors[best] ** 0.5,
        "validation_error_relative": (errors[best] / spread) ** 0.5 if spread > 0 else 0.0,
        "validation_accuracy": float((predicted.argmax(axis=1) == held_targets.argmax(axis=1)).mean()),
    }
    return solutions[best], notes
