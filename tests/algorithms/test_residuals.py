import numpy as np
import pytest
from ivfbench.algorithms.kernels.residuals import subtract_centroids
from ivfbench.algorithms.kernels.space import identity, make_space, prepare

pytestmark = pytest.mark.interpreted


def test_subtract_centroids(normal, shapes, metric, threads):
    for n, d in sorted({shape[:2] for shape in shapes}):
        rows, centroids = normal(n, d) * 3 + 1, normal(3, d)
        of_list = (np.arange(n) % 3).astype(np.int32)
        space, before = make_space(rows, metric), rows.copy()
        prepared = prepare(rows, space)
        found = subtract_centroids(rows, space, centroids, of_list, threads)
        assert found.rows.dtype == np.float32
        np.testing.assert_array_equal(found.rows, prepared - centroids[of_list])
        exact = prepared.astype(np.float64)
        near = centroids[of_list].astype(np.float64)
        np.testing.assert_allclose(found.along, (near * found.rows).sum(axis=1), rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(found.half, 0.5 * (exact * exact).sum(axis=1), rtol=1e-9)
        np.testing.assert_array_equal(rows, before)


def test_the_result_does_not_depend_on_threads(normal):
    rows, centroids = normal(500, 33), normal(7, 33)
    of_list = (np.arange(500) % 7).astype(np.int32)
    one, two = (subtract_centroids(rows, identity(33), centroids, of_list, threads) for threads in (1, 2))
    for a, b in zip(one, two, strict=True):
        assert a.tobytes() == b.tobytes()


def test_products_beyond_float32_are_numbers():
    rows, centroids = np.full((2, 4), 3e38, dtype=np.float32), np.full((1, 4), 1e38, dtype=np.float32)
    found = subtract_centroids(rows, identity(4), centroids, np.zeros(2, dtype=np.int32))
    np.testing.assert_allclose(found.along, 4 * 1e38 * 2e38, rtol=1e-6)
    np.testing.assert_allclose(found.half, 0.5 * 4 * 9e76, rtol=1e-6)
