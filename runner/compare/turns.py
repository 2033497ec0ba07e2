"""Whose turn is it? ABBA, for three arms.

Machines drift, and whoever always goes second is always measured on another machine. Each order of the arms is
followed by its mirror image, which cancels a drift that is straight over the two; over six passes every arm has stood
everywhere equally often.
"""

from collections.abc import Sequence
from itertools import permutations

import numpy as np


def orders(arms: Sequence[str], count: int, seed: int) -> list[tuple[str, ...]]:
    """Return who goes first, second and third in each of `count` passes.

    Parameters
    ----------
    arms
        Names.
    count, seed
        Passes, and of the drawing: half of the orders are drawn, the others mirror them.
    """
    halves = [order for order in permutations(arms) if order <= order[::-1]]
    generator = np.random.default_rng(seed)
    found: list[tuple[str, ...]] = []
    while len(found) < count:
        for place in generator.permutation(len(halves)):
            flipped = bool(generator.integers(2))
            order = halves[place][::-1] if flipped else halves[place]
            found += [order, order[::-1]]
    return found[:count]
