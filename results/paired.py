"""Is the difference between two methods more than luck? A bootstrap over queries and seeds, in pairs.

Two routers are asked the same queries, and built with the same seeds, so their accuracies go up and down together:
what is resampled is the difference. A result should hold for other queries and other seeds, hence both are drawn
with replacement, the seeds first and then one set of queries for all of them (all seeds are asked the same queries,
so that drawing them apart for each seed would make the mean look steadier than it is).

Counts of a resample are weights, and a weighted mean over queries is a matrix product: all comparisons of a report
are resampled at once. A few seeds say little of their own spread: with three, the part of it in the interval is two
thirds of what it should be.

Sources: B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap, chapters 13 (percentile interval) and 16;
A. C. Davison and D. V. Hinkley, Bootstrap Methods and their Application, section 4.2.2 (the + 1 in a p-value).

Symbols: q queries, s seeds, c comparisons, r resamples.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .errors import ResultError
from .run import FloatArray64

RESAMPLES = 10_000
COVERED = 0.95
ROWS_AT_ONCE = 1 << 21  # weights held at a time: 16 MiB
FEW = 10  # resamples beyond zero below which counting them says little of the tail
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Paired:
    """One comparison.

    Attributes
    ----------
    difference : float
        Mean of the first method minus mean of the second.
    low, high : float
        95 % percentile interval.
    p : float
        Two-sided, counted: 2 (1 + resamples on the other side of zero) / (r + 1), at most 1. Never below 2 / (r + 1).
    tail_p : float
        The same where at least 10 resamples lie on the other side of zero. Where fewer do, the two-sided tail of a
        normal distribution with the deviation of the resamples, if it is smaller: a correction for many comparisons
        needs smaller numbers than can be counted. The idea of an approximated tail is that of Knijnenburg et al.,
        "Fewer permutations, more accurate P-values", Bioinformatics 2009.
    """

    difference: float
    low: float
    high: float
    p: float
    tail_p: float


def paired_bootstrap(first: FloatArray64, second: FloatArray64, *, resamples: int = RESAMPLES, seed: int = 0) -> Paired:
    """Compare two methods by the values of each query under each seed.

    Parameters
    ----------
    first, second
        (s, q) float64; a row is a seed, a column a query, the same in both.
    resamples, seed
        How many, and of the generator: equal seeds give equal numbers.

    Raises
    ------
    ResultError
        Shapes that do not fit.
    """
    if first.shape != second.shape or first.ndim != 2 or not first.size:
        raise ResultError(f"paired bootstrap: found {first.shape} and {second.shape}, expected equal (seeds, queries)")
    return bootstrap_differences((first - second)[np.newaxis], resamples=resamples, seed=seed)[0]


def bootstrap_differences(differences: FloatArray64, *, resamples: int = RESAMPLES, seed: int = 0) -> list[Paired]:
    """Compare many pairs of methods, all on the same resamples.

    Parameters
    ----------
    differences
        (c, s, q) float64, first method minus second, by query and seed.
    resamples, seed
        As in `paired_bootstrap`.
    """
    comparisons, seeds, queries = differences.shape
    columns = np.ascontiguousarray(differences.reshape(comparisons * seeds, queries).T)
    drawn = np.empty((resamples, comparisons))
    for rows, seed_weights, query_weights in weights(seeds, queries, resamples, seed):
        means = (query_weights @ columns).reshape(-1, comparisons, seeds)
        drawn[rows] = np.einsum("rcs,rs->rc", means, seed_weights)
    observed = differences.mean(axis=(1, 2))
    return [_summarise(float(observed[place]), drawn[:, place]) for place in range(comparisons)]


def weights(seeds: int, queries: int, resamples: int, seed: int) -> Iterator[tuple[slice, FloatArray64, FloatArray64]]:
    """Yield blocks of resamples: their rows, the weights of the seeds (b, s) and those of the queries (b, q).

    Each row sums to 1: how often each was drawn, over the number of draws.
    """
    generator = np.random.default_rng(seed)
    block = max(1, ROWS_AT_ONCE // queries)
    for start in range(0, resamples, block):
        rows = slice(start, min(start + block, resamples))
        count = rows.stop - rows.start
        yield rows, _counts(generator, count, seeds) / seeds, _counts(generator, count, queries) / queries


def _counts(generator: np.random.Generator, rows: int, items: int) -> FloatArray64:
    # Multinomial counts, (rows, items): drawing and counting is several times faster than `multinomial`.
    drawn = generator.integers(items, size=(rows, items)) + items * np.arange(rows)[:, np.newaxis]
    return np.bincount(drawn.ravel(), minlength=rows * items).reshape(rows, items).astype(np.float64)


def _summarise(observed: float, drawn: FloatArray64) -> Paired:
    low, high = np.quantile(drawn, [(1.0 - COVERED) / 2.0, (1.0 + COVERED) / 2.0])
    beyond = int(min((drawn <= _ROUNDING).sum(), (drawn >= -_ROUNDING).sum()))
    counted = min(1.0, 2.0 * (1 + beyond) / (len(drawn) + 1))
    return Paired(observed, float(low), float(high), counted, _tail(observed, drawn, beyond, counted))


def _tail(observed: float, drawn: FloatArray64, beyond: int, counted: float) -> float:
    deviation = float(drawn.std())
    if beyond >= FEW or deviation <= _ROUNDING:
        return counted
    return min(counted, math.erfc(abs(observed) / deviation / math.sqrt(2.0)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number, step by step from the smallest (Holm 1979), in the order given.

    The i-th smallest of m is multiplied by m - i + 1, never falls below the one before it, and ends at 1. The chance
    of any false finding among them stays at the level, whatever their dependence. NaN stays NaN and does not count.

    Source: S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6.
    """
    values = np.asarray(p_values, np.float64)
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known], kind="stable")]
    steps = len(order) - np.arange(len(order))
    corrected = np.full(values.shape, np.nan)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * steps)) if len(order) else values[order]
    return [float(value) for value in corrected]
