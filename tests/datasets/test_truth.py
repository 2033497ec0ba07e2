import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ivfbench.datasets.metric import METRICS
from ivfbench.datasets.truth import exact_neighbors


def naive(train, queries, k, metric, own=None):
    """All distances in float64, sorted by (distance, id)."""
    x, q = train.astype(np.float64), queries.astype(np.float64)
    dot = (q[:, None, :] * x[None, :, :]).sum(axis=2)
    if metric == "euclidean":
        all_distances = np.sqrt(np.square(q[:, None, :] - x[None, :, :]).sum(axis=2))
    elif metric == "manhattan":
        all_distances = np.abs(q[:, None, :] - x[None, :, :]).sum(axis=2)
    elif metric == "angular":
        size = np.sqrt(np.square(q).sum(1))[:, None] * np.sqrt(np.square(x).sum(1))[None, :]
        all_distances = 1 - np.clip(np.divide(dot, size, out=np.zeros_like(dot), where=size > 0), -1, 1)
    else:
        all_distances = 1 - dot if metric == "normalized" else -dot
    if own is not None:
        all_distances[np.arange(len(q)), own] = np.inf
    ids = np.broadcast_to(np.arange(len(x)), dot.shape)
    order = np.lexsort((ids, all_distances), axis=-1)[:, :k]
    return order, np.take_along_axis(all_distances, order, 1)


def agree(train, queries, k, metric, **options):
    own = options.get("own_ids", np.arange(len(train)) if options.get("exclude_self") else None)
    ids, distances = exact_neighbors(train, queries, k, metric, **options)
    expected_ids, expected = naive(train, queries, k, metric, own)
    assert ids.dtype == np.int32
    assert distances.dtype == np.float32
    np.testing.assert_array_equal(ids, expected_ids)
    np.testing.assert_allclose(distances, expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("n", "d", "q", "k"),
    [(1, 1, 1, 1), (300, 1, 9, 300), (500, 3, 300, 10), (3000, 20, 5, 50), (90, 130, 4, 90)],
)
def test_ties_and_shapes(metric, n, d, q, k):
    rng = np.random.default_rng(n)  # few integers: exact arithmetic, ties everywhere
    train, queries = rng.integers(-2, 3, (n, d)).astype("f4"), rng.integers(-2, 3, (q, d)).astype("f4")
    agree(train, queries, k, metric, block=128)


@pytest.mark.parametrize("metric", METRICS)
def test_many_duplicates_reach_beyond_every_margin(metric):
    rng = np.random.default_rng(2)
    train = np.repeat(rng.integers(-3, 4, (4, 6)), 500, axis=0).astype("f4")
    train = train[rng.permutation(len(train))]
    agree(train, train[:7], 10, metric, block=300)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("size", [1e-20, 1e-3, 1e4, 1e18])
def test_extreme_sizes(metric, size):
    rng = np.random.default_rng(3)
    train, queries = ((rng.integers(-9, 10, (rows, 8)) * size).astype("f4") for rows in (200, 5))
    agree(train, queries, 12, metric)


@pytest.mark.parametrize("metric", METRICS)
def test_a_far_origin_does_not_blur_the_order(metric):
    rng = np.random.default_rng(4)
    train = (rng.normal(size=(2000, 12)) + 3000).astype("f4")
    agree(train, train[:20], 10, metric, block=700)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_any_floats(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    n, d, q = data.draw(st.integers(1, 200)), data.draw(st.integers(1, 20)), data.draw(st.integers(1, 6))
    metric = data.draw(st.sampled_from(sorted(METRICS)))
    rows = rng.normal(size=(n + q, d)) * 10.0 ** rng.integers(-3, 4, (n + q, 1))
    train, queries = rows[:n].astype("f4"), rows[n:].astype("f4")
    k = data.draw(st.integers(1, n))
    ids, distances = exact_neighbors(train, queries, k, metric, block=data.draw(st.integers(1, 250)))
    _, expected = naive(train, queries, k, metric)
    np.testing.assert_allclose(distances, expected, rtol=2e-7, atol=1e-9)
    assert all(len(set(row)) == k for row in ids.tolist())


def test_self_is_excluded():
    train = np.array([[0], [0], [1], [5]], "f4")
    agree(train, train, 3, "euclidean", exclude_self=True)
    ids, _ = exact_neighbors(train, train, 1, "euclidean", exclude_self=True)
    np.testing.assert_array_equal(ids[:, 0], [1, 0, 0, 2])


def test_own_ids_of_a_sample():
    rng = np.random.default_rng(5)
    train = rng.integers(-2, 3, (400, 4)).astype("f4")
    own = rng.permutation(400)[:37]
    agree(train, train[own], 20, "euclidean", own_ids=own, block=100)


def test_progress_ends_at_the_total():
    told = []
    train = np.eye(4, dtype="f4")
    exact_neighbors(train, np.tile(train, (100, 1)), 1, "ip", progress=lambda *report: told.append(report))
    assert told == [(256, 400), (400, 400)]


@pytest.mark.parametrize("k", [0, 5])
def test_k_out_of_range(k):
    with pytest.raises(ValueError, match=r"1 \.\. 4 for 4 vectors"):
        exact_neighbors(np.eye(4, dtype="f4"), np.eye(4, dtype="f4"), k, "ip")


def test_k_counts_the_excluded_row():
    with pytest.raises(ValueError, match=r"1 \.\. 3"):
        exact_neighbors(np.eye(4, dtype="f4"), np.eye(4, dtype="f4"), 4, "ip", exclude_self=True)


def test_shapes_that_disagree():
    with pytest.raises(ValueError, match="expected"):
        exact_neighbors(np.eye(4, dtype="f4"), np.eye(3, dtype="f4"), 1, "ip")
    with pytest.raises(ValueError, match="exclude_self"):
        exact_neighbors(np.eye(4, dtype="f4"), np.eye(4, dtype="f4")[:2], 1, "ip", exclude_self=True)


def test_memory_never_holds_all_scores():
    rng = np.random.default_rng(6)
    train, queries = rng.normal(size=(60_000, 8)).astype("f4"), rng.normal(size=(1000, 8)).astype("f4")
    tracemalloc.start()
    exact_neighbors(train, queries, 10, "euclidean")  # all scores at once: 240 MB
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    exact_neighbors(train, queries[:40], 50_000, "euclidean")  # 24 MB of answers
    peak_of_many = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert max(peak, peak_of_many) < 128e6
