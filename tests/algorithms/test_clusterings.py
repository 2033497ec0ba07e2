"""Spherical and shallow clustering against their definitions, and the empirical means of any."""

import numpy as np
import pytest
from ivfbench.algorithms.clustering.clusters import nearest_centroids, prepared_blocks
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.clustering.lloyd import draw_sample
from ivfbench.algorithms.clustering.shallow import Shallow
from ivfbench.algorithms.clustering.spherical import SphericalKMeans
from ivfbench.algorithms.kernels.space import identity, make_space

pytestmark = pytest.mark.interpreted


@pytest.fixture
def rows(normal, tiny):
    # of very different lengths
    made = normal(40, 3) if tiny else normal(600, 16)
    return made * np.random.default_rng(1).lognormal(0, 0.7, (len(made), 1)).astype(np.float32)


def units(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_largest_inner_products_are_the_oracles(whole_numbers, shapes, threads):
    for n, d in sorted({shape[:2] for shape in shapes}):
        rows, centroids = whole_numbers(n, d), whole_numbers(19, d, seed=3)
        assignment, scores = nearest_centroids(rows, identity(d), centroids, threads, squared=False)
        products = rows.astype(np.float64) @ centroids.T
        np.testing.assert_array_equal(assignment, products.argmax(axis=1))
        np.testing.assert_array_equal(-scores, products.max(axis=1))


@pytest.mark.parametrize("lists", [7, 40])  # with bounds, and without: their memory decides
def test_one_spherical_iteration_is_the_oracles(naive, rows, metric, lists):
    lists = min(lists, len(rows) // 3)
    space = make_space(rows, metric)
    sample, start = draw_sample(rows, space, lists, 256, 5, 1)
    first = (sample.astype(np.float64) @ units(start).T).argmax(axis=1)
    expected = units(naive.means(sample, first, lists))
    assert len(set(first.tolist())) == lists  # every list has a row: none was filled from another
    found = SphericalKMeans(lists=lists, iterations=1).cluster(rows, space, seed=5)
    np.testing.assert_allclose(found.centroids, expected, atol=2e-6)
    products = naive.prepare(rows, metric, space.center) @ found.centroids.T.astype(np.float64)
    chosen = np.take_along_axis(products, found.assignment[:, None].astype(np.int64), axis=1)[:, 0]
    np.testing.assert_allclose(chosen, products.max(axis=1), atol=1e-5)


def test_the_sum_of_inner_products_rises(naive, rows, metric):
    space = make_space(rows, metric)
    clusters = SphericalKMeans(lists=8, iterations=6).cluster(rows, space, seed=2)
    np.testing.assert_allclose(np.linalg.norm(clusters.centroids, axis=1), 1, atol=1e-6)
    objective = np.array(clusters.objective)
    assert len(objective) == 7
    assert (np.diff(objective) >= -1e-5 * objective[0]).all()
    assert objective[-1] > objective[0]
    products = naive.prepare(rows, metric, space.center) @ clusters.centroids.T.astype(np.float64)
    assert objective[-1] == pytest.approx(products.max(axis=1).sum(), rel=1e-4)
    assert clusters.statistics()["lists_empty"] == 0


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_the_unit_of_the_rows_does_not_matter(rows, factor):
    few = SphericalKMeans(lists=6, iterations=5)
    clusters = few.cluster(rows, identity(rows.shape[1]), seed=1)
    scaled = few.cluster((rows * factor).astype(np.float32), identity(rows.shape[1]), seed=1)
    np.testing.assert_array_equal(clusters.assignment, scaled.assignment)
    np.testing.assert_allclose(clusters.centroids, scaled.centroids, atol=1e-5)


@pytest.mark.parametrize("clustering", [SphericalKMeans(lists=9, iterations=4), Shallow(lists=9)])
def test_deterministic_for_a_seed_at_any_number_of_threads(rows, clustering):
    space = make_space(rows, "ip")
    first, again = (clustering.cluster(rows, space, seed=5, threads=t) for t in (1, 2))
    other = clustering.cluster(rows, space, seed=6)
    assert first.centroids.tobytes() == again.centroids.tobytes()
    assert first.assignment.tobytes() == again.assignment.tobytes()
    assert first.objective == again.objective
    assert first.centroids.tobytes() != other.centroids.tobytes()


@pytest.mark.parametrize("seed", range(4))
def test_empty_spherical_lists_are_filled(seed):
    # Most rows point one way: random rows start several lists there, and all but one of those are empty at first.
    angles = np.concatenate([np.zeros(60), [0.5, 1.5, 2.5, 3.5]])
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    clusters = SphericalKMeans(lists=5, iterations=10).cluster(rows, identity(2), seed=seed)
    assert sorted(clusters.sizes.tolist()) == [1, 1, 1, 1, 60]
    assert clusters.objective[-1] == pytest.approx(64)


def test_rows_without_direction(naive):
    rows = np.concatenate([np.zeros((20, 3)), np.eye(3)]).astype(np.float32)
    clusters = SphericalKMeans(lists=4, iterations=3).cluster(rows, identity(3))
    np.testing.assert_allclose(np.linalg.norm(clusters.centroids, axis=1), 1, atol=1e-6)
    assert clusters.sizes.sum() == 23


def test_shallow_takes_rows_and_assigns_once(naive, rows, metric):
    space = make_space(rows, metric)
    told = []
    clusters = Shallow(lists=7).cluster(rows, space, seed=3, progress=lambda *step: told.append(step[:3]))
    prepared = naive.prepare(rows, metric, space.center)
    to_rows = np.abs(prepared[:, None] - clusters.centroids[None]).max(axis=2)
    assert len(set(to_rows.argmin(axis=0).tolist())) == 7
    assert to_rows.min(axis=0).max() < 1e-5
    products = prepared @ clusters.centroids.T.astype(np.float64)
    chosen = np.take_along_axis(products, clusters.assignment[:, None].astype(np.int64), axis=1)[:, 0]
    np.testing.assert_allclose(chosen, products.max(axis=1), atol=1e-4)
    assert clusters.objective == (pytest.approx(products.max(axis=1).sum(), rel=1e-5),)
    assert clusters.sampled == 0
    assert told == [("k-means", 0, 1), ("k-means", 1, 1)]


@pytest.mark.parametrize(("lists", "expected"), [(None, 4), (3, 3), (999, 16)])
@pytest.mark.parametrize("clustering", [SphericalKMeans, Shallow])
def test_no_more_lists_than_points(normal, clustering, lists, expected):
    clusters = clustering(lists=lists).cluster(normal(16, 2), identity(2))
    assert len(clusters.centroids) == expected


@pytest.mark.parametrize("clustering", [KMeans(5, 2), SphericalKMeans(5, 2), Shallow(5)])
def test_means_are_those_of_the_lists(naive, rows, metric, clustering):
    space = make_space(rows, metric)
    clusters = clustering.cluster(rows, space)
    expected = naive.means(naive.prepare(rows, metric, space.center), clusters.assignment, 5)
    expected = np.where(np.isnan(expected), clusters.centroids, expected)  # an empty list keeps its centroid
    np.testing.assert_allclose(clusters.means(rows, space), expected, rtol=1e-5, atol=1e-6)


def test_an_empty_list_keeps_its_centroid():
    rows = np.full((20, 3), 7, dtype=np.float32)
    clusters = KMeans(lists=4, iterations=2).cluster(rows, identity(3))
    assert clusters.sizes.tolist() == [20, 0, 0, 0]
    np.testing.assert_array_equal(clusters.means(rows, identity(3)), np.full((4, 3), 7))


def test_a_long_list_comes_in_blocks_and_every_row_once(monkeypatch, normal):
    monkeypatch.setattr("ivfbench.algorithms.clustering.clusters.ROWS_PER_BLOCK", 4)
    rows = normal(11, 2)
    members = np.array([0, 2, 3, 5, 6, 7, 8, 9, 10])
    blocks = list(prepared_blocks(rows, members, identity(2)))
    assert [len(block) for block in blocks] == [4, 4, 1]
    np.testing.assert_array_equal(np.concatenate(blocks), rows[members])
