"""What every fitted router promises, whatever it is made of."""

import numpy as np
import pytest
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.ivf import IVF
from ivfbench.algorithms.registry import ROUTERS
from ivfbench.algorithms.routers.linear import LinearRoutes
from ivfbench.algorithms.routers.multi_centroid import MultiCentroid
from ivfbench.algorithms.routers.optimist import Optimist
from ivfbench.algorithms.routers.router import TrainingQueries
from ivfbench.algorithms.routers.scored import route_by_scores

pytestmark = pytest.mark.interpreted

EVERY = [
    *(router(epochs=2) if "epochs" in router.__dataclass_fields__ else router() for router in ROUTERS.values()),
    Optimist("diagonal"),
    Optimist("low rank", 3),
    MultiCentroid(combine="mean"),
]
LISTS = 20


@pytest.fixture(params=EVERY, ids=repr)
def router(request):
    return request.param


@pytest.fixture(scope="module")
def data(tiny):
    rng = np.random.default_rng(4)
    n, d, q = (60, 3, 5) if tiny else (400, 9, 70)
    rows, queries, learn = (rng.standard_normal((count, d)).astype(np.float32) + 1 for count in (n, q, 64))
    return rows, queries, learn


def build(router, data, metric, threads=1):
    rows, _, learn = data
    return IVF(KMeans(lists=LISTS, iterations=2), router, seed=1).build(
        rows, metric, TrainingQueries(learn), threads=threads
    )


def test_all_lists_are_a_permutation_with_finite_scores(router, data, metric):
    index = build(router, data, metric)
    routed = index.routes.route(data[1], LISTS)
    assert (routed.lists.dtype, routed.scores.dtype) == (np.int32, np.float32)
    assert (np.sort(routed.lists, axis=1) == np.arange(LISTS)).all()
    assert np.isfinite(routed.scores).all()
    assert (np.diff(routed.scores, axis=1) <= 0).all()
    equal = np.diff(routed.scores, axis=1) == 0
    assert (np.diff(routed.lists, axis=1)[equal] > 0).all()
    assert index.router_nbytes > 0


def test_alone_in_a_batch_and_on_threads_queries_go_the_same_way(router, data, metric):
    routes = build(router, data, metric).routes
    together = routes.route(data[1], 6)
    threaded = routes.route(data[1], 6, 2)
    np.testing.assert_array_equal(together.lists, threaded.lists)
    np.testing.assert_array_equal(together.scores, threaded.scores)
    for i, query in enumerate(data[1]):
        alone = routes.route(query[None], 6)
        np.testing.assert_array_equal(alone.lists[0], together.lists[i])
        np.testing.assert_array_equal(alone.scores[0], together.scores[i])
    np.testing.assert_array_equal(routes.route(data[1], LISTS).lists[:, :6], together.lists)


def test_nan_goes_nowhere_and_no_query_is_no_error(router, data, metric):
    routes = build(router, data, metric).routes
    queries = data[1].copy()
    queries[2, 1] = np.nan
    routed = routes.route(queries, LISTS)
    assert (routed.lists[2] == -1).all()
    assert np.isneginf(routed.scores[2]).all()
    assert (np.delete(routed.lists, 2, axis=0) >= 0).all()
    alone = routes.route(queries[2:3], 3)
    assert alone.lists.tolist() == [[-1, -1, -1]]
    assert routes.route(queries[:0], 3).lists.shape == (0, 3)


def test_a_router_says_whether_its_routes_are_linear(router, data, metric):
    routes = build(router, data, metric).routes
    assert router.resolve(metric).linear == isinstance(routes, LinearRoutes)


@pytest.mark.parametrize("router", [router for router in EVERY if not router.learns], ids=repr, indirect=True)
def test_threads_of_the_build_change_nothing(router, data, metric):
    first, again = (build(router, data, metric, threads).routes.route(data[1], LISTS) for threads in (1, 2))
    np.testing.assert_array_equal(first.lists, again.lists)
    np.testing.assert_array_equal(first.scores, again.scores)


@pytest.mark.parametrize("columns", [1, 1 << 40])
def test_blocks_change_nothing(whole_numbers, columns):
    queries, weights = whole_numbers(300, 3), whole_numbers(3, 5)
    sizes = []

    def score(block):
        sizes.append(len(block))
        return np.ascontiguousarray(block @ weights)

    routed = route_by_scores(score, queries, 5, columns)
    assert sizes == ([300] if columns == 1 else [64, 64, 64, 64, 44])
    np.testing.assert_array_equal(routed.lists, np.argsort(-(queries @ weights), axis=1, kind="stable"))
