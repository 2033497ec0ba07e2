"""ScaNN's centroids: the vector that keeps the large inner products of its rows, rather than the one nearest to them.

Guo et al., "Accelerating Large-Scale Inference with Anisotropic Vector Quantization", ICML 2020, arXiv 1908.10396. A
query that matters to x points the way x does, so an error of the centroid c along x costs more than one across it:

    Σ h∥ ‖r∥(x)‖² + h⊥ ‖r⊥(x)‖²,    r = x - c, r∥ its part along x.

Setting the gradient to zero and T = h⊥/h∥ gives

    c = (T n I + (1 - T) Σ x xᵀ/‖x‖²)⁻¹ Σ x.

With T = 1 that is the mean; with smaller T about the mean's direction, but longer. The code published with the optimist
(arXiv 2405.12207) adds the scalar ‖x‖² to every entry of the matrix where x xᵀ belongs, so its figures for this router
need measuring again; this is the formula above.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..clustering.clusters import prepared_blocks
from ..kernels.space import DISTANCES
from ..value import Value
from .centroid import routing_vectors
from .linear import linear_routes
from .router import Fitted, Fitting


def anisotropic_centroid(blocks: Iterable[npt.NDArray[np.float32]], dimension: int, ratio: float) -> npt.NDArray[Any]:
    """Return c of one list.

    Parameters
    ----------
    blocks : iterable of (b, d) float32
        The list's rows, prepared; at least one in all. A zero row has no direction: all of its error is across.
    dimension : int
        d.
    ratio : float
        T, above 0.

    Returns
    -------
    (d,) float64
    """
    count, total, directions = 0, np.zeros(dimension), np.zeros((dimension, dimension))
    for block in blocks:
        rows = block.astype(np.float64)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        units = rows / np.where(lengths > 0, lengths, 1.0)
        count += len(rows)
        total += rows.sum(axis=0)
        directions += units.T @ units
    matrix = (1.0 - ratio) * directions + ratio * count * np.eye(dimension)
    return np.linalg.solve(matrix, total)


@dataclass(frozen=True, slots=True, repr=False)
class Anisotropic(Value):
    """Route by ⟨q, c⟩, c the anisotropic centroid of each list.

    Parameters
    ----------
    ratio : float
        T = h⊥/h∥ in (0, 1]: what an error across a row costs beside one along it. 1 is the mean. For rows of length 1
        and a threshold t, above which an inner product matters, Guo et al. (theorem 3.3 and its limit) give
        1/T = (d - 1) · t²/(1 - t²); 0.5 is what the optimist's authors compare with.

    Notes
    -----
    c is not normalised: that it is longer than the mean where rows differ is the point. The loss is about inner
    products. Under the euclidean metric c is reckoned in the centred space and taken as a centroid is: the score is
    ⟨q, c⟩ - ½‖c‖², which is ½‖q‖² - ½‖q - c‖².
    """

    ratio: float = 0.5

    def __post_init__(self) -> None:
        if not 0.0 < self.ratio <= 1.0:
            raise ValueError(f"Anisotropic.ratio: found {self.ratio!r}, expected a number above 0, at most 1")

    @property
    def linear(self) -> bool:
        """One representative for each list."""
        return True

    @property
    def learns(self) -> bool:
        """No training queries needed."""
        return False

    def resolve(self, metric: str) -> "Anisotropic":
        """Nothing depends on the metric."""
        return self

    def fit(self, fitting: Fitting) -> Fitted:
        """Solve for each list's vector; an empty list keeps its centroid."""
        centroids = fitting.clusters.centroids.copy()
        for i, members in enumerate(fitting.clusters.members()):
            if len(members):
                blocks = prepared_blocks(fitting.rows, members, fitting.space)
                centroids[i] = anisotropic_centroid(blocks, centroids.shape[1], self.ratio)
            fitting.progress("router", i + 1, len(centroids), "anisotropic centroids")
        scoring = "euclidean" if fitting.metric in DISTANCES else "inner product"
        return Fitted(linear_routes(*routing_vectors(centroids, scoring), fitting.space))
