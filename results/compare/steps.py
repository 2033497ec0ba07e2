"""Where does a series step? The fewest flat pieces that explain it, found exactly.

A series of medians: for every number of pieces, dynamic programming finds the cuts with the least sum of absolute
deviations; how many pieces there are is decided by the Bayesian information criterion for noise of Laplace's kind,
which heavy tails do not mislead. This is the Potts problem under the L1 norm, as benchmark histories pose it.

Sources: M. Storath, A. Weinmann and M. Unser, "Jump-penalized least absolute values estimation of scalar or
circle-valued signals", Information and Inference 2017; Y.-C. Yao, Statistics & Probability Letters 1988 (the criterion
for a number of steps). Symbols: n values.
"""

import itertools
import math
from dataclasses import dataclass

import numpy as np

from ..run import FloatArray64

SHORTEST = 3  # values of a piece: one odd run is no step
MOST = 12  # pieces
PENALTY = 4.0
"""Of each further piece, in units of log n: its level, its place, and that the place was searched for. In series
without a step, 15 or 40 values of normal or Laplace noise, it finds one in at most 5 %; the plain criterion, 2, in up
to 37 %."""
_FLOOR = 1e-4  # mean absolute deviation below which logarithms of times are equal


@dataclass(frozen=True)
class Step:
    """A place where the level changes.

    Attributes
    ----------
    place : int
        The first value of the new level.
    before, after : float
        Medians of the pieces on both sides.
    """

    place: int
    before: float
    after: float


def steps(values: FloatArray64) -> list[Step]:
    """Return the steps of a series of (n,) logarithms, in order."""
    cuts = _cuts(np.asarray(values, np.float64))
    edges = [0, *cuts, len(values)]
    levels = [float(np.median(values[start:end])) for start, end in itertools.pairwise(edges) if end > start]
    return [Step(cut, levels[piece], levels[piece + 1]) for piece, cut in enumerate(cuts)]


def _cuts(values: FloatArray64) -> list[int]:
    count = len(values)
    if count < 2 * SHORTEST:
        return []
    costs = _costs(values)
    most = min(MOST, count // SHORTEST)
    best = np.full((most + 1, count + 1), np.inf)
    came = np.zeros((most + 1, count + 1), np.int64)
    best[0, 0] = 0.0
    for pieces in range(1, most + 1):
        for end in range(pieces * SHORTEST, count + 1):
            starts = np.arange(end - SHORTEST + 1)
            total = best[pieces - 1, starts] + costs[starts, end]
            came[pieces, end] = int(total.argmin())
            best[pieces, end] = total[came[pieces, end]]
    chosen = min(range(1, most + 1), key=lambda pieces: _criterion(best[pieces, count], pieces, count))
    cuts, end = [], count
    for pieces in range(chosen, 1, -1):
        end = int(came[pieces, end])
        cuts.append(end)
    return cuts[::-1]


def _criterion(deviation: float, pieces: int, count: int) -> float:
    spread = max(deviation / count, _FLOOR)
    return 2.0 * count * math.log(spread) + PENALTY * (pieces - 1) * math.log(count)


def _costs(values: FloatArray64) -> FloatArray64:
    # Sum of absolute deviations from the median of values[start:end], (n, n + 1); infinite where it is too short.
    count = len(values)
    costs = np.full((count, count + 1), np.inf)
    for start in range(count):
        for end in range(start + SHORTEST, count + 1):
            piece = values[start:end]
            costs[start, end] = float(np.abs(piece - np.median(piece)).sum())
    return costs
