import numpy as np
import pytest
from ivfbench.algorithms.kernels.panels import aligned_empty, group_rows, make_panels
from ivfbench.algorithms.kernels.space import identity, make_space

pytestmark = pytest.mark.interpreted


def lay_out(rows, lists, seed=0, **choices):
    assignment = np.random.default_rng(seed).integers(0, lists, len(rows)).astype(np.int32)
    return assignment, make_panels(rows, identity(rows.shape[1]), assignment, lists, **choices)


@pytest.mark.parametrize("lists", [1, 4, 40])
def test_each_slot_holds_the_row_that_its_id_names(whole_numbers, shapes, threads, lists):
    for n, d in sorted({shape[:2] for shape in shapes}):
        rows = whole_numbers(n, d)
        assignment, panels = lay_out(rows, lists, threads=threads)
        assert panels.values.shape == (panels.starts[-1], d, 16)
        assert panels.sizes.tolist() == np.bincount(assignment, minlength=lists).tolist()
        for i in range(lists):
            owned = slice(panels.starts[i], panels.starts[i + 1])
            assert panels.starts[i + 1] - panels.starts[i] == -(-panels.sizes[i] // 16)
            ids = panels.ids[owned].reshape(-1)
            vectors = panels.values[owned].transpose(0, 2, 1).reshape(-1, d)
            size = panels.sizes[i]
            assert ids[:size].tolist() == np.flatnonzero(assignment == i).tolist()
            np.testing.assert_array_equal(vectors[:size], rows[ids[:size]])
            assert (ids[size:] == -1).all()
            assert not vectors[size:].any()
            assert np.isposinf(panels.bias[owned].reshape(-1)[size:]).all()
            assert not panels.bias[owned].reshape(-1)[:size].any()


def test_squared_biases_are_half_the_squared_length(whole_numbers):
    rows = whole_numbers(37, 5)
    _, panels = lay_out(rows, 3, squared=True)
    real = panels.ids >= 0
    np.testing.assert_array_equal(panels.bias[real], (rows[panels.ids[real]] ** 2).sum(axis=1) / 2)


def test_given_biases_go_with_their_rows(whole_numbers):
    rows, bias = whole_numbers(37, 5), np.arange(37, dtype=np.float32)
    _, panels = lay_out(rows, 3, bias=bias)
    real = panels.ids >= 0
    np.testing.assert_array_equal(panels.bias[real], panels.ids[real])
    assert np.isposinf(panels.bias[~real]).all()


def test_rows_are_prepared_on_their_way(naive, normal):
    rows = normal(20, 4) + 3
    panels = make_panels(rows, make_space(rows, "euclidean"), squared=True)
    prepared = naive.prepare(rows, "euclidean", naive.center(rows, "euclidean"))
    real = panels.ids >= 0
    vectors = panels.values.transpose(0, 2, 1)[real]
    np.testing.assert_allclose(vectors, prepared, atol=1e-6)
    np.testing.assert_allclose(panels.bias[real], (prepared**2).sum(axis=1) / 2, rtol=1e-6)


def test_values_begin_on_a_line():
    assert aligned_empty((0, 5, 16)).shape == (0, 5, 16)
    for shape in ((1, 1, 16), (3, 5, 16), (2, 7, 16)):
        array = aligned_empty(shape)
        assert array.shape == shape
        assert array.flags.c_contiguous
        assert array.ctypes.data % 64 == 0


def test_group_rows_keeps_row_order():
    order, offsets = group_rows(np.array([2, 0, 2, 0, 2], dtype=np.int32), 4)
    assert order.tolist() == [1, 3, 0, 2, 4]
    assert offsets.tolist() == [0, 2, 2, 5, 5]


def test_bytes_are_those_of_all_arrays(whole_numbers):
    _, panels = lay_out(whole_numbers(17, 3), 1)
    assert panels.nbytes == 2 * 3 * 16 * 4 + 2 * 16 * 4 * 2 + 2 * 8 + 8
