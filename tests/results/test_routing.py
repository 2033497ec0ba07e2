"""Accuracy under budgets, against loops that open one list after the other."""

import dataclasses
import math

import numpy as np
import pytest
from ivfbench.results.errors import ResultError
from ivfbench.results.routing import (
    accuracy_at_lists,
    accuracy_at_points,
    first_reach,
    lists_at_recall,
    lists_of_share,
    opened_size,
    points_at_recall,
    recall_curve,
    routing_latency,
)
from ivfbench.results.run import Routing


@pytest.fixture(scope="module")
def run(sample_runs):
    return sample_runs(routing=True, modes=())[0]


def hand_made(run):
    """Two queries, two neighbours, three lists of 10, 20 and 70 points; query 1 has a list that is never ranked."""
    routing = Routing(
        rank=np.array([[0, 1], [1, 3]], np.int32),
        before=np.array([[0, 10], [20, 100]], np.int32),
        size=np.array([[10, 20], [10, 70]], np.int32),
        scanned=np.array([15.0, 30.0, 100.0]),
        seconds=np.array([[3e-6, 1e-6], [2e-6, 4e-6]]),
        nprobe=1,
    )
    return dataclasses.replace(run, n=100, truth_ids=run.truth_ids[:2], routing=routing)


def test_by_hand(run):
    run = hand_made(run)
    assert accuracy_at_lists(run, 2, 1).tolist() == [0.5, 0.0]
    assert accuracy_at_lists(run, 1, 2).tolist() == [1.0, 1.0]
    assert accuracy_at_lists(run, 2, 3).tolist() == [1.0, 0.5]
    # 15 points: all of query 0's first list and a quarter of its second; nothing yet of query 1's
    assert accuracy_at_points(run, 2, 15).tolist() == [(1 + 0.25) / 2, 0.0]
    assert accuracy_at_points(run, 2, 24).tolist() == [(1 + 0.7) / 2, 0.4 / 2]
    assert accuracy_at_points(run, 2, 100).tolist() == [1.0, 0.5]
    assert recall_curve(run, 2).tolist() == [0.25, 0.75, 0.75]
    assert points_at_recall(run, 2, 0.25) == 15.0
    assert points_at_recall(run, 2, 0.5) == 22.5
    assert points_at_recall(run, 2, 0.125) == 7.5
    assert lists_at_recall(run, 2, 0.5) == 1.5
    assert math.isnan(points_at_recall(run, 2, 0.76))
    assert opened_size(run, 0.01) == pytest.approx(15 / (100 / 3))
    assert opened_size(run, 0.67) == pytest.approx(30 / (200 / 3))
    assert routing_latency(run) == pytest.approx(2.5e-6)


@pytest.mark.parametrize("k", [1, 10, 20])
def test_curve_and_lists_agree(run, k):
    curve = recall_curve(run, k)
    assert curve.tolist() == pytest.approx([accuracy_at_lists(run, k, probes).mean() for probes in range(1, 101)])
    assert (np.diff(curve) >= 0).all()
    assert curve[-1] == pytest.approx(1.0)


@pytest.mark.parametrize("points", [0, 1, 40, 400, 3999, 4000])
def test_points_against_a_loop(run, points):
    routing = run.routing
    expected = []
    for query in range(len(routing.rank)):
        found = 0.0
        for place in range(10):
            left = points - int(routing.before[query, place])
            size = int(routing.size[query, place])
            found += 1.0 if left >= size else max(0, left) / size
        expected.append(found / 10)
    np.testing.assert_allclose(accuracy_at_points(run, 10, points), expected, atol=1e-12)


def test_a_level_is_read_off_the_curve(run):
    curve, scanned = recall_curve(run, 10), run.routing.scanned
    for place in (0, 3, 20):
        assert points_at_recall(run, 10, float(curve[place])) == pytest.approx(scanned[place])
    with pytest.raises(ResultError, match="level of recall: found 0"):
        points_at_recall(run, 10, 0)


def test_a_flat_stretch_is_reached_at_its_start():
    assert first_reach(np.array([0.5, 0.5, 0.5, 1.0]), np.array([1.0, 2.0, 3.0, 4.0]), 0.5) == 1.0


def test_a_share_of_the_lists_is_at_least_one():
    assert [lists_of_share(share, 328) for share in (0.001, 0.01, 0.05, 1.0)] == [1, 3, 16, 328]


def test_what_it_cannot_tell(run, sample_runs):
    with pytest.raises(ResultError, match=r"found no routing, expected a run in mode routing$"):
        recall_curve(sample_runs()[0], 1)
    with pytest.raises(ResultError, match=r"found k = 21, expected 1 to 20"):
        accuracy_at_lists(run, 21, 1)
