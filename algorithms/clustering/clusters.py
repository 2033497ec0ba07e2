"""What a clustering is and what it returns: a partition of the training rows, one vector standing for each list.

A new clustering is one new file in this folder and its name in `algorithms/registry.py`. What several of them need
stands here: the assignment of rows to the vectors, and the walk through the finished lists.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import Field, dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from ..kernels.nearest import nearest
from ..kernels.panels import group_rows, make_panels
from ..kernels.space import Space, identity, prepare
from ..progress import Progress, silent
from ..rows import positive

_OF_THE_ROOT = re.compile(r"(\d+(\.\d+)?)? ?√n")
ROWS_PER_BLOCK = 8192  # of a list, prepared at a time


@dataclass(frozen=True, slots=True)
class Clusters:
    """A partition of the training rows.

    Attributes
    ----------
    centroids : (L, d) float32
        What rows were compared with, in the prepared space (see `kernels.space`): means, unit vectors or rows,
        by clustering.
    assignment : (n,) int32
        The list of each row.
    objective : tuple of float
        What the clustering optimises, in its own unit, over the rows that its iterations saw: at the start of
        each iteration and at the end.
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
        """Return mean, coefficient of variation, largest, empty, 0th to 100th percentile: how even the lists are."""
        sizes = self.sizes
        mean = float(sizes.mean())
        return {
            "list_size_mean": mean,
            "list_size_variation": float(sizes.std() / mean) if mean else 0.0,
            "list_size_largest": int(sizes.max()),
            "lists_empty": int((sizes == 0).sum()),
            "list_size_percentiles": [float(size) for size in np.percentile(sizes, np.arange(101))],
        }

    def members(self) -> Iterator[npt.NDArray[np.int64]]:
        """Yield the rows of each list, ascending, list after list."""
        order, offsets = group_rows(self.assignment, len(self.centroids))
        for first, last in itertools.pairwise(offsets):
            yield order[first:last]

    def means(self, rows: npt.NDArray[np.float32], space: Space) -> npt.NDArray[np.float32]:
        """Return the empirical mean of each list, (L, d) float32, in the prepared space.

        They differ from the centroids: those are the means of a sample, from before the last assignment, and of
        other clusterings no means at all. An empty list keeps its centroid.

        Parameters
        ----------
        rows : (n, d) float32
            As given; each is read once and summed in float64.
        space : Space
        """
        means = self.centroids.copy()
        for i, members in enumerate(self.members()):
            if len(members):
                blocks = prepared_blocks(rows, members, space)
                means[i] = sum(block.sum(axis=0, dtype=np.float64) for block in blocks) / len(members)
        return means


class Clustering(Protocol):
    """A way to partition, before it has seen any rows: a frozen dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def lists(self) -> int | str | None:
        """L; None: √n rounded."""

    def cluster(
        self,
        rows: npt.NDArray[np.float32],
        space: Space,
        *,
        seed: int = 0,
        threads: int = 1,
        progress: Progress = silent,
    ) -> Clusters:
        """Partition the rows (n, d) float32, as given; the result does not depend on the threads."""


def checked_lists(lists: int | str | None, name: str) -> None:
    """Refuse a number of lists that is none.

    Raises
    ------
    ValueError
        One line that names the field.
    """
    if isinstance(lists, str):
        if not _OF_THE_ROOT.fullmatch(lists) or not float(lists.rstrip("√n ") or 1) > 0:
            raise ValueError(
                f"{name}: found {lists!r}, expected an integer of at least 1, or a multiple of √n such as '2√n'"
            )
    elif lists is not None:
        positive(lists, name)


def number_of_lists(lists: int | str | None, count: int) -> int:
    """Return L for `count` rows: as asked ("2√n" is twice the root), √count by default, never more than rows."""
    if isinstance(lists, int | np.integer):
        return min(int(lists), count)
    times = float((lists or "").rstrip("√n ") or 1)
    return int(min(max(1, round(times * count**0.5)), count))


def prepared_blocks(
    rows: npt.NDArray[np.float32], members: npt.NDArray[np.int64], space: Space
) -> Iterator[npt.NDArray[np.float32]]:
    """Yield the rows of one list prepared, (at most 8192, d) float32 at a time: a list may hold most of the rows."""
    for start in range(0, len(members), ROWS_PER_BLOCK):
        yield prepare(rows[members[start : start + ROWS_PER_BLOCK]], space, in_place=True)


def nearest_centroids(
    rows: npt.NDArray[np.float32],
    space: Space,
    centroids: npt.NDArray[np.float32],
    threads: int = 1,
    *,
    squared: bool = True,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Return for each row its nearest centroid, in the prepared space.

    Parameters
    ----------
    rows : (n, d) float32
        As given.
    space : Space
    centroids : (L, d) float32
        Prepared.
    threads : int
    squared : bool
        Nearest by euclidean distance; False: of largest inner product.

    Returns
    -------
    assignment : (n,) int32
        Ties go to the lower list.
    scores : (n,) float32
        ½‖c‖² - ⟨x, c⟩, which is half the squared distance less ½‖x‖²; or -⟨x, c⟩.
    """
    panels = make_panels(centroids, identity(centroids.shape[1]), squared=squared, threads=threads)
    slots, scores = nearest(panels, rows, space, 1, threads)
    return slots[:, 0], scores[:, 0]
