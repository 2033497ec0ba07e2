"""When to stop opening lists, seen from inside the search: two rules over the running best k.

*Stable*: the best k no longer change. *Covered*: the ball around the query that reaches to the k-th best so far hardly
reaches into lists that are still closed. Both see the heap between two lists and nothing else.

Symbols: k neighbours, d dimension, L lists, p routed lists.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .centroid_distances import squared_distance
from .compile import kernel
from .heap import key_slot

STABLE, COVERED = 0, 1


class StopRule(NamedTuple):
    """What a search looks at after each list; `stable` and `covered` make them.

    Attributes
    ----------
    kind : int
        `STABLE` or `COVERED`.
    needed, patience : int
        Stable: so many of the best k must stay, for so many lists in a row.
    missed : float
        Covered: the part of the ball that may lie in closed lists.
    centroids : (L, d) float32
        Covered: prepared; no rows otherwise.
    caps : (steps + 1,) float64
        Covered: volume of the cap of a unit ball beyond the height i / steps, as a part of the ball.
    """

    kind: int
    needed: int
    patience: int
    missed: float
    centroids: npt.NDArray[np.float32]
    caps: npt.NDArray[np.float64]


def stable(needed: int, patience: int) -> StopRule:
    """Stop when `needed` of the best k stayed, for `patience` lists in a row."""
    return StopRule(STABLE, needed, patience, 0.0, np.empty((0, 1), dtype=np.float32), np.zeros(2))


def covered(missed: float, centroids: npt.NDArray[np.float32], caps: npt.NDArray[np.float64]) -> StopRule:
    """Stop when at most `missed` of the ball lies in closed lists."""
    return StopRule(COVERED, 0, 0, missed, centroids, caps)


@kernel
def kept_from_before(heaps, first, last):  # type: ignore[no-untyped-def]
    """Count the keys of heap 0 whose slot is not in [first, last), the slots of the list opened last.

    heaps (1, k) uint64
    """
    kept = 0
    for i in range(heaps.shape[1]):
        slot = key_slot(heaps[0, i])
        if slot >= 0 and not first <= slot < last:
            kept += 1
    return kept


@kernel
def fill_heights(query, centroids, lists, heights):  # type: ignore[no-untyped-def]
    """Measure how far the query is from the bisectors between the nearest centroid and every other one.

    query (d,) float32, prepared · lists (p,) int32, -1 for none · heights (p,) float64. Returns the place of the
    nearest centroid, whose height is +inf, as are those of -1; the place is -1 where there is none.
    """
    home = -1
    for j in range(lists.shape[0]):
        heights[j] = np.inf
        if lists[j] >= 0:
            heights[j] = squared_distance(query, centroids[lists[j]])
            if home < 0 or heights[j] < heights[home]:
                home = j
    if home < 0:
        return home
    nearest = heights[home]
    for j in range(lists.shape[0]):
        if lists[j] >= 0 and j != home:
            apart = np.sqrt(squared_distance(centroids[lists[home]], centroids[lists[j]]))
            heights[j] = (heights[j] - nearest) / (2.0 * apart) if apart > 0.0 else 0.0
    heights[home] = np.inf
    return home


@kernel
def _cap(caps, height):  # type: ignore[no-untyped-def]
    # Between two entries of the table; heights of 1 and more cut nothing off.
    steps = caps.shape[0] - 1
    if not height < 1.0:
        return 0.0
    place = int(height * steps)
    part = height * steps - place
    return caps[place] * (1.0 - part) + caps[place + 1] * part


@kernel
def closed_part(heights, home, opened, radius, caps):  # type: ignore[no-untyped-def]
    """Estimate the part of the neighbours that closed lists hold, when the first `opened` of p lists are open.

    heights (p,) float64 of `fill_heights` · caps (steps + 1,) float64. With v the cap volumes, normalised to the sum 1,
    the list of the nearest centroid holds Π (1 - v_j) and list j holds what that leaves, in proportion to v_j. As long
    as that first list is closed, everything is.
    """
    if opened <= home:
        return 1.0
    total, closed = 0.0, 0.0
    for j in range(heights.shape[0]):
        volume = _cap(caps, heights[j] / radius) if radius > 0.0 else 0.0
        total += volume
        if j >= opened:
            closed += volume
    if closed <= 0.0:
        return 0.0
    at_home = 1.0
    for j in range(heights.shape[0]):
        at_home *= 1.0 - _cap(caps, heights[j] / radius) / total
    return (1.0 - at_home) * closed / total
