"""Tiles that sum integers: every kind that this processor runs, against plain integers, to the last bit."""

from functools import cache

import numba
import numpy as np
import pytest
from ivfbench.algorithms.kernels import byte_products, lookup
from ivfbench.algorithms.kernels.blocks import BLOCK, make_blocks
from ivfbench.algorithms.kernels.compile import FAST
from ivfbench.algorithms.kernels.processor import processor_has
from numba.core import config

pytestmark = pytest.mark.interpreted

SHAPES = [(1, 1), (1, 2), (6, 1)]  # queries x blocks
HOST_LOOKUPS = ["portable"]
HOST_PRODUCTS = ["portable"]
if not config.DISABLE_JIT:
    if processor_has("avx2"):
        HOST_LOOKUPS.append("vpshufb")
    if lookup.KERNEL == "vpermb":
        HOST_LOOKUPS.append("vpermb")
    if byte_products.KERNEL == "vpdpbusd":
        HOST_PRODUCTS.append("vpdpbusd")


@cache
def runnable(make, kind, queries, blocks):
    """A tile that can be called from Python."""
    tile = make(kind, queries, blocks)

    # with the flags of `kernel`, which must not reach the tile; cached, it would never be met again
    @numba.njit(fastmath=set(FAST), error_model="numpy")
    def call(codes, bias, first, tables, picks, scales, shifts, scores):
        tile(codes, bias, first, tables, picks, scales, shifts, scores)

    return call


def random(low, high):
    return lambda generator, shape: generator.integers(low, high, shape)


def always(value):
    return lambda generator, shape: np.full(shape, value)


def mixed(*values):
    return lambda generator, shape: generator.choice(values, shape)


def problem(codes, tables, queries, blocks, rows_of_tables):
    """Codes (n, M) and tables, with five spare rows and blocks around those that are asked for."""
    generator = np.random.default_rng([queries, blocks, codes.shape[1]])
    picks = generator.permutation(rows_of_tables)[:queries].astype(np.int64)
    scales = (generator.random(rows_of_tables) + 0.01).astype(np.float32)
    shifts = generator.standard_normal(queries).astype(np.float32)
    bias = generator.standard_normal(len(codes)).astype(np.float32)
    return picks, scales, shifts, bias


def expected_scores(sums, bias, scales, shifts):
    """bias + shift - scale · sum, rounded after each step. sums (queries, vectors) int64."""
    return (bias + shifts[:, None]) - scales[:, None] * sums.astype(np.float32)


def scores_of(make, kind, shape, blocks, first, tables, picks, scales, shifts):
    scores = np.full((shape[0], BLOCK * shape[1]), np.nan, dtype=np.float32)
    runnable(make, kind, *shape)(blocks.codes, blocks.bias, first, tables, picks, scales, shifts, scores)
    return scores


LOOKUPS = {
    "random": (random(0, 16), random(0, 256)),
    "largest": (always(15), always(255)),
    "ends": (mixed(0, 15), mixed(0, 255)),
}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("case", LOOKUPS)
def test_every_lookup_gives_the_sums_of_plain_integers(case, shape):
    for parts in (4, 12, 28, lookup.MOST_SUBQUANTISERS) if not config.DISABLE_JIT else (4, 28):
        generator = np.random.default_rng(parts)
        draw_codes, draw_entries = LOOKUPS[case]
        codes = draw_codes(generator, (4 * BLOCK, parts)).astype(np.uint8)
        entries = draw_entries(generator, (9, parts, 16)).astype(np.uint8)
        picks, scales, shifts, bias = problem(codes, entries, *shape, 9)
        first = 2
        asked = slice(first * BLOCK, (first + shape[1]) * BLOCK)
        sums = np.stack([entries[pick, np.arange(parts), codes[asked]].astype(np.int64).sum(axis=1) for pick in picks])
        expected = expected_scores(sums, bias[asked], scales[picks], shifts)
        for kind in HOST_LOOKUPS:
            layout = lookup.LAYOUT_OF_KERNEL[kind]
            blocks = make_blocks(codes, bias, np.zeros(len(codes), dtype=np.int32), 1, bits=4, layout=layout)
            found = scores_of(
                lookup.make_lookup_tile, kind, shape, blocks, first, entries.reshape(9, -1), picks, scales, shifts
            )
            assert found.tobytes() == expected.tobytes(), (kind, parts)


PRODUCTS = {
    "random": (random(0, 256), random(-127, 128)),
    "largest": (always(255), always(127)),
    "least": (always(255), always(-127)),
    "ends": (mixed(0, 1, 255), mixed(-127, 0, 127)),
}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("case", PRODUCTS)
def test_every_byte_tile_gives_the_products_of_plain_integers(case, shape):
    for dimension in (4, 12, 28, 1000):
        generator = np.random.default_rng(dimension)
        draw_codes, draw_numbers = PRODUCTS[case]
        codes = draw_codes(generator, (4 * BLOCK, dimension)).astype(np.uint8)
        numbers = draw_numbers(generator, (9, dimension)).astype(np.int8)
        picks, scales, shifts, bias = problem(codes, numbers, *shape, 9)
        first = 2
        asked = slice(first * BLOCK, (first + shape[1]) * BLOCK)
        sums = numbers[picks].astype(np.int64) @ codes[asked].T.astype(np.int64)
        expected = expected_scores(sums, bias[asked], scales[picks], shifts)
        blocks = make_blocks(codes, bias, np.zeros(len(codes), dtype=np.int32), 1, bits=8)
        for kind in HOST_PRODUCTS:
            found = scores_of(
                byte_products.make_byte_tile, kind, shape, blocks, first, numbers.view(np.uint8), picks, scales, shifts
            )
            assert found.tobytes() == expected.tobytes(), (kind, dimension)


def test_padding_scores_infinity_and_nan_stays_nan():
    codes = np.full((3, 4), 7, dtype=np.uint8)
    bias = np.array([0, np.nan, 1], dtype=np.float32)
    ones, nothing = np.ones(1, dtype=np.float32), np.zeros(1, dtype=np.float32)
    pick = np.zeros(1, dtype=np.int64)
    for make, kinds, bits in (
        (lookup.make_lookup_tile, HOST_LOOKUPS, 4),
        (byte_products.make_byte_tile, HOST_PRODUCTS, 8),
    ):
        for kind in kinds:
            layout = lookup.LAYOUT_OF_KERNEL[kind] if bits == 4 else "quads"
            blocks = make_blocks(codes, bias, np.zeros(3, dtype=np.int32), 1, bits=bits, layout=layout)
            tables = np.ones((1, 64 if bits == 4 else 4), dtype=np.uint8)
            scores = scores_of(make, kind, (1, 1), blocks, 0, tables, pick, ones, nothing)[0]
            assert scores[[0, 2]].tolist() == ([-4, -3] if bits == 4 else [-28, -27]), kind
            assert np.isnan(scores[1])
            assert np.isposinf(scores[3:]).all()
            scores = scores_of(make, kind, (1, 1), blocks, 0, tables, pick, ones * np.float32(np.nan), nothing)
            assert np.isnan(scores).all()


def test_the_hosts_own_tiles_are_of_its_best_kind():
    assert HOST_LOOKUPS[-1] == lookup.KERNEL
    assert (HOST_PRODUCTS[-1] if not config.DISABLE_JIT else "plain") == byte_products.KERNEL
    assert lookup.LAYOUT_OF_KERNEL[lookup.KERNEL] == lookup.LAYOUT
