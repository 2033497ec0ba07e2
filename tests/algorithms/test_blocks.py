import numpy as np
import pytest
from ivfbench.algorithms.kernels.blocks import BLOCK, LAYOUTS, make_blocks

pytestmark = pytest.mark.interpreted

KINDS = [(4, "quads"), (4, "lanes"), (8, "quads")]


def unpacked(blocks, parts, bits, layout):
    """The codes of every slot, (B, 32, M), from the layout as the module describes it."""
    codes = np.empty((len(blocks.codes), BLOCK, parts), dtype=np.uint8)
    for vector in range(BLOCK):
        for part in range(parts):
            group, member = part // 4, part % 4
            if bits == 8:
                codes[:, vector, part] = blocks.codes[:, group * 128 + vector * 4 + member]
                continue
            place = (vector % 16) * 4 + member if layout == "quads" else member * 16 + vector % 16
            byte = blocks.codes[:, group * 64 + place]
            codes[:, vector, part] = byte >> 4 if vector >= 16 else byte & 15
    return codes


@pytest.mark.parametrize(("bits", "layout"), KINDS)
@pytest.mark.parametrize("lists", [1, 4, 40])
def test_each_slot_holds_the_codes_of_the_row_that_its_id_names(tiny, threads, bits, layout, lists):
    for n, parts in ((1, 4), (33, 12)) if tiny else ((1, 4), (32, 4), (33, 12), (300, 20)):
        generator = np.random.default_rng([n, parts, lists])
        codes = generator.integers(0, 2**bits, (n, parts)).astype(np.uint8)
        bias = generator.standard_normal(n).astype(np.float32)
        assignment = generator.integers(0, lists, n).astype(np.int32)
        blocks = make_blocks(codes, bias, assignment, lists, bits=bits, layout=layout, threads=threads)
        found = unpacked(blocks, parts, bits, layout)
        assert blocks.sizes.tolist() == np.bincount(assignment, minlength=lists).tolist()
        assert blocks.codes.shape == (blocks.starts[-1], parts * BLOCK * bits // 8)
        for i in range(lists):
            owned, size = slice(blocks.starts[i], blocks.starts[i + 1]), blocks.sizes[i]
            assert blocks.starts[i + 1] - blocks.starts[i] == -(-size // BLOCK)
            ids, biases = blocks.ids[owned].reshape(-1), blocks.bias[owned].reshape(-1)
            held = found[owned].reshape(-1, parts)
            assert ids[:size].tolist() == np.flatnonzero(assignment == i).tolist()
            np.testing.assert_array_equal(held[:size], codes[ids[:size]])
            np.testing.assert_array_equal(biases[:size], bias[ids[:size]])
            assert (ids[size:] == -1).all()
            assert np.isposinf(biases[size:]).all()
            assert not held[size:].any()


def test_layouts_differ_by_a_permutation_of_the_bytes_of_a_group():
    codes = np.random.default_rng(0).integers(0, 16, (50, 8)).astype(np.uint8)
    quads, lanes = (
        make_blocks(codes, np.zeros(50, dtype=np.float32), np.zeros(50, dtype=np.int32), 1, bits=4, layout=layout)
        for layout in LAYOUTS
    )
    groups = [blocks.codes.reshape(-1, 64) for blocks in (quads, lanes)]
    assert (groups[0] != groups[1]).any()
    np.testing.assert_array_equal(groups[0].reshape(-1, 16, 4).transpose(0, 2, 1).reshape(-1, 64), groups[1])


def test_codes_begin_on_a_line_and_bytes_are_those_of_all_arrays():
    blocks = make_blocks(
        np.zeros((33, 8), dtype=np.uint8), np.zeros(33, dtype=np.float32), np.zeros(33, dtype=np.int32), 1, bits=4
    )
    assert blocks.codes.ctypes.data % 64 == 0
    assert blocks.nbytes == 2 * 8 * 16 + 2 * 32 * 4 * 2 + 2 * 8 + 8


def test_no_rows_are_no_blocks():
    blocks = make_blocks(
        np.empty((0, 4), dtype=np.uint8), np.empty(0, dtype=np.float32), np.empty(0, dtype=np.int32), 3, bits=8
    )
    assert blocks.codes.shape == (0, 128)
    assert blocks.starts.tolist() == [0, 0, 0, 0]
