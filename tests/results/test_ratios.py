"""The bootstrap of a ratio of points, against resampled curves in full."""

import dataclasses
import math

import numpy as np
import pytest
from ivfbench.results.paired import weights
from ivfbench.results.ratios import ratio_at_recall, resampled_points
from ivfbench.results.routing import points_at_recall


@pytest.fixture(scope="module")
def routed(sample_runs):
    """(centroid runs, learnt runs), a run for each of three seeds."""
    pairs = [sample_runs(routing=True, modes=(), seed=seed) for seed in (1, 2, 3)]
    return [list(runs) for runs in zip(*pairs, strict=True)]


def naive_points(run, of_queries, k, level):
    """Points at a level of the recall curve of one resample, list after list."""
    below, start = 0.0, 0.0
    for probes in range(1, len(run.routing.scanned) + 1):
        recall = sum(
            weight * (run.routing.rank[query, :k] < probes).mean() for query, weight in enumerate(of_queries) if weight
        )
        cost = run.routing.scanned[probes - 1]
        if recall >= level - 1e-12:
            return start + (level - below) / (recall - below) * (cost - start)
        below, start = recall, cost
    return math.nan


@pytest.mark.parametrize(("k", "level"), [(1, 0.9), (10, 0.5), (10, 0.95)])
def test_against_a_loop(routed, k, level):
    runs = routed[1]
    found = resampled_points(runs, k, level, resamples=15, seed=4)
    assert found[0] == pytest.approx(np.mean([points_at_recall(run, k, level) for run in runs]))
    expected = []
    for _, seed_weights, query_weights in weights(3, 40, 15, 4):
        for of_seeds, of_queries in zip(seed_weights, query_weights, strict=True):
            each = [naive_points(run, of_queries, k, level) if of_seeds[i] else 0.0 for i, run in enumerate(runs)]
            expected.append(float(of_seeds @ each))
    np.testing.assert_allclose(found[1:], expected, rtol=1e-9)


def test_a_better_router_scans_less(routed):
    centroid, learnt = routed
    found = ratio_at_recall(learnt, centroid, 10, 0.9)
    assert found.low < found.ratio < found.high < 1.0
    same = ratio_at_recall(centroid, centroid, 10, 0.9)
    assert (same.ratio, same.low, same.high) == (1.0, 1.0, 1.0)


def test_a_level_that_is_never_reached(routed):
    def blinded(run):
        routing = run.routing
        return dataclasses.replace(run, routing=dataclasses.replace(routing, rank=np.full_like(routing.rank, 100)))

    blind = [blinded(run) for run in routed[1]]
    assert math.isnan(ratio_at_recall(blind, routed[0], 10, 0.9).ratio)
    assert math.isnan(ratio_at_recall(routed[0], blind, 10, 0.9).ratio)
