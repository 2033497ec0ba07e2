"""What policies learn from held-out queries: the split, the lists of neighbours, the temperature, the promise."""

import numpy as np
import pytest
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.ivf import IVF
from ivfbench.algorithms.probing.calibration import AT_MOST, hold_out, neighbour_lists, routed_neighbours
from ivfbench.algorithms.probing.conformal import Conformal, threshold
from ivfbench.algorithms.probing.softmax_mass import SoftmaxMass
from ivfbench.algorithms.probing.temperature import fit_temperature
from ivfbench.algorithms.routers.learnt import Learnt
from ivfbench.algorithms.routers.router import MissingTrainingQueries, Routed, TrainingQueries, held_out

POLICY = SoftmaxMass()


@pytest.fixture(scope="module")
def data():
    """Points and queries in clumps: (rows, training queries, test queries)."""
    rng = np.random.default_rng(4)
    middles = 1.5 * rng.standard_normal((40, 8))
    counts = (2000, 3000, 1500)
    return [(middles[rng.integers(40, size=n)] + rng.standard_normal((n, 8))).astype(np.float32) for n in counts]


@pytest.fixture(scope="module")
def index(data):
    return IVF(KMeans(lists=40, iterations=4)).build(data[0], "euclidean", TrainingQueries(data[1]))


class TestHeldOut:
    @pytest.mark.parametrize("count", [0, 1, 2, 3, 10, 11, 1000])
    def test_every_query_is_on_one_side(self, count):
        held, kept = held_out(count, 7)
        assert sorted([*held.tolist(), *kept.tolist()]) == list(range(count))
        assert len(held) == (0 if count < 2 else max(1, round(0.1 * count)))

    def test_the_seed_decides_and_a_smaller_part_is_a_beginning(self):
        held = held_out(100, 1, 0.3)[0]
        np.testing.assert_array_equal(held, held_out(100, 1, 0.3)[0])
        np.testing.assert_array_equal(held[:10], held_out(100, 1)[0])
        assert held_out(100, 2)[0].tolist() != held[:10].tolist()
        assert len(held_out(10, 1, 1.0)[0]) == 9

    def test_these_are_the_queries_that_a_learnt_router_does_not_train_on(self, data):
        # A held-out query may say anything about its neighbours: with no epochs but one, the weights do not see it.
        rows, learn, _ = data
        held, _ = held_out(300, 5)
        rng = np.random.default_rng(0)
        honest = rng.integers(0, len(rows), (300, 1)).astype(np.int32)
        changed = honest.copy()
        changed[held] = rng.integers(0, len(rows), (len(held), 1))
        algorithm = IVF(KMeans(lists=40, iterations=2), Learnt(epochs=1, start="scratch"), seed=5)
        routed = [
            algorithm.build(rows, "ip", TrainingQueries(learn[:300], labels)).routes.route(learn[:50], 40).scores
            for labels in (honest, changed)
        ]
        np.testing.assert_array_equal(*routed)


class TestCalibration:
    def test_lists_are_those_of_the_given_neighbours(self):
        assignment = np.array([3, 1, 2, 1], dtype=np.int32)
        neighbors = np.tile(np.array([[0, 3, -1, 9]], dtype=np.int32), (20, 1))
        queries = np.arange(40, dtype=np.float32).reshape(20, 2)
        calibration = hold_out(TrainingQueries(queries, neighbors), assignment, seed=3)
        held, _ = held_out(20, 3)
        np.testing.assert_array_equal(calibration.queries, queries[held])
        assert calibration.lists.tolist() == [[3, 1, -1, -1]] * 2
        assert calibration.searchable

    def test_nothing_to_hold_out(self):
        assignment = np.zeros(4, dtype=np.int32)
        assert hold_out(None, assignment, 0) is None
        assert hold_out(TrainingQueries(np.zeros((1, 2), dtype=np.float32)), assignment, 0) is None

    def test_there_is_a_limit(self):
        queries = np.zeros((80_000, 1), dtype=np.float32)
        assert len(hold_out(TrainingQueries(queries), np.zeros(1, dtype=np.int32), 0).queries) == AT_MOST

    def test_missing_neighbours_are_searched(self, naive, data, index):
        queries, lists = neighbour_lists(POLICY, index, 5)
        nearest = naive.search(data[0], queries[:50], "euclidean", 5)[0]
        np.testing.assert_array_equal(lists[:50], index.lists.list_of_each_row()[nearest])
        assert len(queries) == 300

    def test_too_few_are_searched_and_enough_are_not(self, data):
        rows, learn, _ = data
        wrong = np.zeros((len(learn), 3), dtype=np.int32)  # row 0 everywhere: seen if these are used
        algorithm = IVF(KMeans(lists=40, iterations=4))
        built = algorithm.build(rows, "euclidean", TrainingQueries(learn, wrong))
        assert len(np.unique(neighbour_lists(POLICY, built, 3)[1])) == 1
        assert len(np.unique(neighbour_lists(POLICY, built, 4)[1])) > 10
        built = algorithm.build(rows, "euclidean", TrainingQueries(learn, wrong, from_train=True))
        queries, lists = neighbour_lists(POLICY, built, 3)
        assert lists.shape == (len(queries), 3)
        with pytest.raises(MissingTrainingQueries, match="found 3 neighbours of each training row, expected 4"):
            neighbour_lists(POLICY, built, 4)  # searched, they would find themselves

    def test_list_of_each_row(self, index, data):
        lists, panels = index.lists.list_of_each_row(), index.lists.panels
        for i in range(index.count):
            ids = panels.ids[panels.starts[i] : panels.starts[i + 1]]
            assert (lists[ids[ids >= 0]] == i).all()
        np.testing.assert_array_equal(np.bincount(lists, minlength=index.count), panels.sizes)

    def test_places_are_where_the_lists_come(self, index):
        routed, places = routed_neighbours(POLICY, index, 5)
        lists = neighbour_lists(POLICY, index, 5)[1]
        np.testing.assert_array_equal(np.take_along_axis(routed.lists, places, axis=1), lists)


def drawn(temperature, rng, queries=4000, lists=30):
    """Scores, and for each query three lists drawn from their softmax."""
    scores = -np.sort(-3 * rng.standard_normal((queries, lists)), axis=1).astype(np.float32)
    masses = np.exp(scores.astype(np.float64) / temperature)
    reached = np.cumsum(masses / masses.sum(axis=1, keepdims=True), axis=1)
    places = (rng.random((queries, 3, 1)) > reached[:, None]).sum(axis=2)
    routed = Routed(np.tile(np.arange(lists, dtype=np.int32), (queries, 1)), scores)
    return routed, np.minimum(places, lists - 1).astype(np.int32)


def loss(routed, places, temperature):
    """Mean over queries of the mean over known neighbours of -log softmax."""
    scaled = routed.scores.astype(np.float64) / temperature
    logs = scaled - np.log(np.exp(scaled - scaled.max(axis=1, keepdims=True)).sum(axis=1, keepdims=True))
    logs -= scaled.max(axis=1, keepdims=True)
    return -np.mean([np.mean(row[place[place >= 0]]) for row, place in zip(logs, places, strict=True)])


class TestTemperature:
    @pytest.mark.parametrize("true", [0.05, 1.0, 7.0])
    def test_the_one_that_labels_were_drawn_at_comes_back(self, true):
        assert fit_temperature(*drawn(true, np.random.default_rng(1))) == pytest.approx(true, rel=0.1)

    def test_none_is_likelier(self):
        routed, places = drawn(2.0, np.random.default_rng(2), queries=300)
        places[::3, 1] = -1
        found = fit_temperature(routed, places)
        best = loss(routed, places, found)
        assert all(best <= loss(routed, places, found * factor) for factor in (0.5, 0.98, 0.999, 1.001, 1.02, 2))

    def test_the_unit_of_the_scores_does_not_matter(self):
        routed, places = drawn(2.0, np.random.default_rng(3), queries=300)
        scaled = Routed(routed.lists, routed.scores * np.float32(1024))
        assert fit_temperature(scaled, places) == pytest.approx(1024 * fit_temperature(routed, places), rel=1e-4)

    def test_nothing_to_tell_by(self):
        routed = Routed(np.zeros((5, 1), dtype=np.int32), np.ones((5, 1), dtype=np.float32))
        assert fit_temperature(routed, np.zeros((5, 2), dtype=np.int32)) == 1.0
        none = Routed(routed.lists[:0], routed.scores[:0])
        assert fit_temperature(none, np.zeros((0, 2), dtype=np.int32)) == 1.0

    def test_a_perfect_and_a_hopeless_router_end_somewhere(self):
        routed, places = drawn(1.0, np.random.default_rng(4), queries=50)
        assert 0 < fit_temperature(routed, np.zeros_like(places)) < 1
        assert 1 < fit_temperature(routed, np.full_like(places, 29)) < np.inf

    def test_a_learnt_router_needs_hardly_any(self, data):
        rows, learn, _ = data
        built = IVF(KMeans(lists=40, iterations=4), Learnt(epochs=20)).build(rows, "euclidean", TrainingQueries(learn))
        assert 0.6 < fit_temperature(*routed_neighbours(POLICY, built, 1)) < 1.7


def threshold_by_trial(ahead, recall):
    """The smallest of all candidates that keeps the promise, by its definition."""
    count = len(ahead)
    for candidate in sorted({0.0, *ahead[~np.isnan(ahead)].tolist()}):
        missed = sum(np.mean(row[~np.isnan(row)] > candidate) for row in ahead)
        if (missed + 1) / (count + 1) <= 1 - recall + 1e-12:
            return candidate
    return np.inf


class TestConformal:
    @pytest.mark.parametrize("recall", [0.3, 0.5, 0.8, 0.9, 0.99, 1.0])
    @pytest.mark.parametrize("count", [1, 9, 10, 60])
    def test_the_threshold_against_its_definition(self, recall, count):
        rng = np.random.default_rng([count, round(100 * recall)])
        ahead = np.round(rng.random((count, 4)), 1)  # ties
        ahead[rng.random(ahead.shape) < 0.2] = np.nan
        ahead[:, 0] = np.round(rng.random(count), 1)
        assert threshold(ahead, recall) == threshold_by_trial(ahead, recall)

    @pytest.mark.parametrize("recall", [0.6, 0.9])
    def test_the_promise_holds_on_average_and_is_not_wasted(self, recall):
        # Exchangeable: calibration and test queries from one heap of hard and easy ones.
        rng, count, found = np.random.default_rng(6), 40, []
        for _ in range(400):
            ahead = rng.random((2 * count, 5)) ** rng.choice([0.3, 5.0], size=(2 * count, 1))
            found.append((ahead[count:] <= threshold(ahead[:count], recall)).mean())
        error = np.std(found) / np.sqrt(len(found))
        assert np.mean(found) > recall - 3 * error
        assert np.mean(found) < recall + 2 / (count + 1) + 3 * error

    @pytest.mark.parametrize("k", [1, 10])
    @pytest.mark.parametrize("recall", [0.5, 0.8, 0.95])
    def test_the_promise_holds_for_the_index(self, naive, data, index, recall, k):
        rows, _, test = data
        found = index.search(test, k, probing=Conformal(recall))
        reached = naive.recall(found.ids, rows, test, "euclidean", k)
        assert recall - 0.04 < reached  # 150 calibration queries: a standard error of 0.02 to 0.03
        assert reached < recall + 0.12 or np.median(found.probed) <= 1
        assert found.probed.mean() < index.count / 2

    def test_a_bad_router_opens_more_and_keeps_the_promise(self, naive, data):
        # Scores of another metric: the mass says little, the promise holds.
        from ivfbench.algorithms.routers.centroid import Centroid

        rows, learn, test = data
        built = IVF(KMeans(lists=40, iterations=4), Centroid("inner product")).build(
            rows, "euclidean", TrainingQueries(learn)
        )
        found = built.search(test, 1, probing=Conformal(0.8))
        assert naive.recall(found.ids, rows, test, "euclidean", 1) > 0.76

    def test_too_few_queries_promise_nothing_less_than_all_lists(self, data):
        rows, learn, test = data
        built = IVF(KMeans(lists=10, iterations=4)).build(rows, "euclidean", TrainingQueries(learn[:40]))
        assert (built.search(test[:9], 3, probing=Conformal(0.9)).probed == 10).all()
        assert (built.search(test[:9], 3, probing=Conformal(0.2)).probed < 10).any()
