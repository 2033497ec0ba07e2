import numpy as np
import pytest
from ivfbench.algorithms.kernels.tables import make_tables

pytestmark = pytest.mark.interpreted


def tables_of(rotated, codewords, row=1):
    parts = len(codewords)
    tables = np.full((3, 16 * parts), 99, dtype=np.uint8)
    values, lows = np.empty((parts, 16), dtype=np.float32), np.empty(parts, dtype=np.float32)
    scale, offset = make_tables(rotated, codewords, values, lows, tables, row)
    assert (np.delete(tables, row, axis=0) == 99).all()
    return tables[row].reshape(parts, 16).astype(np.int64), np.float64(scale), np.float64(offset)


@pytest.mark.parametrize(("parts", "width"), [(4, 1), (4, 5), (12, 4), (28, 3)])
def test_what_codes_find_is_within_half_a_step_for_each_subquantiser(normal, parts, width):
    generator = np.random.default_rng(parts)
    codewords = normal(parts * width, 16).reshape(parts, width, 16)
    for query in normal(5, parts * width, seed=1):
        tables, scale, offset = tables_of(query, codewords)
        products = np.einsum("mj,mjc->mc", query.astype(np.float64).reshape(parts, width), codewords.astype(np.float64))
        assert (tables.min(), tables.max()) == (0, 255)
        assert (tables.min(axis=1) == 0).all()
        np.testing.assert_allclose(scale, np.ptp(products, axis=1).max() / 255, rtol=1e-5)
        np.testing.assert_allclose(offset, products.min(axis=1).sum(), rtol=1e-5, atol=1e-5)
        for codes in generator.integers(0, 16, (20, parts)):
            found = offset + scale * tables[np.arange(parts), codes].sum()
            assert abs(found - products[np.arange(parts), codes].sum()) <= 0.501 * scale * parts


@pytest.mark.parametrize("query", [0.0, 1.0])
def test_codewords_that_are_all_alike_leave_nothing_to_look_up(query):
    tables, scale, offset = tables_of(np.full(8, query, dtype=np.float32), np.full((4, 2, 16), 3, dtype=np.float32))
    assert not tables.any()
    assert (scale, offset) == (1, 24 * query)


def test_one_scale_serves_all_tables():
    codewords = np.zeros((4, 1, 16), dtype=np.float32)
    codewords[0, 0], codewords[1, 0] = np.arange(16), -np.arange(16) * 17
    tables, scale, offset = tables_of(np.ones(4, dtype=np.float32), codewords)
    assert (scale, offset) == (1, -255)
    assert tables.tolist() == [list(range(16)), list(range(255, -1, -17)), [0] * 16, [0] * 16]
