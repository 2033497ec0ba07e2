"""Routing by representatives of bytes: what `IVF(routing="int8")` does to any linear router."""

import numpy as np
import pytest
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.ivf import IVF
from ivfbench.algorithms.kernels.blocks import make_blocks
from ivfbench.algorithms.kernels.byte_queries import MIDDLE, byte_codes, byte_steps
from ivfbench.algorithms.kernels.nearest_bytes import nearest_bytes
from ivfbench.algorithms.kernels.space import identity
from ivfbench.algorithms.routers.byte_routes import ByteRoutes, byte_routes
from ivfbench.algorithms.routers.centroid import Centroid
from ivfbench.algorithms.routers.learnt import Learnt
from ivfbench.algorithms.routers.network import Network
from ivfbench.algorithms.routers.router import TrainingQueries

pytestmark = pytest.mark.interpreted

LINEAR = ("euclidean", "angular", "normalized", "ip")


def held_in_bytes(rows, bias):
    steps = byte_steps(rows)
    codes = byte_codes(rows, steps)
    blocks = make_blocks(codes, bias, np.zeros(len(rows), dtype=np.int32), 1, bits=8)
    decoded = (codes[:, : rows.shape[1]].astype(np.float64) - MIDDLE) * steps
    return blocks, steps, decoded


def rounded(queries, steps):
    """The queries as their bytes stand for them, times the steps: what the kernel multiplies."""
    stepped = queries.astype(np.float64) * steps
    scale = np.abs(stepped).max(axis=1, keepdims=True) / 127
    return np.floor(stepped / scale + 0.5) * scale / steps


@pytest.mark.parametrize(("count", "dimension", "k"), [(1, 1, 1), (31, 3, 4), (33, 17, 33), (100, 20, 7), (70, 5, 90)])
def test_the_best_as_far_as_the_codes_tell(normal, threads, count, dimension, k):
    rows, queries = normal(count, dimension), normal(15, dimension, seed=1)
    bias = normal(1, count, seed=2)[0]
    blocks, steps, decoded = held_in_bytes(rows, bias)
    slots, scores = nearest_bytes(blocks, steps, queries, identity(dimension), k, threads)
    every = rounded(queries, steps) @ decoded.T - bias
    found = min(k, count)
    best = -np.sort(-every, axis=1)[:, :found]
    chosen = np.take_along_axis(every, slots[:, :found], axis=1)
    np.testing.assert_allclose(chosen, best, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(scores[:, :found], chosen, rtol=1e-4, atol=1e-4)
    assert (np.diff(scores[:, :found], axis=1) <= 0).all()
    assert all(len(set(row)) == found for row in slots[:, :found].tolist())
    assert (slots[:, found:] == -1).all()
    assert np.isneginf(scores[:, found:]).all()
    for i, query in enumerate(queries):
        alone = nearest_bytes(blocks, steps, query[None], identity(dimension), k)
        assert alone[0].tobytes() == slots[i].tobytes()
        assert alone[1].tobytes() == scores[i].tobytes()


def test_equal_scores_go_by_slot(threads):
    rows = np.repeat(np.array([[1.0, 2.0], [2.0, 1.0]], dtype=np.float32), 50, axis=0)
    blocks, steps, _ = held_in_bytes(rows, np.zeros(100, dtype=np.float32))
    queries = np.array([[1, 0]] * 8, dtype=np.float32)
    slots, _ = nearest_bytes(blocks, steps, queries, identity(2), 70, threads)
    assert slots.tolist() == [[*range(50, 100), *range(20)]] * 8


def test_no_queries(normal):
    blocks, steps, _ = held_in_bytes(normal(5, 3), np.zeros(5, dtype=np.float32))
    slots, scores = nearest_bytes(blocks, steps, np.empty((0, 3), dtype=np.float32), identity(3), 4)
    assert slots.shape == scores.shape == (0, 4)


@pytest.mark.parametrize("metric", LINEAR)
def test_lists_come_in_the_order_of_float_routes_up_to_near_ties(normal, metric, fitting_for):
    rows, queries, learn = normal(150, 12), normal(20, 12, seed=1), normal(60, 12, seed=2)
    labels = np.random.default_rng(3).integers(0, 150, (60, 40)).astype(np.int32)
    lists = 40
    for router in (Centroid(), Learnt(epochs=0, labels="given")):
        fitting = fitting_for(rows, metric, lists, learn, neighbors=labels)
        routes = router.resolve(metric).fit(fitting).routes
        held = byte_routes(routes)
        exact, found = routes.route(queries, lists), held.route(queries, lists)
        assert (np.sort(found.lists, axis=1) == np.arange(lists)).all()
        assert (np.diff(found.scores, axis=1) <= 0).all()
        by_list = np.empty((20, lists))
        np.put_along_axis(by_list, exact.lists.astype(np.int64), exact.scores, axis=1)
        told = np.empty((20, lists))
        np.put_along_axis(told, found.lists.astype(np.int64), found.scores, axis=1)
        error = np.abs(told - by_list).max()
        assert error <= 0.02 * np.ptp(by_list)
        ordered = np.take_along_axis(by_list, found.lists.astype(np.int64), axis=1)
        assert (np.diff(ordered, axis=1) <= 2 * error + 1e-6).all()
        assert (found.lists[:, 0] == exact.lists[:, 0]).mean() >= 0.8
        assert held.nbytes < 0.6 * routes.nbytes
        for nprobe in (1, 7):
            few = held.route(queries, nprobe)
            assert few.lists.tobytes() == np.ascontiguousarray(found.lists[:, :nprobe]).tobytes()
            assert few.scores.tobytes() == np.ascontiguousarray(found.scores[:, :nprobe]).tobytes()


@pytest.mark.parametrize("metric", LINEAR)
def test_an_index_that_routes_by_bytes(naive, normal, threads, metric):
    rows, queries = normal(120, 6), normal(8, 6, seed=1)
    plain, held = (
        IVF(KMeans(lists=9, iterations=3), routing=routing, seed=2).build(rows, metric)
        for routing in ("float32", "int8")
    )
    assert isinstance(held.routes, ByteRoutes)
    assert held.lists.sizes.tolist() == plain.lists.sizes.tolist()
    everything = held.search(queries, 5, nprobe=9, threads=threads)
    assert naive.recall(everything.ids, rows, queries, metric, 5) == 1.0
    assert (everything.scanned == 120).all()
    found = held.search(queries, 5, nprobe=3, threads=threads)
    for i, query in enumerate(queries):
        alone = held.search(query, 5, nprobe=3)
        assert alone.ids[0].tolist() == found.ids[i].tolist()
        assert alone.scanned[0] == found.scanned[i]


def test_a_query_that_holds_nan_is_routed_nowhere(normal):
    index = IVF(KMeans(lists=5, iterations=2), routing="int8").build(normal(40, 6), "ip")
    queries = normal(4, 6, seed=1)
    queries[1, 3] = np.nan
    found = index.search(queries, 3, nprobe=2)
    assert found.probed.tolist() == [2, 0, 2, 2]
    assert (found.ids[1] == -1).all()
    assert (index.search(queries[1], 3, nprobe=2).ids == -1).all()


def test_what_cannot_be_stored_in_bytes_is_refused(normal):
    rows, learn = normal(60, 4), TrainingQueries(normal(30, 4, seed=1))
    expected = r"^IVF\.routing: found 'int8' for \w+, expected a linear router$"
    with pytest.raises(ValueError, match=expected):
        IVF(KMeans(lists=4, iterations=2), Network(epochs=1), routing="int8").build(
            rows, "ip", learn, progress=lambda *_: pytest.fail("something was built before")
        )
    with pytest.raises(ValueError, match=expected):
        IVF(KMeans(lists=4, iterations=2), routing="int8").build(rows, "manhattan")
    with pytest.raises(ValueError, match=r"^IVF\.routing: found 'int4', expected one of float32, int8, two levels$"):
        IVF(routing="int4")
