import numpy as np
import pytest
from ivfbench.algorithms.kernels.heap import LARGEST, make_key
from ivfbench.algorithms.kernels.rerank import rerank_row
from ivfbench.algorithms.kernels.space import METRICS, make_space, prepare

pytestmark = pytest.mark.interpreted

LINEAR = [metric for metric in METRICS if metric != "manhattan"]
STORAGES = ["float32", "float16"]


def inverse_lengths(rows, metric):
    if metric != "angular":
        return np.empty(0, dtype=np.float32)
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1)
    return np.where(lengths > 0, 1 / np.maximum(lengths, 1e-30), 0).astype(np.float32)


def rerank(rows, query, metric, candidates, k, storage="float32"):
    """Rank candidates, ids of rows, that stand in slots of their own; return ids and distances."""
    generator = np.random.default_rng(len(rows))
    slot_of = generator.permutation(-(-len(rows) // 32) * 32)[: len(rows)]
    slot_ids = np.full((-(-len(rows) // 32), 32), -1, dtype=np.int32)
    slot_ids.reshape(-1)[slot_of] = np.arange(len(rows))
    keys = np.zeros((3, len(candidates) + 2), dtype=np.uint64)
    for j, candidate in enumerate(candidates):  # whatever the scan thought of them must not matter
        keys[1, j] = make_key(np.float32(generator.standard_normal()), np.uint64(slot_of[candidate]))
    judged = prepare(query[None], make_space(rows, metric))[0] if metric == "angular" else query
    held = rows.astype(np.float16).view(np.uint16) if storage == "float16" else rows
    ids, distances = np.full(k, 99, dtype=np.int32), np.full(k, 99, dtype=np.float32)
    rerank_row(
        held, inverse_lengths(rows, metric), judged, METRICS.index(metric), slot_ids, keys, 1, len(candidates), ids,
        distances,
    )  # fmt: skip
    assert not keys[[0, 2]].any()
    return ids, distances


@pytest.mark.parametrize("metric", LINEAR)
@pytest.mark.parametrize("storage", STORAGES)
def test_the_nearest_candidates_and_their_distances(naive, normal, tiny, metric, storage):
    for n, d, k, count in (
        [(40, 5, 4, 9)] if tiny else [(1, 1, 1, 1), (40, 5, 4, 9), (300, 33, 10, 100), (70, 8, 20, 7)]
    ):
        rows, queries = normal(n, d), normal(3, d, seed=1)
        seen = rows.astype(np.float16).astype(np.float32) if storage == "float16" else rows
        for query in queries:
            candidates = np.random.default_rng(n).permutation(n)[:count]
            ids, distances = rerank(rows, query, metric, candidates, k, storage)
            every = naive.distances(seen[candidates], query[None], metric)[0]
            order = np.lexsort((candidates, every.astype(np.float32)))[:k]
            found = min(k, count)
            assert ids[:found].tolist() == candidates[order].tolist()
            np.testing.assert_allclose(distances[:found], every[order], rtol=1e-6, atol=1e-6)
            assert (ids[found:] == -1).all()
            assert np.isposinf(distances[found:]).all()


@pytest.mark.parametrize("metric", LINEAR)
def test_equal_distances_go_by_id(metric, whole_numbers):
    rows = np.repeat(whole_numbers(3, 4), 10, axis=0)
    ids, distances = rerank(rows, rows[15], metric, np.random.default_rng(0).permutation(30), 30)
    for distance in np.unique(distances):
        assert (np.diff(ids[distances == distance]) > 0).all()
    kept = rerank(rows, rows[15], metric, np.random.default_rng(1).permutation(30), 7)[0]
    assert kept.tolist() == ids[:7].tolist()


@pytest.mark.parametrize("storage", STORAGES)
def test_a_vector_of_zeros_is_at_right_angles_to_everything(normal, storage):
    rows = normal(6, 4)
    rows[2] = 0
    ids, distances = rerank(rows, normal(1, 4, seed=1)[0], "angular", np.arange(6), 6, storage)
    assert distances[ids == 2] == 1
    ids, distances = rerank(rows, np.zeros(4, dtype=np.float32), "angular", np.arange(6), 6, storage)
    assert ids.tolist() == list(range(6))
    assert (distances == 1).all()


def test_near_vectors_are_told_apart_that_products_would_confuse():
    rows = (np.full((5, 3), 1e4) + np.arange(5)[:, None] * 0.01).astype(np.float32)
    ids, distances = rerank(rows, rows[3], "euclidean", np.arange(5), 2)
    assert ids[0] == 3
    assert distances[0] == 0
    np.testing.assert_allclose(distances[1], np.linalg.norm((rows[ids[1]] - rows[3]).astype(np.float64)), rtol=1e-6)


def test_no_candidates(normal):
    ids, distances = rerank(normal(5, 3), normal(1, 3)[0], "ip", [], 4)
    assert (ids == -1).all()
    assert np.isposinf(distances).all()
    assert distances.max() > LARGEST
