"""What every probing policy promises, over routers of three kinds, under each metric."""

import dataclasses
import hashlib

import numpy as np
import pytest
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.ivf import IVF
from ivfbench.algorithms.probing.ball_cap import BallCap
from ivfbench.algorithms.probing.conformal import Conformal
from ivfbench.algorithms.probing.distance_ratio import DistanceRatio
from ivfbench.algorithms.probing.fixed import Fixed
from ivfbench.algorithms.probing.patience import Patience
from ivfbench.algorithms.probing.softmax_mass import SoftmaxMass
from ivfbench.algorithms.registry import PROBINGS
from ivfbench.algorithms.routers.centroid import Centroid
from ivfbench.algorithms.routers.learnt import Learnt
from ivfbench.algorithms.routers.network import Network
from ivfbench.algorithms.routers.router import MissingTrainingQueries, TrainingQueries

pytestmark = pytest.mark.interpreted

# Of each policy one that opens some lists, and one that opens all that may hold a neighbour. A new policy fails the
# first test until it stands here.
SOME = [Fixed(3), SoftmaxMass(0.6), SoftmaxMass(0.6, 0.5), Patience(0.8, 2), BallCap(0.8), DistanceRatio(0.1)]
SOME += [Conformal(0.6), Patience(0.5, 1, most=3), BallCap(0.9, candidates=3), DistanceRatio(0.5, most=3)]
ALL = [Fixed(10**9), SoftmaxMass(1), Patience(1, 10**30), BallCap(1), DistanceRatio(1e9), Conformal(1.0)]
LISTS = 8


# One that scores products, one whose scores are logits, one that is not linear. What a policy sees of the others
# is the same, and test_routers holds them to it.
CHOSEN = (Centroid, Learnt, Network)


@pytest.fixture(params=CHOSEN, ids=lambda router: router.__name__, scope="module")
def router(request):
    made = request.param()
    return dataclasses.replace(made, epochs=2) if hasattr(made, "epochs") else made


@pytest.fixture(scope="module")
def data(tiny):
    """Points with duplicates and zeros, test queries, training queries."""
    n, d, q = (48, 4, 5) if tiny else (200, 16, 20)
    rng = np.random.default_rng(8)
    rows, queries, learn = (rng.standard_normal((count, d)).astype(np.float32) for count in (n, q, 64))
    rows[7] = rows[3]
    rows[9] = 0
    return rows, queries, TrainingQueries(learn)


@pytest.fixture(scope="module")
def indexes(router, data):
    """A function: the index under a metric, built once."""
    built = {}

    def build(metric):
        if metric not in built:
            built[metric] = IVF(KMeans(lists=LISTS, iterations=4), router, seed=11).build(data[0], metric, data[2])
        return built[metric]

    return build


def searchable(policies, metric):
    return [policy for policy in policies if metric not in ("ip", "manhattan") or not isinstance(policy, BallCap)]


def exact(metric):
    # The ball of a normalized vector is one of unit vectors, which these are not: see test_stop_rules.
    return [policy for policy in searchable(ALL, metric) if metric != "normalized" or not isinstance(policy, BallCap)]


def digest(found):
    arrays = (found.ids, found.distances, found.probed, found.scanned)
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()


def test_every_policy_is_here():
    assert {type(policy) for policy in SOME} == {type(policy) for policy in ALL} == set(PROBINGS.values())
    assert {policy.calibrates for policy in SOME} == {True, False}


def test_all_that_may_hold_a_neighbour_is_exact_search(naive, indexes, data, metric):
    rows, queries, _ = data
    index = indexes(metric)
    for policy in exact(metric):
        found = index.search(queries, 10, probing=policy)
        assert naive.recall(found.ids, rows, queries, metric, 10) == 1.0, policy
        assert (found.scanned == len(rows)).all() or isinstance(policy, BallCap), policy


def test_answers_have_their_form(indexes, data, metric):
    rows, queries, _ = data
    index = indexes(metric)
    for policy in searchable(SOME, metric):
        found = index.search(queries, 30, probing=policy)
        assert found.ids.shape == found.distances.shape == (len(queries), 30)
        assert (found.ids.dtype, found.distances.dtype) == (np.int32, np.float32)
        assert (found.probed.dtype, found.scanned.dtype) == (np.int64, np.int64)
        assert 1 <= found.probed.min() <= found.probed.max() <= LISTS
        for ids, distances, scanned in zip(found.ids, found.distances, found.scanned, strict=True):
            kept = min(30, scanned)
            assert len(set(ids[:kept].tolist())) == kept, policy
            assert ((ids[:kept] >= 0) & (ids[:kept] < len(rows))).all()
            assert (np.diff(distances[:kept]) >= 0).all()
            assert (ids[kept:] == -1).all()
            assert np.isposinf(distances[kept:]).all()


def test_the_lists_opened_are_the_first_that_the_router_names(naive, indexes, data):
    # Except for the distance ratio, which leaves lists out in between.
    rows, queries, _ = data
    index = indexes("euclidean")
    of_rows, routed = index.lists.list_of_each_row(), index.routes.route(queries, LISTS).lists
    for policy in SOME:
        found = index.search(queries, 4, probing=policy)
        for i, probed in enumerate(found.probed):
            ids, _, scanned = naive.search(
                rows, queries[i : i + 1], "euclidean", 4, of_rows, routed[i : i + 1, :probed]
            )  # fmt: skip
            if not isinstance(policy, DistanceRatio):
                assert found.ids[i].tolist() == ids[0].tolist(), policy
                assert found.scanned[i] == scanned[0]


def test_more_neighbours_than_points(indexes, data, metric):
    rows, queries, _ = data
    for policy in searchable(ALL, metric):
        found = indexes(metric).search(queries, len(rows) + 3, probing=policy)
        assert (np.sort(found.ids[:, :-3], axis=1) == np.arange(len(rows))).all(), policy
        assert (found.ids[:, -3:] == -1).all()
    for policy in searchable(SOME, metric):
        found = indexes(metric).search(queries, len(rows) + 3, probing=policy)
        assert ((found.ids >= 0).sum(axis=1) == found.scanned).all(), policy


def test_single_queries_batches_and_threads_agree(indexes, data, metric):
    _, queries, _ = data
    index = indexes(metric)
    for policy in searchable(SOME + ALL, metric):
        batch = index.search(queries, 7, probing=policy)
        assert digest(batch) == digest(index.search(queries, 7, probing=policy, threads=2)), policy
        for i, query in enumerate(queries):
            single = index.search(query, 7, probing=policy)
            assert single.ids[0].tobytes() == batch.ids[i].tobytes(), policy
            assert single.distances[0].tobytes() == batch.distances[i].tobytes()
            assert (single.probed[0], single.scanned[0]) == (batch.probed[i], batch.scanned[i])


def test_a_query_that_holds_nan_finds_nothing(indexes, data, metric):
    queries = data[1].copy()
    index = indexes(metric)
    for policy in searchable(SOME + ALL, metric):
        clean = index.search(queries, 5, probing=policy)
        broken = queries.copy()
        broken[1, 0] = np.nan
        for found, row in (
            (index.search(broken, 5, probing=policy), 1),
            (index.search(broken[1], 5, probing=policy), 0),
        ):
            assert (found.ids[row] == -1).all(), policy
            assert np.isposinf(found.distances[row]).all()
        found = index.search(broken, 5, probing=policy)
        np.testing.assert_array_equal(np.delete(found.ids, 1, axis=0), np.delete(clean.ids, 1, axis=0))


def test_no_queries(indexes, data):
    for policy in SOME:
        found = indexes("euclidean").search(data[1][:0], 5, probing=policy)
        assert (found.ids.shape, found.probed.shape) == ((0, 5), (0,)), policy


def test_what_is_calibrated_is_the_same_again(router, data, metric):
    rows, queries, training = data
    answers = []
    for threads in (1, 2, 2):
        if router.learns and threads == 1:
            continue  # float sums of training may differ by threads, see IVF.build
        index = IVF(KMeans(lists=LISTS, iterations=4), router, seed=11).build(rows, metric, training, threads=threads)
        answers.append([digest(index.search(queries, 5, probing=p, threads=threads)) for p in searchable(SOME, metric)])
    assert all(answer == answers[0] for answer in answers)


def test_calibration_is_computed_once(indexes, data):
    index = indexes("normalized")
    policy = SoftmaxMass(0.7)
    index.search(data[1], 3, probing=policy)
    before = dict(index.memory)
    assert ("temperature", 3) in before
    index.search(data[1], 3, probing=policy)
    assert index.memory == before


def test_without_training_queries_what_calibrates_says_so(data):
    rows, queries, _ = data
    index = IVF(KMeans(lists=LISTS, iterations=2)).build(rows, "ip")
    lonely = IVF(KMeans(lists=LISTS, iterations=2)).build(rows, "ip", TrainingQueries(queries[:1]))
    for policy in SOME:
        if policy.calibrates:
            for built in (index, lonely):
                with pytest.raises(MissingTrainingQueries, match=r"^\w+\(.*found no training queries [^\n]+$"):
                    built.search(queries, 5, probing=policy)
        elif not isinstance(policy, BallCap):
            assert index.search(queries, 5, probing=policy).probed.min() >= 1


def test_inner_products_have_no_ball(indexes, data):
    expected = r"^BallCap\(recall=0\.8\): found metric 'ip', expected one of euclidean, angular, normalized$"
    with pytest.raises(ValueError, match=expected):
        indexes("ip").search(data[1], 5, probing=BallCap(0.8))


DEGENERATE = {
    "one point": (np.full((1, 4), 2.0), 1),
    "one dimension": (np.arange(24.0)[:, None] - 7, 8),
    "all zero": (np.zeros((24, 4)), 8),
    "all the same": (np.full((24, 4), 3.0), 8),
    "two points": (np.eye(4)[:2], 8),
    "small": (np.eye(4) * 1e-15, 4),
    "large": (np.eye(4) * 1e15, 4),
}


@pytest.mark.parametrize("case", DEGENERATE)
def test_degenerate_points(naive, metric, case):
    rows = DEGENERATE[case][0].astype(np.float32)
    training = TrainingQueries(np.concatenate([rows, rows]) if len(rows) > 1 else np.repeat(rows, 3, axis=0))
    index = IVF(KMeans(lists=DEGENERATE[case][1], iterations=4)).build(rows, metric, training)
    k = min(5, len(rows))
    every = naive.distances(rows, rows, metric)
    size = np.abs(every).max()
    for policy in searchable(SOME, metric):
        found = index.search(rows, k, probing=policy)
        assert (found.probed >= 1).all(), policy
    for policy in exact(metric):
        if isinstance(policy, DistanceRatio):
            continue  # at distance 0 of a centroid nothing else is near
        found = index.search(rows, k, probing=policy)
        chosen = np.take_along_axis(every, found.ids, axis=1)
        np.testing.assert_allclose(chosen, np.sort(every, axis=1)[:, :k], atol=1e-6 * size, rtol=0)
