"""Each stop rule against its definition, list after list, in NumPy."""

from fractions import Fraction

import numpy as np
import pytest
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.ivf import IVF
from ivfbench.algorithms.probing.ball_cap import BallCap
from ivfbench.algorithms.probing.cap_volume import cap_volumes
from ivfbench.algorithms.probing.distance_ratio import DistanceRatio
from ivfbench.algorithms.probing.patience import Patience
from ivfbench.algorithms.probing.softmax_mass import SoftmaxMass
from ivfbench.algorithms.routers.centroid import Centroid

pytestmark = pytest.mark.interpreted


@pytest.fixture(scope="module")
def data(tiny):
    """Points in clumps, so that policies have something to tell apart, and queries."""
    n, d, q, clumps = (60, 3, 4, 6) if tiny else (900, 8, 40, 30)
    rng = np.random.default_rng(3)
    middles = 2 * rng.standard_normal((clumps, d))
    rows, queries = (middles[rng.integers(clumps, size=m)] + rng.standard_normal((m, d)) for m in (n, q))
    return rows.astype(np.float32), queries.astype(np.float32)


@pytest.fixture(scope="module")
def indexes(data, tiny):
    """A function: the index under a metric; vectors have length 1 under `normalized`."""

    def build(metric, scoring=None):
        rows, queries = data
        if metric == "normalized":
            rows, queries = (part / np.linalg.norm(part, axis=1, keepdims=True) for part in data)
        algorithm = IVF(KMeans(lists=6 if tiny else 30, iterations=4), Centroid(scoring))
        return rows, queries, algorithm.build(rows, metric)

    return build


def best_after_each_list(naive, rows, query, index, metric, k):
    """For each prefix of the routed lists: the ids of the best k, and the distance of the k-th."""
    of_rows, lists = index.lists.list_of_each_row(), index.routes.route(query[None], index.count).lists
    for opened in range(1, index.count + 1):
        ids, distances, _ = naive.search(rows, query[None], metric, k, of_rows, lists[:, :opened])
        yield ids[0][ids[0] >= 0], distances[0, -1]


class TestPatience:
    @pytest.mark.parametrize(
        ("overlap", "patience", "k"), [(1, 1, 1), (0.7, 1, 10), (0.95, 3, 20), (0.5, 2, 5), (0.1, 4, 3), (1.0, 8, 10)]
    )
    @pytest.mark.parametrize("metric", ["euclidean", "ip"])
    def test_against_sets(self, naive, indexes, metric, overlap, patience, k):
        rows, queries, index = indexes(metric)
        found = index.search(queries, k, probing=Patience(overlap, patience))
        for query, probed in zip(queries, found.probed, strict=True):
            before, calm, expected = set(), 0, 0
            for ids, _ in best_after_each_list(naive, rows, query, index, metric, k):
                expected += 1
                same = len(before & set(ids.tolist()))
                calm = calm + 1 if same >= Fraction(str(overlap)) * k else 0
                before = set(ids.tolist())
                if calm == patience:
                    break
            assert probed == expected

    def test_most_caps_the_lists(self, indexes):
        _, queries, index = indexes("euclidean")
        patient = index.search(queries, 5, probing=Patience(1, 10**9, most=4))
        assert (patient.probed == 4).all()
        fixed = index.search(queries, 5, nprobe=4)
        assert patient.ids.tobytes() == fixed.ids.tobytes()
        np.testing.assert_array_equal(patient.scanned, fixed.scanned)

    def test_more_patience_opens_no_less(self, indexes):
        _, queries, index = indexes("angular")
        probed = [index.search(queries, 5, probing=Patience(0.9, patience)).probed for patience in (1, 2, 4)]
        assert (probed[0] <= probed[1]).all()
        assert (probed[1] <= probed[2]).all()
        assert (probed[0] < probed[2]).any()


def cap_by_sums(height, dimension):
    """Volume beyond a height, as a part of the ball: plain sums over thin slices."""

    def volume(lowest):
        edges = np.linspace(lowest, 1, 8_001)
        middles = (edges[1:] + edges[:-1]) / 2
        return ((1 - middles**2) ** ((dimension - 1) / 2)).sum() * (1 - lowest)

    return volume(height) / volume(-1)


class TestCapVolumes:
    def test_by_hand(self):
        heights = np.linspace(0, 1, 65)
        np.testing.assert_allclose(cap_volumes(1, 64), (1 - heights) / 2, atol=1e-12)
        area = (np.arccos(heights) - heights * np.sqrt(1 - heights**2)) / np.pi
        np.testing.assert_allclose(cap_volumes(2, 64), area, atol=1e-12)
        np.testing.assert_allclose(cap_volumes(3, 64), (1 - heights) ** 2 * (2 + heights) / 4, atol=1e-12)

    @pytest.mark.parametrize("dimension", [1, 2, 5, 30, 384])
    def test_against_thin_slices(self, dimension):
        caps = cap_volumes(dimension)
        assert (caps[0], caps[-1]) == (0.5, 0.0)
        assert (np.diff(caps) <= 0).all()
        for place in (64, 100, 300, 800):
            assert caps[place] == pytest.approx(cap_by_sums(place / 1024, dimension), rel=1e-3, abs=1e-12)

    def test_small_caps_keep_their_digits(self):
        caps = cap_volumes(384)
        assert 0 < caps[900] < 1e-100
        assert caps[900] / caps[901] == pytest.approx(cap_ratio(900, 384), rel=1e-6)


def cap_ratio(place, dimension):
    """Cap beyond place / 1024 over that beyond the next place, by a fine sum from the pole down."""
    edges = np.concatenate([np.linspace(place, place + 1, 20_001), np.linspace(place + 1, 1024, 400_001)[1:]]) / 1024
    middles, widths = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    slices = (1 - middles**2) ** ((dimension - 1) / 2) * widths
    return slices.sum() / slices[20_000:].sum()


def recall_estimate(query, centroids, order, opened, radius):
    """The share of the neighbours in the first `opened` lists of the order, by geometry in float64."""
    home = int(np.linalg.norm(centroids - query, axis=1).argmin())
    volumes = np.zeros(len(centroids))
    for j in set(range(len(centroids))) - {home}:
        middle, across = (centroids[home] + centroids[j]) / 2, centroids[j] - centroids[home]
        height = abs((query - middle) @ across) / np.linalg.norm(across)
        volumes[j] = cap_by_sums(height / radius, len(query)) if height < radius else 0.0
    if volumes.sum() == 0:
        return float(home in order[:opened])
    volumes /= volumes.sum()
    at_home = np.prod(1 - volumes)
    shares = (1 - at_home) * volumes
    shares[home] = at_home
    return shares[order[:opened]].sum() if home in order[:opened] else 0.0


class TestBallCap:
    @pytest.mark.parametrize("metric", ["euclidean", "angular", "normalized"])
    @pytest.mark.parametrize("scoring", [None, "inner product"])
    def test_against_geometry(self, naive, indexes, metric, scoring):
        # The inner product of centroids is a poor router here: the nearest centroid may come late.
        rows, queries, index = indexes(metric, scoring)
        found = index.search(queries, 5, probing=BallCap(0.8))
        centroids, middle = index.centroids.astype(np.float64), naive.center(rows, metric)
        for query, probed in list(zip(queries, found.probed, strict=True))[:12]:
            order = index.routes.route(query[None], index.count).lists[0]
            prepared = naive.prepare(query[None], metric, middle)[0]
            after = best_after_each_list(naive, rows, query, index, metric, 5)
            for opened, (ids, kth) in enumerate(after, start=1):
                radius = kth if metric == "euclidean" else np.sqrt(2 * kth)
                enough = len(ids) == 5 and recall_estimate(prepared, centroids, order, opened, radius) - 0.8
                if opened < probed:
                    assert enough is False or enough < 1e-3
                if opened == probed:
                    assert opened == index.count or enough > -1e-3

    @pytest.mark.parametrize("ball_metric", ["euclidean", "angular", "normalized"])
    def test_recall_of_one_is_exact_and_spares_lists(self, naive, indexes, ball_metric):
        rows, queries, index = indexes(ball_metric)
        found = index.search(queries, 1, probing=BallCap(1.0))
        assert naive.recall(found.ids, rows, queries, ball_metric, 1) == 1.0
        assert found.probed.min() < index.count

    def test_candidates_cap_the_lists(self, indexes):
        _, queries, index = indexes("euclidean")
        assert index.search(queries, 5, probing=BallCap(1.0, candidates=3)).probed.max() <= 3

    def test_a_higher_recall_opens_no_less(self, indexes):
        _, queries, index = indexes("euclidean")
        fewer, more = (index.search(queries, 5, probing=BallCap(recall)).probed for recall in (0.5, 0.95))
        assert (fewer <= more).all()
        assert (fewer < more).any()


class TestDecidedByRoutes:
    @pytest.mark.parametrize(("recall", "temperature"), [(0.5, 1.0), (0.9, 3.0), (0.99, 0.2), (1e-9, 1.0)])
    def test_softmax_mass_against_its_definition(self, indexes, metric, recall, temperature):
        _, queries, index = indexes(metric)
        found = index.search(queries, 5, probing=SoftmaxMass(recall, temperature))
        routed = index.routes.route(queries, index.count)
        scores = routed.scores.astype(np.float64) / temperature
        masses = np.exp(scores - scores.max(axis=1, keepdims=True))
        reached = np.cumsum(masses / masses.sum(axis=1, keepdims=True), axis=1)
        expected = np.minimum((reached < recall - 1e-12).sum(axis=1) + 1, index.count)
        np.testing.assert_array_equal(found.probed, expected)

    @pytest.mark.parametrize(("epsilon", "most"), [(0, None), (0.1, None), (0.5, 4), (2, None)])
    @pytest.mark.parametrize("scoring", [None, "inner product"])
    def test_distance_ratio_against_its_definition(self, naive, indexes, metric, scoring, epsilon, most):
        rows, queries, index = indexes(metric, scoring)
        found = index.search(queries, 5, probing=DistanceRatio(epsilon, most))
        prepared = naive.prepare(queries, metric, naive.center(rows, metric))
        lengths = np.stack([np.linalg.norm(index.centroids - query, axis=1) for query in prepared])
        routed = index.routes.route(queries, index.count).lists[:, :most]
        lengths = np.take_along_axis(lengths, routed, axis=1)
        near = lengths <= (1 + epsilon) * lengths.min(axis=1, keepdims=True) * (1 + 1e-6)
        np.testing.assert_array_equal(found.probed, near.sum(axis=1))
        sizes = index.lists.panels.sizes[routed]
        np.testing.assert_array_equal(found.scanned, np.where(near, sizes, 0).sum(axis=1))
