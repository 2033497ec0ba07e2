import numpy as np
import pytest
from ivfbench.algorithms.kernels.means import sum_of_squares, update_means
from ivfbench.algorithms.kernels.panels import group_rows

pytestmark = pytest.mark.interpreted


def test_means_of_whole_numbers(naive, whole_numbers, shapes, threads):
    for n, d in sorted({shape[:2] for shape in shapes}):
        rows = whole_numbers(n, d)
        assignment = np.random.default_rng(n).integers(0, 6, n).astype(np.int32)
        means = np.full((7, d), 99, dtype=np.float32)
        update_means(rows, *group_rows(assignment, 7), means, threads)
        expected = naive.means(rows, assignment, 7)
        empty = np.isnan(expected[:, 0])
        assert empty[6]
        np.testing.assert_array_equal(means[~empty], expected[~empty].astype(np.float32))
        assert (means[empty] == 99).all()


def test_means_of_random_rows(naive, normal):
    rows = normal(30, 4) + 2
    assignment = np.arange(30, dtype=np.int32) % 3
    means = np.empty((3, 4), dtype=np.float32)
    update_means(rows, *group_rows(assignment, 3), means)
    np.testing.assert_allclose(means, naive.means(rows, assignment, 3), rtol=1e-6)


@pytest.mark.parametrize("n", [1, 17, 1023, 1024, 1025])
def test_sum_of_squares_of_whole_numbers(whole_numbers, n, threads, tiny):
    rows = whole_numbers(n, 1 if tiny else 33)
    assert sum_of_squares(rows, threads) == float((rows.astype(float) ** 2).sum())


def test_sums_do_not_depend_on_threads(normal, tiny):
    rows = normal(1100 if tiny else 5000, 3)
    assert sum_of_squares(rows, 1) == sum_of_squares(rows, 2)
