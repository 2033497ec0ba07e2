import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ivfbench.datasets.differences import Differences, manhattan_distances
from ivfbench.datasets.scores import prepare


def naive(queries, rows):
    return np.abs(queries.astype(np.float64)[:, None, :] - rows.astype(np.float64)[None]).sum(axis=2)


@pytest.mark.parametrize("m", [0, 1, 63, 64, 65, 129, 1000])
@pytest.mark.parametrize("d", [1, 7, 40])
def test_whole_numbers_are_exact(m, d):
    rng = np.random.default_rng(m)
    queries, rows = (rng.integers(-9, 10, (count, d)).astype("f4") for count in (5, m))
    found = manhattan_distances(queries, rows)
    assert (found.shape, found.dtype) == ((5, m), np.float32)
    np.testing.assert_array_equal(found, naive(queries, rows))


def test_read_only_arrays_are_taken_as_they_are():
    rows = np.arange(12, dtype="f4").reshape(4, 3)
    expected = manhattan_distances(rows, rows)
    rows.flags.writeable = False
    np.testing.assert_array_equal(manhattan_distances(rows, rows), expected)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 300), st.sampled_from([0.0, 1.0, 3000.0]))
def test_no_score_exceeds_the_limit_of_its_distance(seed, d, middle):
    rng = np.random.default_rng(seed)
    queries, rows = (
        (rng.normal(size=(count, d)) * 10.0 ** rng.integers(-3, 4, (count, d)) + middle).astype("f4")
        for count in (3, 50)
    )
    scored = prepare(rows, queries, "manhattan")
    assert isinstance(scored, Differences)
    scores = scored.block(slice(0, 3), slice(0, 50))
    exact = naive(queries, rows)
    for column in range(50):
        assert (scores[:, column] <= scored.limit(slice(0, 3), exact[:, column])).all()
    np.testing.assert_allclose(scores, exact, rtol=(d + 8) * 2.0**-23)
