"""Shallow clustering: random rows stand for the lists, and nothing is iterated."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..kernels.space import Space, prepare
from ..progress import Progress, silent
from ..value import Value
from .clusters import Clusters, checked_lists, nearest_centroids, number_of_lists


@dataclass(frozen=True, slots=True, repr=False)
class Shallow(Value):
    """L random rows are the representatives; every row goes to the one of largest inner product.

    Parameters
    ----------
    lists : int or str, optional
        L, or a multiple of √n such as ``2√n``; by default √n rounded. More lists than points are cut to n.

    Notes
    -----
    "Shallow" in Vecchiato et al., arXiv 2404.11731, section 4; the scheme that Chierichetti et al., "Finding Near
    Neighbors Through Cluster Pruning", PODS 2007, analyse. The objective is the sum of inner products of all rows with
    their representatives; no iterations means no rows seen by any.

    Where rows differ in length, long representatives draw most of the rows, often those of others: lists are uneven and
    some stay empty. Under the euclidean metric rows are centred on their mean (`kernels.space`) and the largest inner
    product then prefers representatives far out; the clustering runs there, as a curiosity.
    """

    lists: int | str | None = None

    def __post_init__(self) -> None:
        checked_lists(self.lists, "Shallow.lists")

    def cluster(
        self,
        rows: npt.NDArray[np.float32],
        space: Space,
        *,
        seed: int = 0,
        threads: int = 1,
        progress: Progress = silent,
    ) -> Clusters:
        """Partition the rows (n, d) float32, as given; the centroids are the chosen rows, prepared, in row order."""
        lists = number_of_lists(self.lists, len(rows))
        progress("k-means", 0, 1, "random representatives")
        chosen = np.sort(np.random.default_rng(seed).choice(len(rows), size=lists, replace=False))
        centroids = prepare(rows[chosen], space, threads, in_place=True)
        assignment, scores = nearest_centroids(rows, space, centroids, threads, squared=False)
        objective = -float(scores.sum(dtype=np.float64))
        progress("k-means", 1, 1, f"objective {objective:.6g}")
        return Clusters(centroids, assignment, (objective,), 0)
