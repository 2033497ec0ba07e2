"""From the products of each list's vectors to one score for each list."""

import itertools

import numpy as np
import pytest
from ivfbench.algorithms.kernels.segments import largest_of_segments, optimistic_scores

pytestmark = pytest.mark.interpreted


@pytest.mark.parametrize("queries", [0, 1, 5, 70])
def test_the_largest_of_each_segment(whole_numbers, threads, queries):
    starts = np.array([0, 1, 4, 20, 21], dtype=np.int64)
    products = whole_numbers(queries, 21)
    expected = [products[:, first:last].max(axis=1) for first, last in itertools.pairwise(starts)]
    np.testing.assert_array_equal(largest_of_segments(products, starts, threads), np.stack(expected, axis=1))


def test_nan_stays_nan(whole_numbers):
    products = whole_numbers(2, 4)
    products[0] = np.nan
    scores = largest_of_segments(products, np.array([0, 2, 4]))
    assert np.isnan(scores[0]).all()
    assert np.isfinite(scores[1]).all()
    empty = np.empty((2, 0), dtype=np.float32)
    every = optimistic_scores(products[:, :1], empty, products, np.ones(4, dtype=np.float32), np.array([0, 4]), 1, 1)
    assert np.isnan(every[0]).all()
    assert np.isfinite(every[1]).all()


@pytest.mark.parametrize("queries", [0, 1, 5, 70])
@pytest.mark.parametrize("diagonal", [False, True])
def test_means_plus_deviations(normal, threads, queries, diagonal):
    starts = np.array([0, 3, 3, 9], dtype=np.int64)  # the second list owns none
    means, products = normal(queries, 3), normal(queries, 9, seed=1)
    parts = np.abs(normal(queries, 3, seed=2)) if diagonal else np.empty((queries, 0), dtype=np.float32)
    weights = np.where(np.arange(9) % 4 == 3, -1, 1).astype(np.float32)
    variance = 2.5 * parts.astype(np.float64) if diagonal else np.zeros((queries, 3))
    for j in range(3):
        own = slice(starts[j], starts[j + 1])
        variance[:, j] += (weights[own] * products[:, own].astype(np.float64) ** 2).sum(axis=1)
    expected = means + 3 * np.sqrt(variance.clip(min=0))
    found = optimistic_scores(means, parts, products, weights, starts, 2.5, 3.0, threads)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_squares_beyond_float32_are_summed():
    products = np.full((1, 2), 3e30, dtype=np.float32)
    empty = np.empty((1, 0), dtype=np.float32)
    found = optimistic_scores(
        products[:, :1], empty, products, np.ones(2, dtype=np.float32), np.array([0, 2], dtype=np.int64), 1.0, 1.0
    )
    np.testing.assert_allclose(found, 3e30 * (1 + 2**0.5), rtol=1e-6)
