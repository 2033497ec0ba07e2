"""The usual router: compare the query with the centroid of each list."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..value import Value
from .linear import linear_routes
from .manhattan import manhattan_routes
from .router import Fitted, Fitting

BY_METRIC = {
    "euclidean": "euclidean",
    "angular": "normalised",
    "normalized": "normalised",
    "ip": "inner product",
    "manhattan": "manhattan",
}
LINEAR_SCORINGS = ("inner product", "normalised", "euclidean")
SCORINGS = (*LINEAR_SCORINGS, "manhattan")


def linear_scoring(metric: str) -> str:
    """Return the scoring of a metric, or under manhattan euclidean: -‖q - μ‖₁ is no linear function of q."""
    return "euclidean" if metric == "manhattan" else BY_METRIC[metric]


def normalised(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return rows (n, d) of length 1; zero rows stay zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def routing_vectors(
    centroids: npt.NDArray[np.float32], scoring: str
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return vectors (m, d) and constants (m,) whose ⟨q, vector⟩ + constant is the score of each centroid (m, d).

    Constants are 0, or -½‖c‖² where `scoring` is ``euclidean``.
    """
    if scoring == "normalised":
        centroids = normalised(centroids)
    squares = np.einsum("ij,ij->i", centroids, centroids, dtype=np.float64)
    constants = -0.5 * squares if scoring == "euclidean" else np.zeros(len(centroids))
    return centroids, constants.astype(np.float32)


@dataclass(frozen=True, slots=True, repr=False)
class Centroid(Value):
    """Route by the centroids μ of the lists.

    Parameters
    ----------
    scoring : str, optional
        ``inner product``: ⟨q, μ⟩; ``normalised``: ⟨q, μ/‖μ‖⟩, the strong baseline of Bruch et al., arXiv
        2405.12207; ``euclidean``: -‖q - μ‖; ``manhattan``: -‖q - μ‖₁. By default what suits the metric: euclidean
        for euclidean, normalised for angular and normalized, inner product for ip, manhattan for manhattan.
    """

    scoring: str | None = None

    def __post_init__(self) -> None:
        if self.scoring is not None and self.scoring not in SCORINGS:
            raise ValueError(f"Centroid.scoring: found {self.scoring!r}, expected one of {', '.join(SCORINGS)}")

    @property
    def linear(self) -> bool:
        """One representative for each list, but for manhattan scoring, which looks at signs."""
        return self.scoring != "manhattan"

    @property
    def learns(self) -> bool:
        """No training queries needed."""
        return False

    def resolve(self, metric: str) -> "Centroid":
        """Return the router with its scoring spelled out."""
        return replace(self, scoring=self.scoring or BY_METRIC[metric])

    def representatives(self, fitting: Fitting) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return what the router compares queries with, as far as a linear score can say it.

        Returns
        -------
        representatives : (L, d) float32
        constants : (L,) float32
            A list's score is ⟨q, representative⟩ + constant, higher is better: 0, or -½‖μ‖² under euclidean
            scoring, which here stands in for manhattan scoring too.
        """
        scoring = self.scoring if self.scoring in LINEAR_SCORINGS else linear_scoring(fitting.metric)
        return routing_vectors(fitting.clusters.centroids, scoring)

    def fit(self, fitting: Fitting) -> Fitted:
        """Lay the centroids out for routing."""
        if self.resolve(fitting.metric).scoring == "manhattan":
            return Fitted(manhattan_routes(fitting.clusters.centroids, fitting.space))
        representatives, constants = self.representatives(fitting)
        return Fitted(linear_routes(representatives, constants, fitting.space))
