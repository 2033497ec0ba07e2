"""The paired bootstrap against a loop, on data whose truth is known; Holm's correction by hand."""

import math

import numpy as np
import pytest
from ivfbench.results.errors import ResultError
from ivfbench.results.paired import bootstrap_differences, holm, paired_bootstrap, weights


def methods(rng, seeds=3, queries=60, gain=0.05):
    first = np.clip(rng.random((seeds, queries)) + gain, 0, 1)
    return first, np.clip(first - gain + 0.2 * rng.standard_normal((seeds, queries)), 0, 1)


def test_against_a_loop():
    first, second = methods(np.random.default_rng(1))
    found = paired_bootstrap(first, second, resamples=400, seed=9)
    drawn = []
    for _, seed_weights, query_weights in weights(3, 60, 400, 9):
        for of_seeds, of_queries in zip(seed_weights, query_weights, strict=True):
            total = 0.0
            for seed in range(3):
                for query in range(60):
                    total += of_seeds[seed] * of_queries[query] * (first[seed, query] - second[seed, query])
            drawn.append(total)
    assert len(drawn) == 400
    assert found.difference == pytest.approx((first - second).mean())
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))
    beyond = min(sum(value <= 0 for value in drawn), sum(value >= 0 for value in drawn))
    assert found.p == pytest.approx(min(1.0, 2 * (1 + beyond) / 401))


def test_weights_are_counts_of_draws_with_replacement():
    blocks = list(weights(3, 2000, 2500, 0))
    assert len(blocks) > 1
    assert [row for rows, _, _ in blocks for row in range(rows.start, rows.stop)] == list(range(2500))
    for of, size in ((1, 3), (2, 2000)):
        counts = np.concatenate([block[of] for block in blocks]) * size
        np.testing.assert_allclose(counts, counts.round(), atol=1e-9)
        np.testing.assert_allclose(counts.sum(axis=1), size)
        assert counts.mean(axis=0) == pytest.approx(1.0, abs=0.15)
        assert counts.var() == pytest.approx(1 - 1 / size, rel=0.1)


def test_comparisons_side_by_side_are_those_one_by_one():
    rng = np.random.default_rng(2)
    pairs = [methods(rng) for _ in range(4)]
    together = bootstrap_differences(np.stack([a - b for a, b in pairs]), resamples=500, seed=5)
    for (a, b), found in zip(pairs, together, strict=True):
        alone = paired_bootstrap(a, b, resamples=500, seed=5)
        assert found.p == alone.p
        assert (found.low, found.high) == pytest.approx((alone.low, alone.high))


def test_a_method_against_itself():
    values = np.random.default_rng(3).random((3, 50))
    found = paired_bootstrap(values, values.copy())
    assert (found.difference, found.low, found.high, found.p, found.tail_p) == (0.0, 0.0, 0.0, 1.0, 1.0)


def test_swapping_the_methods_turns_the_sign():
    first, second = methods(np.random.default_rng(4))
    one, other = paired_bootstrap(first, second), paired_bootstrap(second, first)
    assert one.difference == pytest.approx(-other.difference)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
    assert one.p == other.p


def test_pairs_see_what_the_noise_of_the_queries_hides():
    rng = np.random.default_rng(5)
    hard = rng.random(500) < 0.5  # queries that nobody can answer
    second = np.where(hard, 0.0, 1.0) * np.ones((3, 1))
    first = second.copy()
    first[:, np.flatnonzero(hard)[:15]] = 1.0
    assert paired_bootstrap(first, second).p < 0.001


def test_nothing_counted_is_not_nothing():
    first, second = np.ones((3, 300)), np.zeros((3, 300))
    second[:, :270] = 1.0
    found = paired_bootstrap(first, second, resamples=999)
    assert found.p == pytest.approx(2 / 1000)
    assert 0 < found.tail_p < 1e-5
    near = paired_bootstrap(*methods(np.random.default_rng(0), gain=0.005), resamples=999)
    assert near.p == near.tail_p > 0.02


@pytest.mark.parametrize("seeds", [1, 12])
def test_the_interval_covers_the_truth_as_often_as_it_says(seeds):
    rng, truth, queries, hits = np.random.default_rng(6), 0.1, 80, 0
    for trial in range(300):
        by_query = 0.3 * rng.standard_normal(queries)
        by_seed = 0.02 * rng.standard_normal((seeds, 1)) * (seeds > 1)
        differences = truth + by_query + by_seed + 0.1 * rng.standard_normal((seeds, queries))
        (found,) = bootstrap_differences(differences[np.newaxis], resamples=400, seed=trial)
        hits += found.low <= truth <= found.high
    assert 0.91 <= hits / 300 <= 0.98


def test_a_true_null_is_rejected_as_seldom_as_it_should_be():
    rng, rejected = np.random.default_rng(7), 0
    for trial in range(300):
        (found,) = bootstrap_differences(0.3 * rng.standard_normal((1, 1, 80)), resamples=400, seed=trial)
        rejected += found.p < 0.05
    assert 0.02 <= rejected / 300 <= 0.09


def test_shapes_that_do_not_fit():
    with pytest.raises(ResultError, match=r"found \(3, 5\) and \(3, 6\), expected equal \(seeds, queries\)"):
        paired_bootstrap(np.zeros((3, 5)), np.zeros((3, 6)))
    with pytest.raises(ResultError, match="paired bootstrap"):
        paired_bootstrap(np.zeros((3, 0)), np.zeros((3, 0)))


class TestHolm:
    def test_by_hand(self):
        # smallest first: 4 x 0.005, 3 x 0.01, 2 x 0.03, then 0.04, which may not fall below the one before
        assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])

    def test_ends_at_one(self):
        assert holm([0.5, 0.9, 0.4]) == [1.0, 1.0, 1.0]
        assert holm([0.2]) == [0.2]
        assert holm([]) == []

    def test_what_is_missing_does_not_count(self):
        first, second, third = holm([0.01, math.nan, 0.04])
        assert (first, third) == pytest.approx((0.02, 0.04))
        assert math.isnan(second)
        assert all(math.isnan(value) for value in holm([math.nan]))
