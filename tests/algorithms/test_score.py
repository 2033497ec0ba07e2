"""Every score of every query, and the best lists among them."""

import numpy as np
import pytest
from ivfbench.algorithms.kernels.best import best_lists
from ivfbench.algorithms.kernels.panels import make_panels
from ivfbench.algorithms.kernels.score import score_all
from ivfbench.algorithms.kernels.space import identity, make_space

pytestmark = pytest.mark.interpreted


def test_scores_are_inner_products_less_the_bias(naive, shapes, whole_numbers, threads):
    for n, d, _, q in shapes:
        rows, queries = whole_numbers(n, d), whole_numbers(q, d, seed=1)
        bias = whole_numbers(n, 1, seed=2)[:, 0]
        panels = make_panels(rows, identity(d), bias=bias)
        np.testing.assert_array_equal(score_all(panels, queries, identity(d), threads), queries @ rows.T - bias)


def test_queries_are_prepared(naive, normal, metric):
    rows, queries = normal(20, 5), normal(9, 5, seed=1)
    space = make_space(rows, metric)
    panels = make_panels(rows, identity(5))
    expected = naive.prepare(queries, metric, naive.center(rows, metric)) @ rows.T.astype(np.float64)
    np.testing.assert_allclose(score_all(panels, queries, space), expected, rtol=1e-5, atol=1e-5)


def test_one_query_scores_as_in_a_batch(normal):
    panels = make_panels(normal(130, 33), identity(33))
    queries = normal(7, 33, seed=1)
    together = score_all(panels, queries, identity(33), 2)
    alone = [score_all(panels, query[None], identity(33))[0] for query in queries]
    np.testing.assert_array_equal(together, alone)


def test_the_best_lists(naive, whole_numbers, threads):
    for q, lists, count in ((1, 1, 1), (1, 40, 7), (5, 40, 40), (7, 3, 2)):
        scores = whole_numbers(q, lists)
        chosen, kept = best_lists(scores, count, threads)
        np.testing.assert_array_equal(chosen, naive.best(-scores, count))
        np.testing.assert_array_equal(kept, np.take_along_axis(scores, chosen, axis=1))


def test_nan_is_never_chosen():
    scores = np.array([[np.nan, 1, np.nan, 2], [np.nan] * 4], dtype=np.float32)
    chosen, kept = best_lists(scores, 3)
    assert chosen.tolist() == [[3, 1, -1], [-1, -1, -1]]
    assert kept.tolist() == [[2, 1, -np.inf], [-np.inf] * 3]
