"""Several centroids for each list: the best of them, or their mean."""

import numpy as np
import pytest
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.routers.centroid import LINEAR_SCORINGS, Centroid, linear_scoring
from ivfbench.algorithms.routers.multi_centroid import MultiCentroid

pytestmark = pytest.mark.interpreted


@pytest.fixture
def rows(normal, tiny):
    return normal(50, 3) if tiny else normal(300, 8)


def parts_of(fitting, count):
    # The sub-centroids of each list, by k-means inside it.
    for i in range(len(fitting.clusters.centroids)):
        own = fitting.rows[fitting.clusters.assignment == i]
        yield KMeans(count, 10).cluster(own, fitting.space, seed=fitting.seed).centroids.astype(np.float64)


def each_score(asked, vectors, scoring):
    if scoring == "normalised":
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return asked @ vectors.T - (0.5 * (vectors**2).sum(axis=1) if scoring == "euclidean" else 0)


@pytest.mark.parametrize("scoring", [None, *LINEAR_SCORINGS])
@pytest.mark.parametrize("combine", ["best", "mean"])
def test_scores_are_the_best_or_the_mean(naive, fitting_for, matrix_of, rows, normal, metric, scoring, combine):
    queries = normal(9, rows.shape[1], seed=4)
    fitting = fitting_for(rows, metric, 4)
    routes = MultiCentroid(count=3, combine=combine, scoring=scoring).fit(fitting).routes
    asked = naive.prepare(queries, metric, fitting.space.center)
    reduce = {"best": np.max, "mean": np.mean}[combine]
    expected = [
        reduce(each_score(asked, vectors, scoring or linear_scoring(metric)), axis=1)
        for vectors in parts_of(fitting, 3)
    ]
    np.testing.assert_allclose(matrix_of(routes, queries, 4), np.stack(expected, axis=1), rtol=1e-5, atol=1e-5)


def test_one_part_is_the_mean_of_the_list(fitting_for, matrix_of, rows, normal, metric):
    queries = normal(6, rows.shape[1], seed=4)
    fitting = fitting_for(rows, metric, 4)
    found = matrix_of(MultiCentroid(count=1).fit(fitting).routes, queries, 4)
    middles = fitting.clusters.means(rows, fitting.space)
    clusters = type(fitting.clusters)(middles, fitting.clusters.assignment, (), 0)
    expected = (
        Centroid(linear_scoring(metric)).fit(type(fitting)(metric, rows, fitting.space, clusters, *[None] * 5)).routes
    )
    np.testing.assert_allclose(found, matrix_of(expected, queries, 4), rtol=1e-5, atol=1e-5)


def test_short_and_empty_lists_have_fewer_parts(fitting_for):
    rows = np.array([[0, 0]] * 9 + [[9, 9], [9, 8]], dtype=np.float32)
    fitting = fitting_for(rows, "euclidean", 5)
    assert fitting.clusters.statistics()["lists_empty"] == 2
    routes = MultiCentroid(count=4).fit(fitting).routes
    assert np.diff(routes.starts).tolist() == [1, 1, 1, 1, 1]


def test_every_row_a_part_of_its_own_is_exact_search(naive, fitting_for, rows, normal, metric):
    queries = normal(40, rows.shape[1], seed=4)
    nearest = naive.distances(rows, queries, metric).argmin(axis=1)
    fitting = fitting_for(rows, metric, 6)
    if metric == "manhattan":
        pytest.skip("lists are routed to by euclidean scores there")
    scoring = "euclidean" if metric == "euclidean" else "inner product"
    routed = MultiCentroid(count=len(rows), scoring=scoring).fit(fitting).routes.route(queries, 1)
    np.testing.assert_array_equal(routed.lists[:, 0], fitting.clusters.assignment[nearest])


def test_the_scoring_is_spelled_out_and_parameters_are_counted(fitting_for, rows):
    assert MultiCentroid().resolve("euclidean") == MultiCentroid(scoring="euclidean")
    assert MultiCentroid(scoring="inner product").resolve("angular").scoring == "inner product"
    fitting = fitting_for(rows, "ip", 4)
    assert MultiCentroid(count=3).fit(fitting).notes == {"router_parameters": 4 * 3 * rows.shape[1]}
    assert MultiCentroid(count=3, combine="mean").fit(fitting).notes == {"router_parameters": 4 * rows.shape[1]}
