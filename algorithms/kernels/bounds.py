"""Assignment with bounds: the same nearest centroids, most of the distances never computed.

Between two iterations of k-means few centroids move far. By the triangle inequality a centroid that was far from a row
is still at least as far as before less its move, and needs no look as long as that exceeds the distance to the row's
own centroid. One bound is kept for each row and each panel of 16 centroids (the groups of Ding et al., "Yinyang
K-Means", ICML 2015; a panel is what one tile scores at once). Only rows whose bound has fallen are scored again.

Distances are true, not squared, as the triangle inequality asks. Every row is treated on its own, so the result does
not depend on threads. Measured over 25 iterations, assignment takes half the time (wordnet, 328 lists; SIFT, 447).

Symbols: n rows, d dimension, L centroids, P panels of centroids.
"""

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from .compile import kernel, numba_threads, parallel_kernel
from .panels import Panels, make_panels
from .space import identity
from .vector import QUERIES_PER_TILE, smallest, tile_of_one_panel

# Rows that a thread takes through all panels before it goes on: they stay in its second-level cache meanwhile.
ROWS_PER_BLOCK = 512
# A float32 sum of products of d terms is off by some √d half-units in the last place of ‖x‖² + ‖c‖².
ROUNDING = 4e-6


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is known about each row; changed in place.

    Attributes
    ----------
    assignment : (n,) int32
        The row's centroid.
    distance : (n,) float32
        To that centroid, true and up to date after `reassign`.
    others : (n, P) float32
        No other centroid of the panel is nearer than this.
    squares : (n,) float32
        Squared length of the row.
    """

    assignment: npt.NDArray[np.int32]
    distance: npt.NDArray[np.float32]
    others: npt.NDArray[np.float32]
    squares: npt.NDArray[np.float32]

    @property
    def objective(self) -> float:
        """Sum of squared distances, in float64."""
        return float(np.square(self.distance, dtype=np.float64).sum())


@kernel
def _own_distance(row, centroid):  # type: ignore[no-untyped-def]
    total = np.float32(0.0)
    for j in range(row.shape[0]):
        difference = row[j] - centroid[j]
        total += difference * difference
    return np.sqrt(total)


@kernel
def _at_least(score, square, slack):  # type: ignore[no-untyped-def]
    # From ½‖c‖² - ⟨x, c⟩ and ‖x‖² to a distance that ‖x - c‖ does not fall below, for all the rounding of the score.
    return np.sqrt(max(np.float32(0.0), square + np.float32(2.0) * score - slack))


@kernel
def _look(scores, i, panel, row, rows, centroids, slack, assignment, distance, others, squares):  # type: ignore[no-untyped-def]
    # What 16 fresh scores say about a row: perhaps a nearer centroid, and a new bound for the panel.
    floor = np.float32(np.inf)  # nearest of the panel's centroids that were measured and are not the row's own
    own = np.int64(assignment[row]) - panel * 16
    if 0 <= own < 16:
        scores[i, own] = np.inf
    while True:
        least = smallest(scores, i, 0)
        bound = _at_least(least, squares[row], slack)
        before = distance[row]
        if not bound <= before or not least < np.inf:
            others[row, panel] = min(floor, bound)
            return
        # It may be nearer: measured as the row's own distance was, and struck out.
        lane = 0
        while scores[i, lane] != least:
            lane += 1
        scores[i, lane] = np.inf
        chosen = panel * 16 + lane
        measured = _own_distance(rows[row], centroids[chosen])
        if measured < before or (measured == before and chosen < assignment[row]):  # ties go to the lower centroid
            home = assignment[row] // 16
            if home == panel:
                floor = min(floor, before)
            else:
                others[row, home] = min(others[row, home], before)
            assignment[row] = chosen
            distance[row] = measured
        else:
            floor = min(floor, measured)


@kernel
def _reassign_block(values, bias, rows, centroids, moves, slack, first, last, assignment, distance, others, squares):  # type: ignore[no-untyped-def]
    # Rows first to last - 1. moves (P,): the farthest move in each panel. slack: what rounding may add to a square.
    panels = values.shape[0]
    members = np.empty(last - first, dtype=np.int64)
    picks = np.empty(QUERIES_PER_TILE, dtype=np.int64)
    scores = np.empty((QUERIES_PER_TILE, 16), dtype=np.float32)
    for row in range(first, last):
        distance[row] = _own_distance(rows[row], centroids[assignment[row]])
    for panel in range(panels):
        count = 0
        for row in range(first, last):
            bound = others[row, panel] - moves[panel]
            others[row, panel] = bound
            if bound <= distance[row]:
                members[count] = row
                count += 1
        for start in range(0, count, QUERIES_PER_TILE):
            here = min(QUERIES_PER_TILE, count - start)
            for i in range(QUERIES_PER_TILE):
                picks[i] = members[start + min(i, here - 1)]
            tile_of_one_panel(values, bias, panel, rows, picks, scores)
            for i in range(here):
                _look(scores, i, panel, picks[i], rows, centroids, slack, assignment, distance, others, squares)


@parallel_kernel
def _reassign(values, bias, rows, centroids, moves, slack, assignment, distance, others, squares, blocks):  # type: ignore[no-untyped-def]
    # blocks (b + 1,) int64. Iteration i owns the rows of block i.
    for i in numba.prange(blocks.shape[0] - 1):
        _reassign_block(
            values, bias, rows, centroids, moves, slack, blocks[i], blocks[i + 1],
            assignment, distance, others, squares,
        )  # fmt: skip


def start_bounds(rows: npt.NDArray[np.float32], lists: int) -> Bounds:
    """Return bounds that know nothing: every row with centroid 0, every panel to be looked at.

    Parameters
    ----------
    rows : (n, d) float32
        Prepared.
    lists : int
        L.
    """
    count, panels = len(rows), -(-lists // 16)
    return Bounds(
        np.zeros(count, dtype=np.int32),
        np.zeros(count, dtype=np.float32),
        np.full((count, panels), -np.inf, dtype=np.float32),
        np.einsum("ij,ij->i", rows, rows),
    )


def reassign(
    bounds: Bounds,
    rows: npt.NDArray[np.float32],
    centroids: npt.NDArray[np.float32],
    moves: npt.NDArray[np.float32],
    threads: int = 1,
) -> None:
    """Bring the bounds up to date after the centroids moved.

    Parameters
    ----------
    bounds : Bounds
        Changed in place.
    rows : (n, d) float32
        Prepared, C-contiguous.
    centroids : (L, d) float32
        Where they are now.
    moves : (L,) float32
        How far each moved since the last call.
    threads : int
        The result does not depend on it.
    """
    panels: Panels = make_panels(centroids, identity(centroids.shape[1]), squared=True, threads=threads)
    padded = np.zeros(16 * len(panels.values), dtype=np.float32)
    padded[: len(moves)] = moves
    # Rounding must never hide a nearer centroid: moves are taken a little longer, bounds a little lower.
    farthest = padded.reshape(-1, 16).max(axis=1) * np.float32(1 + 1e-5)
    longest = float(np.einsum("ij,ij->i", centroids, centroids).max()) + float(bounds.squares.max())
    slack = np.float32(ROUNDING * longest)
    blocks = np.append(np.arange(0, len(rows), ROWS_PER_BLOCK), len(rows)).astype(np.int64)
    with numba_threads(threads):
        _reassign(
            panels.values, panels.bias, rows, centroids, farthest, slack,
            bounds.assignment, bounds.distance, bounds.others, bounds.squares, blocks,
        )  # fmt: skip
