"""Standard k-means: Lloyd's iterations on a sample (`lloyd`), then every point to its nearest centroid.

Means and assignment are euclidean in the prepared space under every metric, manhattan included: there the lists serve
another distance than the one they were made by, as a common partition for all routers.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..kernels.space import Space
from ..progress import Progress, silent
from ..rows import positive
from ..value import Value
from .clusters import Clusters, checked_lists, nearest_centroids, number_of_lists
from .lloyd import draw_sample, iterate


@dataclass(frozen=True, slots=True, repr=False)
class KMeans(Value):
    """Standard k-means: squared euclidean assignment, plain means.

    Parameters
    ----------
    lists : int or str, optional
        L, or a multiple of √n such as ``2√n``; by default √n rounded, set when the number of points is known. More
        lists than points are cut to n.
    iterations : int
        Lloyd iterations.
    sample_per_list : int
        The iterations see at most this many rows for each list, drawn without replacement.

    Notes
    -----
    "Standard" in Vecchiato et al., arXiv 2404.11731, section 4: Lloyd on a sample of the documents, random
    rows as the first centroids, empty lists split from the largest, all points assigned at the end. The objective is
    the sum of squared distances of the sample to the nearest centroid; it falls.
    """

    lists: int | str | None = None
    iterations: int = 25
    sample_per_list: int = 256

    def __post_init__(self) -> None:
        checked_lists(self.lists, "KMeans.lists")
        positive(self.iterations, "KMeans.iterations")
        positive(self.sample_per_list, "KMeans.sample_per_list")

    def cluster(
        self,
        rows: npt.NDArray[np.float32],
        space: Space,
        *,
        seed: int = 0,
        threads: int = 1,
        progress: Progress = silent,
    ) -> Clusters:
        """Partition the rows.

        Parameters
        ----------
        rows : (n, d) float32
            As given.
        space : Space
        seed : int
        threads : int
            The result does not depend on it.
        progress : callable

        Returns
        -------
        Clusters
        """
        lists = number_of_lists(self.lists, len(rows))
        sample, centroids = draw_sample(rows, space, lists, self.sample_per_list, seed, threads)
        sampled, objective = len(sample), []
        for number, step in enumerate(iterate(sample, centroids, self.iterations, threads)):
            objective.append(step.objective)
            progress("k-means", number, self.iterations, f"objective {step.objective:.6g}")
        assignment = step.assignment
        del sample
        if sampled < len(rows):
            assignment, _ = nearest_centroids(rows, space, centroids, threads)
        return Clusters(centroids, assignment, tuple(objective), sampled)
