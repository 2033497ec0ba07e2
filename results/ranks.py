"""Who is better over many datasets or queries, by ranks: Friedman's test, and Nemenyi's critical difference.

Each block (a dataset, a query) ranks the methods, 1 is best, ties share the mean of their ranks. Friedman's test asks
whether the mean ranks differ at all; two of them differ significantly when they are farther apart than the critical
difference.

Sources: J. Demšar, "Statistical Comparisons of Classifiers over Multiple Data Sets", Journal of Machine Learning
Research 7 (2006), section 3.2.2; the constants extend its table 5(a), and are quantiles of the studentised range with
infinitely many degrees of freedom over √2, as in tables of that distribution.
"""

import math
from dataclasses import dataclass

import pandas as pd

from .errors import ResultError

NEMENYI = (
    *(1.960, 2.344, 2.569, 2.728, 2.850, 2.948, 3.031, 3.102, 3.164),
    *(3.219, 3.268, 3.313, 3.354, 3.391, 3.426, 3.458, 3.489, 3.517, 3.544),
)
"""At the level of 0.05, for 2 to 20 methods."""
MOST = len(NEMENYI) + 1


@dataclass(frozen=True)
class Ranks:
    """Mean ranks by method, the best first; their critical difference, Friedman's p, and the number of blocks."""

    means: dict[str, float]
    critical_difference: float
    p: float
    blocks: int


def ranks(costs: pd.DataFrame) -> Ranks:
    """Compare methods over blocks.

    Parameters
    ----------
    costs
        (blocks, methods), less is better; a column for each method, no value missing.

    Raises
    ------
    ResultError
        Fewer than 2 methods or blocks, more than 20 methods, or a missing value.
    """
    blocks, methods = costs.shape
    if not 2 <= methods <= MOST or blocks < 2:
        expected = f"expected 2 to {MOST} methods and 2 blocks or more"
        raise ResultError(f"ranks: found {methods} methods and {blocks} blocks, {expected}")
    if costs.isna().any(axis=None):
        raise ResultError("ranks: found a missing value, expected every method in every block")
    table = costs.rank(axis=1)
    means = table.mean().sort_values(kind="stable")
    # Ties shrink what ranks can vary by; this form of the statistic allows for them (Conover 1999, section 5.8).
    spread = float((table**2).to_numpy().sum()) - blocks * methods * (methods + 1) ** 2 / 4.0
    between = blocks * blocks * float(((means - (methods + 1) / 2.0) ** 2).sum())
    statistic = (methods - 1) * between / spread if spread > 0 else 0.0
    width = NEMENYI[methods - 2] * math.sqrt(methods * (methods + 1) / (6.0 * blocks))
    return Ranks({str(name): float(mean) for name, mean in means.items()}, width, tail(statistic, methods - 1), blocks)


def tail(statistic: float, degrees: int) -> float:
    """Return the probability that a chi-squared variable of so many degrees of freedom exceeds a value.

    Its closed forms for even and for odd degrees (Abramowitz and Stegun, 26.4.4 and 26.4.5).
    """
    half = statistic / 2.0
    if degrees % 2 == 0:
        total = term = 1.0
        for place in range(1, degrees // 2):
            term *= half / place
            total += term
        return math.exp(-half) * total
    total, term = 0.0, math.sqrt(half) / math.gamma(1.5)
    for place in range(1, (degrees + 1) // 2):
        total += term
        term *= half / (place + 0.5)
    return math.erfc(math.sqrt(half)) + math.exp(-half) * total


def cliques(found: Ranks) -> list[tuple[float, float]]:
    """Return the first and last mean rank of each largest group without a significant difference, of two or more."""
    means = list(found.means.values())
    groups: list[tuple[float, float]] = []
    for place, first in enumerate(means):
        last = max(mean for mean in means[place:] if mean - first <= found.critical_difference)
        if last > first and (not groups or last > groups[-1][1]):
            groups.append((first, last))
    return groups
