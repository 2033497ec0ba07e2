import numpy as np
import pytest
from ivfbench.algorithms.rows import CHEAP_TO_COPY, as_rows, finite, positive

pytestmark = pytest.mark.interpreted


def test_a_matrix_that_fits_is_not_copied(normal):
    rows = normal(5, 3)
    assert as_rows(rows) is rows


@pytest.mark.parametrize("count", [4, CHEAP_TO_COPY])
def test_read_only_rows_are_taken_as_the_writable_type(normal, count):
    rows = normal(count, 2)
    rows.flags.writeable = False
    taken = as_rows(rows)
    assert taken.flags.writeable
    np.testing.assert_array_equal(taken, rows)
    assert not rows.flags.writeable
    assert np.shares_memory(taken, rows) == (rows.nbytes >= CHEAP_TO_COPY)


def test_a_view_outlives_its_array(normal):
    rows = normal(CHEAP_TO_COPY, 1)
    rows.flags.writeable = False
    expected = rows.copy()
    taken = as_rows(rows)
    del rows
    np.testing.assert_array_equal(taken, expected)


@pytest.mark.parametrize(
    "given",
    [
        [[1, 2], [3, 4]],
        np.array([[1, 2], [3, 4]]),
        np.array([[1, 2], [3, 4]], dtype=np.uint8),
        np.array([[1, 2], [3, 4]], dtype=np.float32, order="F"),
        np.array([[1, 9, 2, 9], [3, 9, 4, 9]], dtype=np.float32)[:, ::2],
        np.array([[1, 2], [3, 4]], dtype=">f4"),
    ],
)
def test_anything_numeric_becomes_contiguous_float32(given):
    taken = as_rows(given)
    assert taken.dtype == np.float32
    assert taken.dtype.isnative
    assert taken.flags.c_contiguous
    assert taken.tolist() == [[1, 2], [3, 4]]


def test_a_single_vector_is_one_row():
    assert as_rows([1, 2, 3]).shape == (1, 3)


@pytest.mark.parametrize(
    ("given", "pattern"),
    [
        (np.ones((2, 2, 2)), r"^queries: found shape \(2, 2, 2\), expected \(n, d\) with d at least 1$"),
        (np.ones((2, 0)), r"^queries: found shape \(2, 0\), "),
        (5.0, r"^queries: found shape \(\), "),
        ([[1, 2], [3]], r"^queries: found list that holds no numbers, expected a float32 matrix$"),
        (["a"], r"^queries: found list that holds no numbers"),
        (np.ones((2, 3)), r"^queries: found dimension 3, expected 2$"),
    ],
)
def test_refusals(given, pattern):
    with pytest.raises(ValueError, match=pattern):
        as_rows(given, "queries", 2)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_finite_names_the_first_row(wrong):
    rows = np.zeros((9000, 2), dtype=np.float32)
    assert finite(rows, "train") is rows
    rows[[5001, 8000], 1] = wrong
    with pytest.raises(
        ValueError, match=r"^train: found NaN or infinity in row 5001, expected finite float32 numbers$"
    ):
        finite(rows, "train")


def test_positive():
    assert positive(np.int64(3), "k") == 3
    for wrong in (0, -1, True, 1.0, "1", None):
        with pytest.raises(ValueError, match=rf"^k: found {wrong!r}, expected an integer of at least 1$"):
            positive(wrong, "k")
