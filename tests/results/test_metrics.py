"""Rates, intervals and latencies by hand and against simulation."""

import dataclasses
import math

import numpy as np
import pytest
from ivfbench.results.metrics import (
    interval_coverage,
    interval_rank,
    latency_percentiles_ms,
    median_interval,
    queries_per_second,
    rates,
)
from ivfbench.results.run import failed_point


def point(mode, seconds, queries):
    empty = failed_point(mode, 1, {}, 1, "")
    return dataclasses.replace(
        empty, status="ok", ids=np.zeros((queries, 1), np.int32), seconds=np.array(seconds, np.float64)
    )


def test_single_mode_divides_queries_by_the_sum_of_their_times():
    assert rates(point("single", [[0.1, 0.3], [0.2, 0.2], [0.1, 0.1]], 2)).tolist() == [5.0, 5.0, 10.0]
    interval = queries_per_second(point("single", [[0.1, 0.3], [0.25, 0.25], [0.1, 0.1]], 2))
    assert (interval.median, interval.low, interval.high) == (5.0, 4.0, 10.0)


def test_batch_mode_divides_queries_by_the_time_of_the_batch():
    assert rates(point("batch", [[0.5], [0.25]], 100)).tolist() == [200.0, 400.0]


def test_a_clock_that_saw_nothing_gives_infinity():
    assert rates(point("batch", [[0.0]], 3)).tolist() == [math.inf]


def test_five_repetitions_are_minimum_to_maximum():
    interval = median_interval(np.array([3.0, 1.0, 5.0, 2.0, 4.0]))
    assert (interval.median, interval.low, interval.high) == (3.0, 1.0, 5.0)
    assert interval_coverage(5, 1) == 0.9375


@pytest.mark.parametrize(("count", "rank"), [(1, 1), (4, 1), (5, 1), (7, 1), (8, 2), (10, 2), (11, 3), (20, 6)])
def test_ranks(count, rank):
    assert interval_rank(count) == rank
    ordered = np.arange(count, dtype=np.float64)
    interval = median_interval(ordered)
    assert (interval.low, interval.high) == (ordered[rank - 1], ordered[count - rank])


@pytest.mark.parametrize("count", range(1, 40))
def test_the_rank_is_the_largest_that_still_covers(count):
    rank = interval_rank(count)
    assert rank <= count + 1 - rank
    assert interval_coverage(count, rank) >= 0.9 or rank == 1
    if 2 * (rank + 1) <= count + 1:
        assert interval_coverage(count, rank + 1) < 0.9


@pytest.mark.parametrize("count", [5, 8, 11])
def test_coverage_holds_for_skewed_draws(count):
    draws = np.sort(np.random.default_rng(1).exponential(size=(20_000, count)), axis=1)
    rank = interval_rank(count)
    covered = (draws[:, rank - 1] <= math.log(2)) & (math.log(2) <= draws[:, -rank])
    assert covered.mean() == pytest.approx(interval_coverage(count, rank), abs=0.01)


def test_latencies_pool_every_repetition():
    seconds = np.arange(1, 101, dtype=np.float64).reshape(4, 25) / 1000.0
    p50, p95, p99 = latency_percentiles_ms(point("single", seconds, 25))
    assert (p50, p95, p99) == (pytest.approx(50.5), pytest.approx(95.05), pytest.approx(99.01))


def test_a_batch_has_no_latency_per_query():
    assert all(math.isnan(value) for value in latency_percentiles_ms(point("batch", [[0.5]], 100)))
