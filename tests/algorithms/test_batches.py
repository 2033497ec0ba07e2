"""Single queries, batches and any number of threads return the same ids and the same distances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.exact import Exact
from ivfbench.algorithms.ivf import IVF

pytestmark = pytest.mark.interpreted


@pytest.fixture(scope="module", params=["euclidean", "angular", "normalized", "ip", "manhattan"])
def asked(request, tiny):
    """An index over points with duplicates and exact ties, and queries that are partly points."""
    n, d, q, lists = (40, 3, 9, 4) if tiny else (500, 9, 90, 22)
    rng = np.random.default_rng(3)
    rows = rng.integers(-3, 4, (n, d)).astype(np.float32)
    rows[n // 2 :: 2] = rows[: n // 2 : 2]
    queries = np.concatenate([rows[: q // 3], rng.standard_normal((q - q // 3, d)).astype(np.float32)])
    return IVF(KMeans(lists=lists, iterations=3)).build(rows, request.param), queries


@settings(max_examples=15)
@given(st.data())
def test_any_division_of_the_queries_gives_the_same_answers(asked, data):
    index, queries = asked
    nprobe, k = data.draw(st.integers(1, index.count), "nprobe"), data.draw(st.integers(1, 12), "k")
    whole = index.search(queries, k, nprobe=nprobe, threads=data.draw(st.integers(1, 4), "threads"))
    cuts = data.draw(st.lists(st.integers(0, len(queries)), max_size=4).map(sorted), "cuts")
    for begin, end in zip([0, *cuts], [*cuts, len(queries)], strict=True):
        part = index.search(queries[begin:end], k, nprobe=nprobe, threads=data.draw(st.integers(1, 4)))
        for field in ("ids", "distances", "probed", "scanned"):
            assert getattr(part, field).tobytes() == getattr(whole, field)[begin:end].tobytes()


def test_every_single_query_equals_its_row_of_the_batch(asked):
    index, queries = asked
    whole = index.search(queries, 7, nprobe=3, threads=2)
    routes = index.routes.route(queries, 3, 2).lists
    for i, query in enumerate(queries):
        one = index.search(query, 7, nprobe=3)
        assert one.ids.shape == (1, 7)
        assert one.ids.tobytes() == whole.ids[i].tobytes()
        assert one.distances.tobytes() == whole.distances[i].tobytes()
        np.testing.assert_array_equal(index.routes.route(query[None], 3).lists, routes[i : i + 1])


@pytest.mark.parametrize("algorithm", [Exact(), IVF(KMeans(lists=4, iterations=2))])
@pytest.mark.parametrize("distance", ["euclidean", "manhattan"])
def test_neighbours_far_from_the_origin_are_exact(naive, normal, tiny, algorithm, distance):
    rows, queries = normal(40 if tiny else 400, 8) + 1e4, normal(5, 8, seed=1) + 1e4
    parameters = {} if algorithm == Exact() else {"nprobe": 4}
    found = algorithm.build(rows, distance).search(queries, 10, **parameters)
    expected, distances, _ = naive.search(rows, queries, distance, 10)
    np.testing.assert_array_equal(found.ids, expected)
    np.testing.assert_allclose(found.distances, distances, rtol=1e-6)
