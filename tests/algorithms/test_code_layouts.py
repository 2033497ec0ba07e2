"""Both layouts of 4-bit codes say the same: one turns into the other and back, and every kernel reads its own."""

import numba
import numpy as np
import pytest
from ivfbench.algorithms.kernels.blocks import BLOCK, LAYOUTS, convert_layout, make_blocks
from ivfbench.algorithms.kernels.lookup import LAYOUT_OF_KERNEL, make_lookup_tile
from ivfbench.algorithms.kernels.processor import processor_has
from numba.core import config

NEEDS = {"portable": (), "vpshufb": ("avx2",), "vpermb": ("avx512f", "avx512bw", "avx512vbmi", "avx512vnni")}


def laid_out(count, parts, layout):
    rng = np.random.default_rng([count, parts])
    codes = rng.integers(0, 16, (count, parts)).astype(np.uint8)
    assignment = rng.integers(0, 3, count).astype(np.int32)
    return codes, make_blocks(codes, np.zeros(count, dtype=np.float32), assignment, 3, bits=4, layout=layout)


@pytest.mark.interpreted
@pytest.mark.parametrize(("count", "parts"), [(0, 4), (1, 4), (40, 4), (100, 12)])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_converted_codes_are_those_laid_out_so_at_once(count, parts, layout):
    (other,) = set(LAYOUTS) - {layout}
    codes, there = laid_out(count, parts, layout)[1].codes, laid_out(count, parts, other)[1].codes
    before = codes.copy()
    converted = convert_layout(codes, layout, other)
    np.testing.assert_array_equal(converted, there)
    np.testing.assert_array_equal(convert_layout(converted, other, layout), before)
    np.testing.assert_array_equal(codes, before)
    assert not converted.size or converted.ctypes.data % 64 == 0
    assert convert_layout(codes, layout, layout) is codes
    if count > 1:
        assert (converted != codes).any()


@pytest.mark.parametrize("wrong", [("rows", "quads"), ("quads", "rows"), ("rows", "rows")])
def test_an_unknown_layout(wrong):
    with pytest.raises(ValueError, match=r"^layout: found 'rows', expected one of quads, lanes$"):
        convert_layout(np.zeros((1, 64), dtype=np.uint8), *wrong)


@pytest.mark.interpreted
@pytest.mark.parametrize("kernel", NEEDS)
def test_every_kernel_finds_the_same_in_converted_codes(kernel):
    if not all(processor_has(feature) for feature in NEEDS[kernel]) or (config.DISABLE_JIT and kernel != "portable"):
        pytest.skip(f"this processor has no {kernel}")
    codes, blocks = laid_out(70, 8, "lanes")
    rng = np.random.default_rng(1)
    tables = rng.integers(0, 256, (1, 16 * 8)).astype(np.uint8)
    tile, converted = make_lookup_tile(kernel, 1, 1), convert_layout(blocks.codes, "lanes", LAYOUT_OF_KERNEL[kernel])

    @numba.njit
    def score(codes, bias, block, tables, picks, scales, shifts, scores):
        tile(codes, bias, block, tables, picks, scales, shifts, scores)

    sums = tables.reshape(8, 16)[np.arange(8), codes].sum(axis=1, dtype=np.int64)
    seen = 0
    for block in range(len(converted)):
        scores = np.empty((1, BLOCK), dtype=np.float32)
        ones, none = np.ones(1, dtype=np.float32), np.zeros(1, dtype=np.float32)
        score(converted, blocks.bias, block, tables, np.zeros(1, dtype=np.int64), ones, none, scores)
        real = blocks.ids[block] >= 0
        np.testing.assert_array_equal(-scores[0, real], sums[blocks.ids[block][real]])
        assert np.isposinf(scores[0, ~real]).all()
        seen += int(real.sum())
    assert seen == 70
