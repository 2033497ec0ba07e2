"""The bounds and controls: oracle, random order, largest list first."""

import numpy as np
import pytest
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.ivf import IVF
from ivfbench.algorithms.registry import ROUTERS
from ivfbench.algorithms.routers.list_size import ListSize
from ivfbench.algorithms.routers.oracle import LARGEST_K, Oracle, oracle_scores
from ivfbench.algorithms.routers.random_order import Random
from ivfbench.algorithms.routers.router import TrainingQueries

pytestmark = pytest.mark.interpreted


@pytest.mark.parametrize("k", [1, 3, 10])
def test_the_oracle_orders_by_count_then_rank_then_list(naive, normal, metric, tiny, k):
    rows, queries = normal(60, 4), normal(3 if tiny else 25, 4, seed=1)
    clustering = KMeans(lists=7, iterations=3)
    index = IVF(clustering, Oracle(k=k), seed=2).build(rows, metric)
    assignment = clustering.cluster(rows, index.lists.space, seed=2).assignment
    neighbors = naive.distances(rows, queries, metric).argsort(axis=1, kind="stable")[:, :k]
    for i, routed in enumerate(index.routes.route(queries, 7).lists):
        held = assignment[neighbors[i]].tolist()
        order = sorted(range(7), key=lambda j: (-held.count(j), held.index(j) if j in held else k, j))
        assert routed.tolist() == order


def test_no_router_finds_more_than_the_oracle(naive, normal, metric):
    rows, queries, learn = normal(90, 4), normal(10, 4, seed=1), normal(40, 4, seed=2)
    nearest = naive.distances(rows, queries, metric).argsort(axis=1)[:, :5]

    def recall(router, nprobe):
        index = IVF(KMeans(lists=6, iterations=3), router).build(rows, metric, TrainingQueries(learn))
        ids = index.search(queries, 5, nprobe=nprobe).ids
        return sum(len(set(a) & set(b)) for a, b in zip(ids.tolist(), nearest.tolist(), strict=True))

    for nprobe in (1, 3):
        best = recall(Oracle(k=5), nprobe)
        assert all(recall(router(), nprobe) <= best for router in ROUTERS.values())


def test_oracle_scores_tell_the_largest_counts_and_ranks_apart():
    k = LARGEST_K
    # Lists 1 and 2 share k - 2 neighbours evenly; list 3 has the last but one place, list 4 the last.
    neighbors = np.arange(k, dtype=np.int32)[None]
    assignment = (1 + np.arange(k) % 2).astype(np.int32)
    assignment[-2:] = [3, 4]
    scores = oracle_scores(neighbors, assignment, 6)[0]
    assert np.argsort(-scores, kind="stable").tolist() == [1, 2, 3, 4, 0, 5]
    assert np.floor(scores).tolist() == [0, k / 2 - 1, k / 2 - 1, 1, 1, 0]


def test_fewer_rows_than_k(normal):
    rows = normal(4, 3)
    index = IVF(KMeans(lists=2, iterations=1), Oracle(k=9)).build(rows, "ip")
    assert sorted(index.routes.route(rows, 2).lists[0].tolist()) == [0, 1]


def test_random_depends_on_query_and_seed_alone(normal):
    rows, queries = normal(200, 5), normal(50, 5, seed=1)

    def order(seed, threads=1):
        index = IVF(KMeans(lists=16, iterations=2), Random(), seed=seed).build(rows, "ip", threads=threads)
        return index.routes.route(queries, 16, threads).lists

    first = order(1)
    np.testing.assert_array_equal(first, order(1, threads=2))
    assert (first != order(2)).any(axis=1).all()
    assert len({tuple(row) for row in first.tolist()}) == 50  # another query, another order


def test_every_list_is_as_likely_first(normal):
    index = IVF(KMeans(lists=8, iterations=1), Random()).build(normal(80, 3), "ip")
    first = index.routes.route(normal(4000, 3, seed=1), 1).lists[:, 0]
    counts = np.bincount(first, minlength=8)
    assert ((counts - 500) ** 2 / 500).sum() < 30  # χ² of 7 degrees: above 30 in one of 10,000 seeds


def test_the_largest_list_comes_first(normal):
    rows = np.concatenate([normal(30, 2), normal(5, 2) + 100, normal(60, 2) - 100]).astype(np.float32)
    clustering = KMeans(lists=3, iterations=8)
    index = IVF(clustering, ListSize()).build(rows, "euclidean")
    sizes = clustering.cluster(rows, index.lists.space).sizes
    routed = index.routes.route(normal(4, 2), 3)
    expected = np.argsort(-sizes, kind="stable")
    np.testing.assert_array_equal(routed.lists, np.tile(expected, (4, 1)))
    np.testing.assert_array_equal(routed.scores[0], sizes[expected])
