"""Spherical k-means: centroids of length 1, every point to the one of largest inner product."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..kernels.means import sum_of_squares
from ..kernels.space import Space
from ..progress import Progress, silent
from ..rows import positive
from ..value import Value
from .clusters import Clusters, checked_lists, nearest_centroids, number_of_lists
from .lloyd import draw_sample, iterate


def _of_length(
    vectors: npt.NDArray[np.float32], length: float, otherwise: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    # Vectors (L, d) scaled to one length; where there is no direction, those given in their place.
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    scaled = vectors * (length / np.where(lengths > 0, lengths, 1.0))
    return np.where(lengths > 0, scaled, otherwise).astype(np.float32)


def _iterate(
    sample: npt.NDArray[np.float32], centroids: npt.NDArray[np.float32], iterations: int, threads: int
) -> Iterator[float]:
    # Among centroids of one length the nearest is that of largest inner product, so Lloyd's iterations and their bounds
    # serve as they are. Their length meanwhile is the root mean square of the sample's: beside much longer or shorter
    # rows the products would drown in rounding. ‖x - ℓu‖² = ‖x‖² + ℓ² - 2ℓ⟨x, u⟩ gives the inner products back.
    squares = sum_of_squares(sample, threads)
    length = (squares / len(sample)) ** 0.5 or 1.0
    somewhere = np.eye(1, sample.shape[1], dtype=np.float32) * np.float32(length)  # a zero row has no direction
    centroids[:] = _of_length(centroids, length, somewhere)
    steps = iterate(sample, centroids, iterations, threads, lambda new, old: _of_length(new, length, old))
    for step in steps:
        yield (squares + len(sample) * length**2 - step.objective) / (2.0 * length)
    centroids[:] = _of_length(centroids, 1.0, centroids)


@dataclass(frozen=True, slots=True, repr=False)
class SphericalKMeans(Value):
    """Spherical k-means: assignment to argmax ⟨x, μ⟩, μ the mean of its rows divided by its length.

    Parameters
    ----------
    lists, iterations, sample_per_list
        As of `KMeans`.

    Notes
    -----
    "Spherical" in Vecchiato et al., arXiv 2404.11731, section 4; Dhillon and Modha, "Concept Decompositions for Large
    Sparse Text Data Using Clustering", Machine Learning 42 (2001). Sample, first centroids and empty lists are those of
    `KMeans`. The objective is the sum of inner products of the sample with the nearest centroid; it rises. Rows need
    not be of length 1: longer ones weigh more in a mean.

    Under the euclidean metric the rows are centred on their mean (`kernels.space`), and their directions are those seen
    from there: lists become cones around the middle of the data, with near and far points alike. That is allowed, and
    seldom a good idea.
    """

    lists: int | str | None = None
    iterations: int = 25
    sample_per_list: int = 256

    def __post_init__(self) -> None:
        checked_lists(self.lists, "SphericalKMeans.lists")
        positive(self.iterations, "SphericalKMeans.iterations")
        positive(self.sample_per_list, "SphericalKMeans.sample_per_list")

    def cluster(
        self,
        rows: npt.NDArray[np.float32],
        space: Space,
        *,
        seed: int = 0,
        threads: int = 1,
        progress: Progress = silent,
    ) -> Clusters:
        """Partition the rows (n, d) float32, as given; the centroids are of length 1, as used in the assignment."""
        lists = number_of_lists(self.lists, len(rows))
        sample, centroids = draw_sample(rows, space, lists, self.sample_per_list, seed, threads)
        sampled, objective = len(sample), []
        for step, value in enumerate(_iterate(sample, centroids, self.iterations, threads)):
            objective.append(value)
            progress("k-means", step, self.iterations, f"objective {value:.6g}")
        del sample
        assignment, _ = nearest_centroids(rows, space, centroids, threads, squared=False)
        return Clusters(centroids, assignment, tuple(objective), sampled)
