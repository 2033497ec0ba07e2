import numpy as np
import pytest
from ivfbench.algorithms.kernels.byte_queries import LARGEST_CODE, MIDDLE, byte_codes, byte_steps, make_bytes

pytestmark = pytest.mark.interpreted


def bytes_of(query, steps, row=1):
    """The bytes, with their sign, of one row of three, and what make_bytes returned."""
    tables = np.full((3, -(-len(query) // 4) * 4), 99, dtype=np.uint8)
    scale, shift = make_bytes(query, steps, tables, row)
    assert (np.delete(tables, row, axis=0) == 99).all()
    return tables[row].view(np.int8).astype(np.int64), np.float32(scale), np.float32(shift)


def test_products_of_bytes_are_within_half_a_step_of_each_coordinate(normal):
    for dimension in (1, 3, 4, 17, 130):
        rows, queries = normal(40, dimension), normal(9, dimension, seed=1)
        steps = byte_steps(rows)
        codes = byte_codes(rows, steps)
        held = (codes[:, :dimension].astype(np.float64) - MIDDLE) * steps
        assert (np.abs(held - rows) <= 0.5001 * steps).all()
        for query in queries:
            numbers, scale, shift = bytes_of(query, steps)
            found = scale.astype(np.float64) * (codes.astype(np.int64) @ numbers) - shift
            asked = scale.astype(np.float64) * numbers[:dimension]
            # rounding of the query costs at most half a step for each code, and the float32 shift its last bits
            bound = 0.5001 * scale * np.abs(codes[:, :dimension].astype(np.int64) - MIDDLE).sum(axis=1)
            error = np.abs(found - held @ query.astype(np.float64))
            assert (error <= bound + 1e-6 * abs(shift) + 1e-6).all()
            np.testing.assert_allclose(asked, query * steps, atol=0.5001 * scale)
            assert np.abs(numbers).max() == LARGEST_CODE
            assert not numbers[dimension:].any()


@pytest.mark.parametrize("query", [[0, 0, 0], [-0.0, 0, 0]])
def test_a_query_of_zeros(query):
    numbers, scale, shift = bytes_of(np.array(query, dtype=np.float32), np.ones(3, dtype=np.float32))
    assert not numbers.any()
    assert (scale, shift) == (1, 0)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 1e38])
@pytest.mark.parametrize("place", [0, 4, 16])
def test_what_is_no_number_gives_nan(wrong, place):
    query, steps = np.ones(17, dtype=np.float32), np.full(17, 100, dtype=np.float32)
    query[place] = wrong
    with np.errstate(over="ignore"):
        numbers, scale, shift = bytes_of(query, steps)
    assert np.isnan([scale, shift]).all()
    assert not numbers.any()


def test_the_sign_of_the_largest_number_does_not_matter():
    for query in ([-3.0, 1.0], [3.0, -1.0]):
        numbers, scale, _ = bytes_of(np.array(query, dtype=np.float32), np.ones(2, dtype=np.float32))
        assert numbers[:2].tolist() == [int(np.sign(query[0])) * 127, int(np.sign(query[1])) * 42]
        assert scale == np.float32(3) / np.float32(127)


def test_steps_reach_the_largest_number_of_each_coordinate():
    rows = np.array([[0, 2, -5, 1e-45], [0, -4, 1, 0]], dtype=np.float32)
    steps = byte_steps(rows)
    assert steps.dtype == np.float32
    nothing = np.finfo(np.float32).tiny
    np.testing.assert_allclose(steps, [nothing, 4 / 127, 5 / 127, nothing], rtol=1e-6)
    assert byte_codes(rows, steps)[:, :3].tolist() == [[128, 192, 1], [128, 1, 153]]
    assert byte_steps(np.empty((0, 2), dtype=np.float32)).tolist() == [nothing, nothing]


def test_codes_are_cut_and_filled_up():
    codes = byte_codes(np.array([[1000, -1000, 0, 1.4, 1.6]], dtype=np.float32), np.ones(5, dtype=np.float32))
    assert codes.tolist() == [[255, 1, 128, 129, 130, 128, 128, 128]]


def test_what_a_query_has_where_no_row_has_anything_coarsens_nothing(normal):
    rows = np.concatenate([1e-3 * normal(20, 6), np.zeros((20, 2), dtype=np.float32)], axis=1)
    query = np.array([0.1, -0.2, 0.3, 0.1, 0.2, -0.3, 1e6, -3], dtype=np.float32)
    numbers, _, _ = bytes_of(query, byte_steps(rows))
    assert np.abs(numbers[:6]).max() == LARGEST_CODE
    assert not numbers[6:].any()


def test_a_query_that_has_something_there_alone_has_no_bytes():
    steps = byte_steps(np.array([[1, 0]], dtype=np.float32))
    numbers, scale, shift = bytes_of(np.array([0, 5], dtype=np.float32), steps)
    assert not numbers.any()
    assert (scale, shift) == (1, 0)


def test_too_many_coordinates_are_refused():
    rows = np.zeros((1, 66_312), dtype=np.float32)
    assert byte_codes(rows[:, 1:], np.ones(66_311, dtype=np.float32)).shape == (1, 66_312)
    with pytest.raises(ValueError, match=r"found 66,312 coordinates, expected at most 66,311"):
        byte_codes(rows, np.ones(66_312, dtype=np.float32))
