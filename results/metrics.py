"""Rates and latencies of a point: pure functions of the raw times.

Every repetition counts. The headline is a median with an interval from order statistics, which assumes
nothing about the shape of the noise; the best of N, as often published, grows with N and has no interval.
"""

import math
from dataclasses import dataclass

import numpy as np

from .run import FloatArray64, Point

COVERAGE = 0.90


@dataclass(frozen=True)
class Interval:
    """A median and an interval around it."""

    median: float
    low: float
    high: float


def rates(point: Point) -> FloatArray64:
    """Return the queries per second of each repetition, (r,) float64: q over the sum of its seconds."""
    queries = len(point.ids)
    with np.errstate(divide="ignore"):  # a clock too coarse to see the work gives inf, not a crash
        return np.asarray(queries / point.seconds.sum(axis=1), np.float64)


def queries_per_second(point: Point) -> Interval:
    """Return the median over repetitions of the queries per second, and its interval.

    See `median_interval`: with five repetitions the interval is minimum to maximum, coverage 93.75 %.
    """
    return median_interval(rates(point))


def median_interval(values: FloatArray64) -> Interval:
    """Return the median of (r,) values and an interval for the median of what they were drawn from.

    The ends are the j-th smallest and j-th largest value. For independent draws from any continuous
    distribution that interval covers the median with probability 1 - 2 P(B < j), B binomial (r, 1/2). j is
    the largest that keeps at least 90 %: with 5 values minimum and maximum (93.75 %), with 8 the second of
    each end (92.97 %), with 11 the third (93.46 %). Fewer than 5 values cannot reach 90 %: minimum and
    maximum are given, with coverage 87.5 % (4), 75 % (3), 50 % (2), 0 (1).

    Source: H. A. David and H. N. Nagaraja, Order Statistics, 3rd edition, section 7.1.
    """
    ordered = np.sort(values)
    rank = interval_rank(len(ordered))
    return Interval(float(np.median(ordered)), float(ordered[rank - 1]), float(ordered[-rank]))


def interval_rank(count: int) -> int:
    """Return the largest j whose interval, j-th smallest to j-th largest, covers at least 90 %; else 1."""
    rank = 1
    while 2 * (rank + 1) <= count + 1 and interval_coverage(count, rank + 1) >= COVERAGE:
        rank += 1
    return rank


def interval_coverage(count: int, rank: int) -> float:
    """Return the probability that the j-th smallest and j-th largest of `count` draws enclose the median."""
    outside = sum(math.comb(count, below) for below in range(rank))
    return 1.0 - 2.0 * outside / 2.0**count


def latency_percentiles_ms(point: Point) -> tuple[float, float, float]:
    """Return the 50th, 95th and 99th percentile of the latency in milliseconds, over all repetitions.

    NaN in batch mode: a batch has no latency per query.
    """
    if point.mode != "single":
        return math.nan, math.nan, math.nan
    p50, p95, p99 = np.percentile(point.seconds, [50, 95, 99]) * 1000.0
    return float(p50), float(p95), float(p99)


def lists_probed_percentiles(point: Point) -> tuple[float, float, float]:
    """Return the 10th, 50th and 90th percentile of the lists opened, over queries."""
    p10, p50, p90 = np.percentile(point.lists_probed, [10, 50, 90])
    return float(p10), float(p50), float(p90)
