import numpy as np
import pytest
from ivfbench.algorithms.codecs.query_space import opened_pairs, query_space, second_moment


def space_of(queries, residuals, parts, width):
    moments = (second_moment(np.array_split(rows, 3), rows.shape[1]) for rows in (queries, residuals))
    return query_space(*moments, parts, width)


SHAPES = [(1, 4, 1), (6, 4, 2), (16, 4, 4), (17, 8, 3), (70, 16, 5)]  # d, M, w: d' at least d


@pytest.mark.parametrize(("dimension", "parts", "width"), SHAPES)
def test_products_are_kept_where_no_coordinate_is_dropped(normal, dimension, parts, width):
    queries, residuals = normal(200, dimension), normal(150, dimension, seed=1) * np.float32(0.3)
    space = space_of(queries, residuals, parts, width)
    assert space.forward.shape == space.backward.shape == (parts * width, dimension)
    asked, held = normal(9, dimension, seed=2), residuals[:20]
    mapped = (asked @ space.backward.T).astype(np.float64) @ (held @ space.forward.T).T
    np.testing.assert_allclose(mapped, asked.astype(np.float64) @ held.T, rtol=1e-3, atol=1e-4)


def test_squared_error_in_the_space_is_the_error_that_queries_see(normal):
    # Queries that lie along few directions: an error off them costs nothing.
    dimension = 12
    stretch = np.diag(np.linspace(0.2, 4, dimension)).astype(np.float32)
    queries, errors = normal(4000, dimension) @ stretch, normal(50, dimension, seed=1)
    space = space_of(queries, normal(100, dimension, seed=2), 4, 3)
    seen = ((queries.astype(np.float64) @ errors.T) ** 2).mean(axis=0)
    lengths = ((errors @ space.forward.T).astype(np.float64) ** 2).sum(axis=1)
    assert np.ptp(seen / lengths) <= 0.01 * (seen / lengths).mean()
    plain = (errors.astype(np.float64) ** 2).sum(axis=1)
    assert np.ptp(seen / plain) > 0.5 * (seen / plain).mean()


def test_fewer_coordinates_drop_those_of_least_variance(normal):
    dimension = 16
    residuals = (normal(400, dimension) * np.linspace(3, 0.01, dimension)).astype(np.float32)
    space = space_of(normal(4000, dimension, seed=1), residuals, 4, 2)
    assert space.forward.shape == (8, dimension)
    kept = ((residuals @ space.forward.T) ** 2).sum() / (residuals**2).sum()
    order = np.sort((residuals**2).sum(axis=0))[::-1]
    assert kept >= 0.95 * order[:8].sum() / order.sum()


def test_more_coordinates_are_zeros(normal):
    space = space_of(normal(50, 5), normal(50, 5, seed=1), 4, 3)
    assert (np.abs(space.forward).sum(axis=1) > 0).sum() == 5
    assert ((np.abs(space.forward).sum(axis=1) > 0) == (np.abs(space.backward).sum(axis=1) > 0)).all()


def test_variance_is_dealt_out(normal):
    residuals = (normal(2000, 16) * np.geomspace(8, 0.1, 16)).astype(np.float32)
    space = space_of(normal(4000, 16, seed=1), residuals, 4, 4)
    variances = np.log((residuals @ space.forward.T).var(axis=0)).reshape(4, 4).sum(axis=1)
    assert np.ptp(variances) < 2  # of about 20 between the first and the last four coordinates
    by_order = np.log(np.sort((residuals @ space.forward.T).var(axis=0))).reshape(4, 4).sum(axis=1)
    assert np.ptp(by_order) > 10


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_lengths_do_not_depend_on_the_unit_of_the_data(normal, scale):
    queries, residuals = normal(100, 6), normal(100, 6, seed=1)
    unit = space_of(queries, residuals, 4, 2)
    other = space_of(queries * np.float32(scale), residuals * np.float32(scale), 4, 2)
    np.testing.assert_allclose(np.abs(other.forward), np.abs(unit.forward), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("nothing", ["queries", "residuals", "both"])
def test_zeros_give_a_space_all_the_same(normal, nothing):
    queries = normal(20, 5) if nothing == "residuals" else np.zeros((20, 5), dtype=np.float32)
    residuals = normal(20, 5, seed=1) if nothing == "queries" else np.zeros((20, 5), dtype=np.float32)
    space = space_of(queries, residuals, 4, 2)
    assert np.isfinite(space.forward).all()
    assert np.isfinite(space.backward).all()
    asked, held = normal(4, 5, seed=2), normal(4, 5, seed=3)
    found = (asked @ space.backward.T).astype(np.float64) @ (held @ space.forward.T).T
    np.testing.assert_allclose(found, asked @ held.T, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("metric", ["euclidean", "ip"])
def test_opened_pairs_are_each_querys_best_lists(normal, metric):
    queries, centroids = normal(30, 6), normal(40, 6, seed=1)
    of_query, of_list = opened_pairs(queries, centroids, metric, 0)
    assert of_query.tolist() == np.repeat(np.arange(30), 4).tolist()
    scores = queries @ centroids.T
    if metric == "euclidean":
        scores -= 0.5 * (centroids**2).sum(axis=1)
    best = np.sort(np.argsort(-scores, axis=1)[:, :4], axis=1)
    np.testing.assert_array_equal(np.sort(of_list.reshape(30, 4), axis=1), best)


def test_one_list_is_opened_by_all():
    of_query, of_list = opened_pairs(np.ones((3, 2), np.float32), np.ones((1, 2), np.float32), "ip", 0)
    assert of_query.tolist() == [0, 1, 2]
    assert of_list.tolist() == [0, 0, 0]
