"""Standard k-means: Lloyd's iterations on a sample, then every point to its nearest centroid.

Means and assignment are euclidean in the prepared space under every metric, manhattan included: there the lists serve
another distance than the one they were made by, as a common partition for all routers.

Assignment is the scan kernel with one neighbour to keep (`kernels.scan`), so it runs at the speed of the
search itself. Everything is deterministic for a seed at any number of threads: a row's nearest centroid does
not depend on its neighbours, ties go to the lower list, and each mean is summed by one thread in row order.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..kernels.bounds import reassign, start_bounds
from ..kernels.means import sum_of_squares, update_means
from ..kernels.nearest import nearest
from ..kernels.panels import group_rows, make_panels
from ..kernels.space import Space, identity, prepare
from ..kernels.vector import LANES
from ..progress import Progress, silent
from ..rows import positive
from ..value import Value


@dataclass(frozen=True, slots=True)
class Clusters:
    """A partition of the training rows.

    Attributes
    ----------
    centroids : (L, d) float32
        In the prepared space (see `kernels.space`).
    assignment : (n,) int32
        The list of each row.
    objective : tuple of float
        Sum of squared distances of the sample to the nearest centroid, at the start of each iteration and at
        the end.
    sampled : int
        Rows that the iterations saw.
    """

    centroids: npt.NDArray[np.float32]
    assignment: npt.NDArray[np.int32]
    objective: tuple[float, ...]
    sampled: int

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Rows of each list, (L,) int64."""
        return np.bincount(self.assignment, minlength=len(self.centroids)).astype(np.int64)

    def statistics(self) -> dict[str, Any]:
        """Return mean, coefficient of variation, largest and empty: how even the lists are."""
        sizes = self.sizes
        mean = float(sizes.mean())
        return {
            "list_size_mean": mean,
            "list_size_variation": float(sizes.std() / mean) if mean else 0.0,
            "list_size_largest": int(sizes.max()),
            "lists_empty": int((sizes == 0).sum()),
        }


def nearest_centroids(
    rows: npt.NDArray[np.float32], space: Space, centroids: npt.NDArray[np.float32], threads: int = 1
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Return for each row its nearest centroid by euclidean distance in the prepared space.

    Parameters
    ----------
    rows : (n, d) float32
        As given.
    space : Space
    centroids : (L, d) float32
        Prepared.
    threads : int

    Returns
    -------
    assignment : (n,) int32
        Ties go to the lower list.
    scores : (n,) float32
        ½‖c‖² - ⟨x, c⟩, which is half the squared distance less ½‖x‖².
    """
    panels = make_panels(centroids, identity(centroids.shape[1]), squared=True, threads=threads)
    slots, scores = nearest(panels, rows, space, 1, threads)
    return slots[:, 0], scores[:, 0]


def _farthest_points(
    rows: npt.NDArray[np.float32],
    order: npt.NDArray[np.int64],
    offsets: npt.NDArray[np.int64],
    centroids: npt.NDArray[np.float32],
) -> Iterator[npt.NDArray[np.float32]]:
    # Of each list, largest first, the point farthest from its centroid; none of a list whose points are all
    # the same.
    sizes = np.diff(offsets)
    for full in np.argsort(-sizes, kind="stable"):
        if sizes[full] < 2:
            return
        members = rows[order[offsets[full] : offsets[full + 1]]]
        distances = ((members - centroids[full]) ** 2).sum(axis=1)
        if distances.max() > 0:
            yield members[int(distances.argmax())]


def _split_largest(
    rows: npt.NDArray[np.float32],
    order: npt.NDArray[np.int64],
    offsets: npt.NDArray[np.int64],
    centroids: npt.NDArray[np.float32],
) -> None:
    # Each empty list takes over the farthest point of a large one. A list gives at most one point per
    # iteration, so that several empty lists draw on several large ones.
    empty_lists = np.flatnonzero(np.diff(offsets) == 0)
    points = _farthest_points(rows, order, offsets, centroids)
    for empty, point in zip(empty_lists, points, strict=False):
        centroids[empty] = point


# Centroids and how far each moved since the last call, to the list of each row and the objective.
Assign = Callable[[npt.NDArray[np.float32], npt.NDArray[np.float32]], tuple[npt.NDArray[np.int32], float]]


def _assigning(sample: npt.NDArray[np.float32], lists: int, threads: int) -> Assign:
    # With bounds, unless they would need more than half the memory of the sample.
    if -(-lists // LANES) <= sample.shape[1] / 2:
        bounds = start_bounds(sample, lists)

        def bounded(centroids: npt.NDArray[np.float32], moves: npt.NDArray[np.float32]) -> tuple[Any, float]:
            reassign(bounds, sample, centroids, moves, threads)
            return bounds.assignment, bounds.objective

        return bounded
    squares = sum_of_squares(sample, threads)

    def plain(centroids: npt.NDArray[np.float32], moves: npt.NDArray[np.float32]) -> tuple[Any, float]:
        assignment, scores = nearest_centroids(sample, identity(sample.shape[1]), centroids, threads)
        return assignment, squares + 2.0 * float(scores.sum(dtype=np.float64))

    return plain


def _iterate(
    sample: npt.NDArray[np.float32],
    centroids: npt.NDArray[np.float32],
    iterations: int,
    threads: int,
) -> Iterator[float]:
    # Lloyd's iterations on prepared rows; yields the objective before each update and once at the end.
    assign = _assigning(sample, len(centroids), threads)
    moves = np.zeros(len(centroids), dtype=np.float32)
    for _ in range(iterations):
        assignment, objective = assign(centroids, moves)
        yield objective
        order, offsets = group_rows(assignment, len(centroids))
        before = centroids.copy()
        update_means(sample, order, offsets, centroids, threads)
        _split_largest(sample, order, offsets, centroids)
        moves = np.linalg.norm(centroids - before, axis=1)
    yield assign(centroids, moves)[1]


@dataclass(frozen=True, slots=True, repr=False)
class KMeans(Value):
    """Standard k-means: squared euclidean assignment, plain means.

    Parameters
    ----------
    lists : int, optional
        L; by default √n rounded, set when the number of points is known. More lists than points are cut to n.
    iterations : int
        Lloyd iterations.
    sample_per_list : int
        The iterations see at most this many rows for each list, drawn without replacement.

    Notes
    -----
    "Standard" in Vecchiato et al., arXiv 2404.11731, section 4: Lloyd on a sample of the documents, random
    rows as the first centroids, empty lists split from the largest, all points assigned at the end.
    """

    lists: int | None = None
    iterations: int = 25
    sample_per_list: int = 256

    def __post_init__(self) -> None:
        if self.lists is not None:
            positive(self.lists, "KMeans.lists")
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
        count = len(rows)
        lists = min(self.lists or max(1, round(count**0.5)), count)
        generator = np.random.default_rng(seed)
        size = min(count, lists * self.sample_per_list)
        chosen = np.sort(generator.choice(count, size=size, replace=False))
        sample = prepare(rows[chosen], space, threads, in_place=True)  # one copy of the sample, never two
        centroids = sample[generator.choice(size, size=lists, replace=False)]
        objective = []
        for step, value in enumerate(_iterate(sample, centroids, self.iterations, threads)):
            objective.append(value)
            progress("k-means", step, self.iterations, f"objective {value:.6g}")
        del sample
        assignment, _ = nearest_centroids(rows, space, centroids, threads)
        return Clusters(centroids, assignment, tuple(objective), size)
