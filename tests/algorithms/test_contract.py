"""What every algorithm promises, whatever its parts: each member of the registry under each metric."""

import hashlib

import numpy as np
import pytest
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.codecs.float32 import Float32
from ivfbench.algorithms.exact import Exact
from ivfbench.algorithms.ivf import IVF
from ivfbench.algorithms.registry import CLUSTERINGS, CODECS, ROUTERS
from ivfbench.algorithms.routers.router import TrainingQueries


def brief(router):
    """The router, with few epochs if it trains: what is promised here, untrained routers promise too."""
    return router(epochs=3) if "epochs" in router.__dataclass_fields__ else router()


# Every member once, beside the usual others: all combinations would only repeat what the parts promise.
ALGORITHMS = [
    Exact(),
    *(IVF(KMeans(lists=8, iterations=4), brief(router), seed=11) for router in ROUTERS.values()),
    *(IVF(clustering(lists=8), seed=11) for clustering in CLUSTERINGS.values() if clustering is not KMeans),
    *(IVF(KMeans(lists=8, iterations=4), codec=codec(), seed=11) for codec in CODECS.values() if codec is not Float32),
]


# What runs interpreted and with bounds checks too, where every call is slow: those that reach different kernels.
REACHING = ("Exact()", "Centroid(", "Optimist(", "MultiLearnt(", "Int8(", "ProductQuantiser(")
COMPRESSED = tuple(codec for codec in CODECS.values() if codec is not Float32)


def parameter(algorithm):
    interpreted = any(name in repr(algorithm) for name in REACHING)
    return pytest.param(algorithm, marks=pytest.mark.interpreted if interpreted else (), id=repr(algorithm))


@pytest.fixture(params=[parameter(algorithm) for algorithm in ALGORITHMS])
def algorithm(request):
    return request.param


def compresses(algorithm):
    return isinstance(getattr(algorithm, "codec", None), COMPRESSED)


@pytest.fixture
def metric(metric, algorithm):
    if metric == "manhattan" and compresses(algorithm):
        pytest.skip("no inner product: test_codecs holds the refusal")
    return metric


@pytest.fixture(scope="module")
def data(tiny):
    """Points with duplicates and zeros, test queries, training queries."""
    n, d, q = (48, 4, 5) if tiny else (200, 16, 20)
    rng = np.random.default_rng(8)
    rows, queries, learn = (rng.standard_normal((count, d)).astype(np.float32) for count in (n, q, 64))
    rows[7] = rows[3]
    rows[9] = 0
    return rows, queries, TrainingQueries(learn)


def everything(algorithm):
    if isinstance(algorithm, Exact):
        return {}
    return {"nprobe": algorithm.clustering.lists} | ({"rerank": 10**9} if compresses(algorithm) else {})


def digest(*arrays):
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


def test_full_probe_finds_every_neighbour(naive, algorithm, data, metric):
    rows, queries, training = data
    index = algorithm.build(rows, metric, training)
    found = index.search(queries, 10, **everything(algorithm))
    assert naive.recall(found.ids, rows, queries, metric, 10) == 1.0
    assert (found.scanned == len(rows)).all()
    exact = np.take_along_axis(naive.distances(rows, queries, metric), found.ids, axis=1)
    np.testing.assert_allclose(found.distances, exact, rtol=1e-5, atol=1e-6)


def test_answers_have_their_form(algorithm, data, metric):
    rows, queries, training = data
    index = algorithm.build(rows, metric, training)
    for point in algorithm.query_grid():
        found = index.search(queries, 30, **point)
        assert found.ids.shape == found.distances.shape == (len(queries), 30)
        assert (found.ids.dtype, found.distances.dtype) == (np.int32, np.float32)
        assert (found.probed.dtype, found.scanned.dtype) == (np.int64, np.int64)
        assert found.ids.min() >= -1
        assert found.ids.max() < len(rows)
        assert (found.probed == point.get("nprobe", 1)).all()
        for ids, distances, scanned in zip(found.ids, found.distances, found.scanned, strict=True):
            kept = min(30, scanned)
            assert len(set(ids[:kept].tolist())) == kept
            assert (ids[:kept] >= 0).all()
            assert np.isfinite(distances[:kept]).all()
            assert (np.diff(distances[:kept]) >= 0).all()
            equal = np.flatnonzero(np.diff(distances[:kept]) == 0)
            assert (ids[equal] < ids[equal + 1]).all()
            assert (ids[kept:] == -1).all()
            assert np.isposinf(distances[kept:]).all()


def test_more_neighbours_than_points(algorithm, data, metric):
    rows, queries, training = data
    found = algorithm.build(rows, metric, training).search(queries, len(rows) + 3, **everything(algorithm))
    assert (np.sort(found.ids[:, :-3], axis=1) == np.arange(len(rows))).all()
    assert (found.ids[:, -3:] == -1).all()
    assert np.isposinf(found.distances[:, -3:]).all()


def test_the_same_seed_gives_the_same_index(algorithm, data, metric):
    rows, queries, training = data
    answers = [algorithm.build(rows, metric, training).search(queries, 5) for _ in range(2)]
    assert digest(answers[0].ids, answers[0].distances) == digest(answers[1].ids, answers[1].distances)


@pytest.mark.parametrize("algorithm", [parameter(a) for a in ALGORITHMS if not a.learns], indirect=True)
def test_threads_change_nothing(algorithm, data, metric):
    rows, queries, _ = data
    answers = [algorithm.build(rows, metric, threads=t).search(queries, 5, threads=t) for t in (1, 2)]
    assert digest(answers[0].ids, answers[0].distances) == digest(answers[1].ids, answers[1].distances)


def test_inputs_are_left_as_they_were_and_may_be_read_only(algorithm, data, metric):
    rows, queries, training = (part.copy() if isinstance(part, np.ndarray) else part for part in data)
    learn = training.queries.copy()
    expected = algorithm.build(rows, metric, TrainingQueries(learn)).search(queries, 5)
    for array in (rows, queries, learn):
        array.flags.writeable = False
    before = digest(rows, queries, learn)
    found = algorithm.build(rows, metric, TrainingQueries(learn)).search(queries, 5)
    assert digest(rows, queries, learn) == before
    assert digest(found.ids, found.distances) == digest(expected.ids, expected.distances)


def test_costs_are_told(algorithm, data):
    rows, _, training = data
    told = []
    index = algorithm.build(rows, "ip", training, progress=lambda *step: told.append(step))
    assert index.nbytes >= rows.nbytes
    assert 0 <= index.router_nbytes < index.nbytes
    assert index.built.build_seconds > 0
    assert (index.built.learn_seconds > 0) == (index.built.label_seconds > 0) == algorithm.learns
    steps = {"k-means", "codewords", "encoding", "layout", "router", "labels", "learn", "warning"}
    assert {"layout"} <= {step[0] for step in told} <= steps
    assert all(0 <= done <= total for _, done, total, _ in told)


@pytest.mark.parametrize("wrong", ["cosine", "", "Euclidean"])
def test_an_unknown_metric(algorithm, data, wrong):
    rows, _, training = data
    with pytest.raises(ValueError, match=rf"^metric: found '{wrong}', expected one of euclidean, angular, "):
        algorithm.build(rows, wrong, training)


@pytest.mark.parametrize("empty", [np.empty((0, 16), dtype=np.float32), [], np.empty((4, 0))])
def test_no_rows(algorithm, data, empty):
    with pytest.raises(ValueError, match=r"^train: found [^\n]+, expected [^\n]+$"):
        algorithm.build(empty, "ip", data[2])


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_rows_that_are_not_finite(algorithm, data, metric, wrong):
    rows = data[0].copy()
    rows[13, 2] = wrong
    with pytest.raises(ValueError, match=r"^train: found NaN or infinity in row 13, expected finite float32 numbers$"):
        algorithm.build(rows, metric, data[2])


def test_wrong_searches(algorithm, data):
    rows, queries, training = data
    index = algorithm.build(rows, "ip", training)
    with pytest.raises(ValueError, match=rf"^queries: found dimension 3, expected {rows.shape[1]}$"):
        index.search(queries[:, :3])
    for field in ("k", "threads"):
        with pytest.raises(ValueError, match=rf"^{field}: found 0, expected an integer of at least 1$"):
            index.search(queries, **{field: 0})
    with pytest.raises(ValueError, match=r"^threads: found 0, "):
        algorithm.build(rows, "ip", training, threads=0)


def test_a_query_that_holds_nan_finds_nothing(algorithm, data, metric):
    # NaN compares with nothing: such a query is routed nowhere, and no score of it passes a limit.
    rows, queries, training = data
    queries = queries.copy()
    index = algorithm.build(rows, metric, training)
    clean = index.search(queries, 5)
    queries[1, 0] = np.nan
    for found, row in ((index.search(queries, 5), 1), (index.search(queries[1], 5), 0)):
        assert (found.ids[row] == -1).all()
        assert np.isposinf(found.distances[row]).all()
    np.testing.assert_array_equal(index.search(queries, 5).ids[2:], clean.ids[2:])


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
def test_degenerate_points(naive, algorithm, metric, case):
    rows = DEGENERATE[case][0].astype(np.float32)
    training = TrainingQueries(np.concatenate([rows, rows]) if len(rows) > 1 else np.repeat(rows, 3, axis=0))
    k = min(5, len(rows))
    index = algorithm.build(rows, metric, training)
    found = index.search(rows, k, **everything(algorithm))
    assert (found.scanned == len(rows)).all()
    assert all(len(set(ids)) == k for ids in found.ids.tolist())
    every = naive.distances(rows, rows, metric)
    size = np.abs(every).max()
    chosen = np.take_along_axis(every, found.ids, axis=1)
    np.testing.assert_allclose(chosen, np.sort(every, axis=1)[:, :k], atol=1e-6 * size, rtol=0)
    np.testing.assert_allclose(found.distances, chosen, atol=1e-6 * max(size, 1e-30), rtol=1e-6)
