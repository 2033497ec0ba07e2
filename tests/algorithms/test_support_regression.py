"""Support values against every product, ridge regression against its normal equations."""

import numpy as np
import pytest
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.ivf import IVF
from ivfbench.algorithms.kernels.space import DISTANCES
from ivfbench.algorithms.routers.centroid import Centroid
from ivfbench.algorithms.routers.ridge import choose_ridge, decompose
from ivfbench.algorithms.routers.router import MissingTrainingQueries, TrainingQueries
from ivfbench.algorithms.routers.support import support_values
from ivfbench.algorithms.routers.support_regression import GRID, SupportRegression

pytestmark = pytest.mark.interpreted


def every_score(naive, rows, queries, metric, center):
    prepared = naive.prepare(rows, metric, center)
    scores = naive.prepare(queries, metric, center) @ prepared.T
    return scores - (0.5 * (prepared**2).sum(axis=1) if metric in DISTANCES else 0)


@pytest.mark.parametrize("from_train", [False, True])
def test_support_values_are_the_largest_scores(naive, fitting_for, normal, metric, from_train):
    rows = normal(70, 5)
    rows[1] = rows[0]  # a query that is one of two equal rows still finds the other
    queries = rows[:12].copy() if from_train else normal(12, 5, seed=3)
    neighbors = np.ones((12, 1), dtype=np.int32)
    fitting = fitting_for(rows, metric, 6, queries, neighbors=neighbors, from_train=from_train)
    scores = every_score(naive, rows, queries, metric, fitting.space.center)
    if from_train:
        scores[np.arange(12), np.arange(12)] = -np.inf
    expected = np.stack([scores[:, fitting.clusters.assignment == i].max(axis=1) for i in range(6)], axis=1)
    expected = np.where(np.isfinite(expected), expected, expected[np.isfinite(expected)].min())
    np.testing.assert_allclose(support_values(fitting, queries), expected, rtol=1e-5, atol=1e-5)


def test_empty_lists_get_the_smallest_value(fitting_for, normal):
    rows = np.array([[0, 0]] * 9 + [[9, 9], [9, 8]], dtype=np.float32)
    fitting = fitting_for(rows, "euclidean", 5, normal(3, 2))
    empty = fitting.clusters.sizes == 0
    values = support_values(fitting, normal(3, 2))
    assert empty.sum() == 2
    assert (values[:, empty] == values.min()).all()


def test_the_solution_satisfies_its_normal_equations(normal):
    queries, targets = normal(90, 6) + 2, normal(90, 4, seed=1) + 5
    found = decompose(queries, targets).solve(0.3)
    q, s = queries - queries.mean(axis=0, dtype=np.float64), targets - targets.mean(axis=0, dtype=np.float64)
    a = 0.3 * np.trace(q.T @ q) / 6
    np.testing.assert_allclose(found.weights, s.T @ q @ np.linalg.inv(q.T @ q + a * np.eye(6)), rtol=1e-6, atol=1e-9)
    predicted = queries @ found.weights.T + found.constants
    np.testing.assert_allclose(predicted.mean(axis=0), targets.mean(axis=0), rtol=1e-5)
    assert found.squared_error(queries, targets) == pytest.approx(np.square(predicted - targets).mean())


@pytest.mark.parametrize("noise", [0.0, 30.0])
def test_the_ridge_is_chosen_on_what_was_held_out(normal, noise):
    queries = normal(60, 20)
    targets = (queries @ normal(20, 3, seed=1) + noise * normal(60, 3, seed=2)).astype(np.float32)
    training, validation = np.arange(40), np.arange(40, 60)
    solved, notes = choose_ridge(queries, targets, training, validation, GRID)
    errors = [
        decompose(queries[:40], targets[:40]).solve(ridge).squared_error(queries[40:], targets[40:]) for ridge in GRID
    ]
    assert notes["ridge"] == solved.ridge == GRID[int(np.argmin(errors))]
    assert notes["validation_error"] == pytest.approx(min(errors) ** 0.5)
    assert (solved.ridge <= 1e-4) == (noise == 0.0)  # noise asks for a large ridge, its absence for a small one
    np.testing.assert_array_equal(solved.weights, decompose(queries[:40], targets[:40]).solve(solved.ridge).weights)


def test_directions_without_queries_get_no_weight():
    queries = np.zeros((5, 3), dtype=np.float32)
    found = decompose(queries, np.arange(10, dtype=np.float32).reshape(5, 2)).solve(1e-3)
    assert not found.weights.any()
    np.testing.assert_allclose(found.constants, [4, 5])


def test_it_beats_the_centroids_where_queries_come_from_elsewhere(naive, tiny, metric):
    rng = np.random.default_rng(2)
    n, m = (80, 200) if tiny else (1500, 2000)
    rows = (rng.standard_normal((n, 12)) * rng.lognormal(0, 0.6, (n, 1))).astype(np.float32)
    asked = rng.standard_normal((m + 400, 12)) * np.linspace(0.2, 2, 12)
    asked[:, :4] += 2
    learn, test = asked[:m].astype(np.float32), asked[m:].astype(np.float32)
    nearest = naive.distances(rows, test, metric).argmin(axis=1)

    def accuracy(router):
        index = IVF(KMeans(lists=24, iterations=6), router, seed=3).build(rows, metric, TrainingQueries(learn))
        return float((index.search(test, 1, nprobe=2).ids[:, 0] == nearest).mean()), index.built

    centroid, _ = accuracy(Centroid())
    regressed, built = accuracy(SupportRegression(queries=150))
    assert regressed > centroid + (0.0 if tiny else 0.05)
    assert built.notes["training_queries"] == 150
    assert built.notes["ridge"] in GRID
    assert min(built.learn_seconds, built.label_seconds) > 0


@pytest.mark.parametrize("training", [None, np.ones((1, 3), dtype=np.float32)])
def test_missing_training_queries(fitting_for, normal, training):
    with pytest.raises(
        MissingTrainingQueries, match=r"^SupportRegression: found no training queries, expected [^\n]+$"
    ):
        SupportRegression().fit(fitting_for(normal(20, 3), "ip", 2, training))
    with pytest.raises(MissingTrainingQueries, match=r"^SupportRegression\(\): found no training queries"):
        IVF(router=SupportRegression()).build(normal(20, 3), "ip")


def test_two_queries_are_enough(fitting_for, normal):
    fitted = SupportRegression(queries=1, ridge=0.5).fit(fitting_for(normal(20, 3), "ip", 2, normal(5, 3)))
    assert fitted.notes["training_queries"] == 2
    assert fitted.notes["ridge"] == 0.5
