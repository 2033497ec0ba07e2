"""The index as a whole: what is probed, what is scanned, and the edges."""

import inspect
import itertools

import numpy as np
import pytest
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.ivf import IVF
from ivfbench.algorithms.probing.fixed import Fixed
from ivfbench.algorithms.routers.centroid import Centroid

pytestmark = pytest.mark.interpreted


@pytest.fixture(scope="module")
def built(tiny):
    n, d, q, lists = (40, 3, 5, 6) if tiny else (400, 8, 25, 20)
    rng = np.random.default_rng(5)
    rows, queries = (rng.standard_normal((count, d)).astype(np.float32) for count in (n, q))
    return rows, queries, IVF(KMeans(lists=lists, iterations=4)).build(rows, "euclidean")


def list_of_each_row(index, count):
    panels, found = index.lists.panels, np.full(count, -1)
    for i in range(index.count):
        ids = panels.ids[panels.starts[i] : panels.starts[i + 1]]
        found[ids[ids >= 0]] = i
    return found


@pytest.mark.parametrize("nprobe", [1, 3, 6])
def test_exactly_the_probed_lists_are_scanned(naive, built, nprobe):
    rows, queries, index = built
    probes = index.routes.route(queries, nprobe).lists
    lists = list_of_each_row(index, len(rows))
    found = index.search(queries, 10, nprobe=nprobe)
    expected, distances, scanned = naive.search(rows, queries, "euclidean", 10, lists, probes)
    np.testing.assert_array_equal(found.ids, expected)
    np.testing.assert_allclose(found.distances, distances, rtol=1e-5)
    np.testing.assert_array_equal(found.scanned, scanned)
    assert (found.probed == nprobe).all()


def test_more_probes_find_no_worse_neighbours(built):
    _, queries, index = built
    kth = [index.search(queries, 5, nprobe=nprobe).distances for nprobe in range(1, index.count + 1)]
    for fewer, more in itertools.pairwise(kth):
        assert (more <= fewer).all()


def test_more_probes_than_lists_means_all(built):
    rows, queries, index = built
    found, everything = (index.search(queries, 5, nprobe=nprobe) for nprobe in (index.count + 50, index.count))
    assert found.ids.tobytes() == everything.ids.tobytes()
    assert (found.probed == index.count).all()
    assert (found.scanned == len(rows)).all()


def test_probing_is_what_nprobe_stands_for(built):
    _, queries, index = built
    by_policy = index.search(queries, 5, probing=Fixed(3))
    assert by_policy.ids.tobytes() == index.search(queries, 5, nprobe=3).ids.tobytes()
    assert (index.search(queries, 5).probed == 1).all()
    with pytest.raises(ValueError, match=r"^search: found both nprobe and probing, expected one of them$"):
        index.search(queries, 5, nprobe=3, probing=Fixed(3))


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True])
def test_wrong_nprobe(built, wrong):
    _, queries, index = built
    with pytest.raises(ValueError, match=rf"^nprobe: found {wrong!r}, expected an integer of at least 1$"):
        index.search(queries, nprobe=wrong)


def test_one_query_as_a_vector(built):
    _, queries, index = built
    assert index.search(queries[0], 4).ids.shape == (1, 4)
    assert index.search(queries[0].tolist(), 4).ids.tolist() == index.search(queries[:1], 4).ids.tolist()


def test_no_queries(built):
    _, queries, index = built
    found = index.search(queries[:0], 4)
    assert found.ids.shape == found.distances.shape == (0, 4)
    assert found.scanned.shape == (0,)


def test_fewer_points_probed_than_asked_for(built):
    rows, queries, index = built
    found = index.search(queries, len(rows), nprobe=1)
    for ids, distances, scanned in zip(found.ids, found.distances, found.scanned, strict=True):
        assert scanned < len(rows)
        assert (ids >= 0).sum() == scanned
        assert np.isposinf(distances[scanned:]).all()


def test_empty_lists_are_probed_and_hold_nothing():
    index = IVF(KMeans(lists=5)).build(np.full((20, 3), 7, dtype=np.float32), "euclidean")
    assert index.lists.panels.sizes.tolist() == [20, 0, 0, 0, 0]
    assert index.built.notes["lists_empty"] == 4
    for nprobe in range(1, 6):
        found = index.search(np.ones((2, 3)), 3, nprobe=nprobe)
        assert (found.probed == nprobe).all()
        assert set(found.scanned.tolist()) <= {0, 20}
    assert found.ids.tolist() == [[0, 1, 2]] * 2


@pytest.mark.parametrize("scoring", ["inner product", "normalised", "euclidean", "manhattan"])
def test_routes_of_centroids(naive, built, scoring):
    rows, queries, _ = built
    index = IVF(KMeans(lists=6, iterations=3), Centroid(scoring), seed=4).build(rows, "ip")
    clusters = KMeans(lists=6, iterations=3).cluster(rows, index.lists.space, seed=4)
    centroids = clusters.centroids.astype(float)
    products = queries.astype(float) @ centroids.T
    lengths = np.linalg.norm(centroids, axis=1)
    scores = {
        "inner product": -products,
        "normalised": -products / lengths,
        "euclidean": lengths**2 / 2 - products,
        "manhattan": naive.distances(centroids, queries, "manhattan"),
    }[scoring]
    np.testing.assert_array_equal(index.routes.route(queries, 6).lists, naive.best(scores, 6))


def test_lists_of_equal_score_come_by_number(metric):
    # A zero query scores every list alike where scores are products, whatever the signs of the centroids.
    rows = np.array([[-3.0], [-2.0], [-1.0], [1.0], [2.0], [3.0]], dtype=np.float32)
    index = IVF(KMeans(lists=6)).build(rows, metric)
    if metric not in ("euclidean", "manhattan"):
        assert index.routes.route(np.zeros((2, 1), dtype=np.float32), 6).lists.tolist() == [[0, 1, 2, 3, 4, 5]] * 2


def test_subnormal_points_have_an_angle():
    rows = np.array([[1e-42, 0], [0, 1], [-1, 1e-40]], dtype=np.float32)
    found = IVF(KMeans(lists=2)).build(rows, "angular").search(rows, 3, nprobe=2)
    assert found.ids.tolist() == [[0, 1, 2], [1, 0, 2], [2, 1, 0]]
    np.testing.assert_allclose(found.distances, [[0, 1, 2], [0, 1, 1], [0, 1, 2]], atol=1e-6)


def test_large_read_only_points_give_the_same_index():
    rows = np.random.default_rng(1).standard_normal((400, 41)).astype(np.float32)  # above rows.CHEAP_TO_COPY
    expected = IVF(KMeans(lists=2, iterations=1)).build(rows, "angular").search(rows[:3], 4)
    rows.flags.writeable = False
    found = IVF(KMeans(lists=2, iterations=1)).build(rows, "angular").search(rows[:3], 4)
    assert found.ids.tobytes() == expected.ids.tobytes()
    assert found.distances.tobytes() == expected.distances.tobytes()


def test_build_takes_training_queries_and_nothing_of_the_test_set():
    taken = list(inspect.signature(IVF.build).parameters)
    assert taken == ["self", "train", "metric", "training", "threads", "progress"]
