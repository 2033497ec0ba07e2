"""Lloyd's iterations on a sample: what standard and spherical k-means share.

Assignment is the scan kernel with one neighbour to keep (`kernels.scan`), with bounds where they fit
(`kernels.bounds`), so it runs at the speed of the search itself. Everything is deterministic for a seed at any number
of threads: a row's nearest centroid does not depend on its neighbours, ties go to the lower list, and each mean is
summed by one thread in row order.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..kernels.bounds import reassign, start_bounds
from ..kernels.means import sum_of_squares, update_means
from ..kernels.panels import group_rows
from ..kernels.space import Space, identity, prepare
from ..kernels.vector import LANES
from .clusters import nearest_centroids

# Centroids and how far each moved since the last call, to the list of each row and the objective.
Assign = Callable[[npt.NDArray[np.float32], npt.NDArray[np.float32]], tuple[npt.NDArray[np.int32], float]]
# Centroids (L, d) just renewed and those from before, to the centroids of the next iteration.
Constrain = Callable[[npt.NDArray[np.float32], npt.NDArray[np.float32]], npt.NDArray[np.float32]]


class Step(NamedTuple):
    """Where rows belong before the centroids move.

    Attributes
    ----------
    objective : float
        The sum of squared distances to the nearest centroid.
    assignment : (n,) int32
        The nearest centroid of each row; overwritten by the next step.
    """

    objective: float
    assignment: npt.NDArray[np.int32]


def draw_sample(
    rows: npt.NDArray[np.float32], space: Space, lists: int, sample_per_list: int, seed: int, threads: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Draw what the iterations see, and random rows of it as the first centroids.

    Returns
    -------
    sample : (min(n, lists · sample_per_list), d) float32
        Prepared, in row order, without repetition.
    centroids : (lists, d) float32
    """
    generator = np.random.default_rng(seed)
    size = min(len(rows), lists * sample_per_list)
    chosen = np.sort(generator.choice(len(rows), size=size, replace=False))
    if size == len(rows):
        sample = prepare(rows, space, threads)
    else:
        sample = prepare(rows[chosen], space, threads, in_place=True)  # one copy of the sample, never two
    return sample, sample[generator.choice(size, size=lists, replace=False)]


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


def iterate(
    sample: npt.NDArray[np.float32],
    centroids: npt.NDArray[np.float32],
    iterations: int,
    threads: int,
    constrain: Constrain | None = None,
) -> Iterator[Step]:
    """Move the centroids, in place: rows to the nearest, then each to the mean of its rows.

    Parameters
    ----------
    sample : (n, d) float32
        Prepared.
    centroids : (L, d) float32
        Changed in place. One without rows takes over the point of a large list that is farthest from its mean.
    iterations : int
    threads : int
        The result does not depend on it.
    constrain : callable, optional
        Brings the renewed centroids back to where they are allowed to be.

    Yields
    ------
    Step
        Before each move, and once at the end.
    """
    assign = _assigning(sample, len(centroids), threads)
    moves = np.zeros(len(centroids), dtype=np.float32)
    for _ in range(iterations):
        assignment, objective = assign(centroids, moves)
        yield Step(objective, assignment)
        order, offsets = group_rows(assignment, len(centroids))
        before = centroids.copy()
        update_means(sample, order, offsets, centroids, threads)
        _split_largest(sample, order, offsets, centroids)
        if constrain is not None:
            centroids[:] = constrain(centroids, before)
        moves = np.linalg.norm(centroids - before, axis=1)
    assignment, objective = assign(centroids, moves)
    yield Step(objective, assignment)
