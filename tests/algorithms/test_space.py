import numpy as np
import pytest
from ivfbench.algorithms.kernels.space import METRICS, identity, make_space, prepare

pytestmark = pytest.mark.interpreted


def test_prepare(naive, normal, shapes, metric, threads):
    for n, d in sorted({shape[:2] for shape in shapes}):
        rows = normal(n, d) * 3 + 1
        rows[n // 2] = 0
        space = make_space(rows, metric)
        before = rows.copy()
        prepared = prepare(rows, space, threads)
        assert prepared.dtype == np.float32
        np.testing.assert_allclose(prepared, naive.prepare(rows, metric, space.center), rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(space.center, naive.center(rows, metric), rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(rows, before)


def test_the_zero_vector_stays_zero_under_angular():
    rows = np.array([[0, 0, 0], [3, 0, 4]], dtype=np.float32)
    prepared = prepare(rows, make_space(rows, "angular"))
    np.testing.assert_allclose(prepared, [[0, 0, 0], [0.6, 0, 0.8]], rtol=1e-6)
    assert not prepared[0].any()


@pytest.mark.parametrize("length", [1e-45, 1e-41, 1e-30, 1e30, 3e38])
def test_vectors_of_any_length_are_normalised(length):
    rows = np.array([[length, 0]], dtype=np.float32)
    np.testing.assert_array_equal(prepare(rows, make_space(rows, "angular")), [[1, 0]])


def test_the_mean_is_summed_in_double_precision():
    rows = np.full((9000, 1), 16777217.0, dtype=np.float32)
    rows[::2] += 2
    assert make_space(rows, "euclidean").center[0] == rows.mean(dtype=np.float64).astype(np.float32)


def test_an_unknown_metric():
    with pytest.raises(ValueError, match=r"metric: found 'cosine', expected one of euclidean, .*ip, manhattan$"):
        make_space(np.ones((2, 2), dtype=np.float32), "cosine")


def test_identity_leaves_vectors_as_they_are(normal):
    rows = normal(5, 3)
    assert prepare(rows, identity(3)).tobytes() == rows.tobytes()
    assert len(METRICS) == 5


def test_in_place_overwrites_with_the_same_numbers(normal, metric):
    rows = normal(20, 5) + 1
    space = make_space(rows, metric)
    expected = prepare(rows, space)
    found = prepare(rows, space, in_place=True)
    assert found is rows
    assert found.tobytes() == expected.tobytes()
