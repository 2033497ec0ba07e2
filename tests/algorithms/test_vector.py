import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ivfbench.algorithms.kernels import vector
from ivfbench.algorithms.kernels.compile import kernel

pytestmark = pytest.mark.interpreted

tile, tile_of_one_panel = vector.tile, vector.tile_of_one_panel
stream, stream_of_one_panel = vector.stream, vector.stream_of_one_panel
lanes_at_most, lowest_bit = vector.lanes_at_most, vector.lowest_bit
float_bits, bits_float = vector.float_bits, vector.bits_float

# Intrinsics can be called from compiled code alone.


@kernel
def call_tile(values, bias, first, queries, picks, scores):
    tile(values, bias, first, queries, picks, scores)


@kernel
def call_tile_of_one_panel(values, bias, first, queries, picks, scores):
    tile_of_one_panel(values, bias, first, queries, picks, scores)


@kernel
def call_stream(values, bias, first, queries, picks, scores):
    stream(values, bias, first, queries, picks, scores)


@kernel
def call_stream_of_one_panel(values, bias, first, queries, picks, scores):
    stream_of_one_panel(values, bias, first, queries, picks, scores)


@kernel
def call_difference_tile(values, bias, first, queries, picks, scores):
    vector.difference_tile(values, bias, first, queries, picks, scores)


@kernel
def call_difference_tile_of_one_panel(values, bias, first, queries, picks, scores):
    vector.difference_tile_of_one_panel(values, bias, first, queries, picks, scores)


@kernel
def call_difference_stream(values, bias, first, queries, picks, scores):
    vector.difference_stream(values, bias, first, queries, picks, scores)


@kernel
def call_difference_stream_of_one_panel(values, bias, first, queries, picks, scores):
    vector.difference_stream_of_one_panel(values, bias, first, queries, picks, scores)


@kernel
def call_lanes_at_most(scores, row, column, limit):
    return lanes_at_most(scores, row, column, limit)


@kernel
def call_lowest_bit(mask):
    return lowest_bit(mask)


@kernel
def call_float_bits(value):
    return float_bits(value)


@kernel
def call_bits_float(bits):
    return bits_float(bits)


tile_of_two_panels = vector.make_tile(6, 2)
difference_tile_of_two_panels = vector.make_tile(6, 2, differences=True)


@kernel
def call_tile_of_two_panels(values, bias, first, queries, picks, scores):
    tile_of_two_panels(values, bias, first, queries, picks, scores)


@kernel
def call_difference_tile_of_two_panels(values, bias, first, queries, picks, scores):
    difference_tile_of_two_panels(values, bias, first, queries, picks, scores)


PRODUCTS = {
    "tile_of_two_panels": (call_tile_of_two_panels, 6, 2),  # what hosts with 512-bit registers use
    "tile": (call_tile, vector.QUERIES_PER_TILE, vector.PANELS_PER_TILE),
    "tile_of_one_panel": (call_tile_of_one_panel, vector.QUERIES_PER_TILE, 1),
    "stream": (call_stream, 1, vector.PANELS_PER_STREAM),
    "stream_of_one_panel": (call_stream_of_one_panel, 1, 1),
}
DIFFERENCES = {
    "difference_tile_of_two_panels": (call_difference_tile_of_two_panels, 6, 2),
    "difference_tile": (call_difference_tile, vector.QUERIES_PER_TILE, vector.PANELS_PER_TILE),
    "difference_tile_of_one_panel": (call_difference_tile_of_one_panel, vector.QUERIES_PER_TILE, 1),
    "difference_stream": (call_difference_stream, 1, vector.PANELS_PER_STREAM),
    "difference_stream_of_one_panel": (call_difference_stream_of_one_panel, 1, 1),
}
KINDS = {**PRODUCTS, **DIFFERENCES}


def inputs(whole_numbers, dimension):
    values = whole_numbers(7 * dimension, 16).reshape(7, dimension, 16)
    return values, whole_numbers(7, 16, seed=1), whole_numbers(9, dimension, seed=2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dimension", [1, 3, 16, 33, 130])
def test_a_tile_scores_what_it_is_shown(naive, whole_numbers, kind, dimension):
    call, count, panels = KINDS[kind]
    values, bias, queries = inputs(whole_numbers, dimension)
    picks = np.array([8, 0, 0, 3, 5, 1], dtype=np.int64)[:count]
    scores = np.full((count, panels * 16), np.nan, dtype=np.float32)
    for first in (0, 7 - panels):
        call(values, bias, np.int64(first), queries, picks, scores)
        expected = naive.tile(values, bias, first, queries, picks, panels, differences=kind in DIFFERENCES)
        np.testing.assert_array_equal(scores, expected)


@pytest.mark.parametrize("family", [PRODUCTS, DIFFERENCES], ids=["products", "differences"])
def test_every_tile_gives_a_pair_the_same_bits(normal, family):
    values, bias, queries = normal(4 * 33, 16).reshape(4, 33, 16), normal(4, 16, seed=1), normal(1, 33, seed=2)
    found = []
    for call, count, panels in family.values():
        scores = np.empty((count, panels * 16), dtype=np.float32)
        call(values, bias, np.int64(0), queries, np.zeros(count, dtype=np.int64), scores)
        found.append(scores[:, :16])
    for scores in np.concatenate(found):
        assert scores.tobytes() == found[0][0].tobytes()


@pytest.mark.parametrize("call", [call_stream_of_one_panel, call_difference_stream_of_one_panel])
def test_a_tile_writes_nothing_beside_its_scores(whole_numbers, call):
    values, bias, queries = inputs(whole_numbers, 3)
    room = np.full((3, 16), 77, dtype=np.float32)
    call(values, bias, np.int64(2), queries, np.array([4]), room[1:2])
    assert (room[[0, 2]] == 77).all()
    assert (room[1] != 77).all()


def test_padding_and_nan_are_infinitely_far_or_nowhere_by_differences(whole_numbers):
    values, _, queries = inputs(whole_numbers, 3)
    queries[1, 2] = np.nan
    scores = np.zeros((1, 16), dtype=np.float32)
    for bias, query, expected in ((np.inf, 0, np.inf), (0, 1, np.nan)):
        biases = np.full((7, 16), bias, dtype=np.float32)
        call_difference_stream_of_one_panel(values, biases, np.int64(0), queries, np.array([query]), scores)
        np.testing.assert_array_equal(scores, np.full((1, 16), expected))


FLOATS = st.floats(width=32, allow_nan=True, allow_infinity=True)


@given(st.lists(FLOATS, min_size=16, max_size=16), FLOATS)
def test_lanes_at_most(naive, scores, limit):
    held = np.full((2, 48), np.nan, dtype=np.float32)
    held[1, 16:32] = scores
    found = call_lanes_at_most(held, np.int64(1), np.int64(16), np.float32(limit))
    assert int(found) == naive.lanes_at_most(held[1, 16:32], np.float32(limit))


def test_nan_never_passes_a_limit():
    scores = np.full((1, 16), np.nan, dtype=np.float32)
    assert call_lanes_at_most(scores, 0, 0, np.float32(np.inf)) == 0
    assert call_lanes_at_most(np.zeros((1, 16), dtype=np.float32), 0, 0, np.float32(np.nan)) == 0


@pytest.mark.parametrize("bit", range(16))
def test_lowest_bit(bit):
    assert call_lowest_bit(np.uint64(1 << bit)) == bit
    assert call_lowest_bit(np.uint64(0xFFFF >> bit << bit)) == bit


@given(FLOATS)
def test_float_bits_and_back(value):
    value = np.float32(value)
    bits = call_float_bits(value)
    assert int(bits) == int.from_bytes(value.tobytes(), "little")
    assert np.float32(call_bits_float(np.uint32(bits))).tobytes() == value.tobytes()
