import math
import tracemalloc

import numpy as np
import pytest
from ivfbench.datasets.distance import distances_to
from ivfbench.datasets.metric import METRICS


def naive(x, q, metric):
    """The definition, one pair at a time, in Python's own floats."""
    x, q = [float(v) for v in x], [float(v) for v in q]
    dot = math.fsum(a * b for a, b in zip(x, q, strict=True))
    if metric == "euclidean":
        return math.sqrt(math.fsum((a - b) ** 2 for a, b in zip(x, q, strict=True)))
    if metric == "manhattan":
        return math.fsum(abs(a - b) for a, b in zip(x, q, strict=True))
    if metric == "angular":
        size = math.sqrt(math.fsum(a * a for a in x)) * math.sqrt(math.fsum(b * b for b in q))
        return 1 - (dot / size if size else 0.0)
    return 1 - dot if metric == "normalized" else -dot


@pytest.mark.parametrize("metric", METRICS)
def test_agrees_with_the_definition(metric):
    rng = np.random.default_rng(1)
    train, queries = rng.normal(size=(40, 7)).astype("f4"), rng.normal(size=(6, 7)).astype("f4")
    train[3] = 0
    ids = rng.integers(0, 40, (6, 9))
    ids[2, 4] = 3
    found = distances_to(train, queries, ids, metric)
    expected = [[naive(train[i], queries[row], metric) for i in line] for row, line in enumerate(ids)]
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


def test_absent_ids_are_infinitely_far():
    train = np.eye(3, dtype="f4")
    found = distances_to(train, train[:1], np.array([[0, -1, 1]]), "euclidean")
    np.testing.assert_array_equal(found, [[0, np.inf, np.sqrt(2)]])


@pytest.mark.parametrize("wrong", [-2, 3])
def test_ids_out_of_range(wrong):
    train = np.eye(3, dtype="f4")
    with pytest.raises(ValueError, match=r"-1 \.\. 2"):
        distances_to(train, train[:1], np.array([[wrong]]), "ip")


def test_close_vectors_far_from_the_origin_keep_their_digits():
    train = np.array([[1000.0, 1000.0], [1000.0, 1000.0001]], dtype="f4")
    found = distances_to(train, train[:1], np.array([[1]]), "euclidean")
    assert found[0, 0] == float(train[1, 1]) - 1000.0 > 0


def test_a_zero_query_is_at_distance_one_from_everything():
    train = np.array([[0, 0], [1, 2]], dtype="f4")
    np.testing.assert_array_equal(distances_to(train, train[:1], np.array([[0, 1]]), "angular"), [[1, 1]])


def test_memory_stays_bounded():
    train, queries = np.ones((200, 512), "f4"), np.ones((400, 512), "f4")
    ids = np.zeros((400, 200), np.int32)  # 41 million coordinates: 328 MB in float64
    tracemalloc.start()
    distances_to(train, queries, ids, "euclidean")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 80e6


def test_no_ids_at_all():
    train = np.eye(3, dtype="f4")
    assert distances_to(train, train, np.empty((3, 0), np.int32), "ip").shape == (3, 0)
