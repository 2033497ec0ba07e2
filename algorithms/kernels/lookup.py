"""Scores from 4-bit codes: tables of 16 entries, looked up in registers, written once as LLVM code.

A vector is M codes of 4 bits; a query has for each of them a table of 16 numbers of 8 bits. The score of a vector is
the sum of what its codes find (`blocks` says how codes lie in memory, `quantiser` what the numbers mean). Registers
hold whole tables, so a look-up is one byte permutation for 64 codes at once:

- AVX-512 VBMI and VNNI: ``vpermb`` looks up in a register of four tables, ``vpdpbusd`` sums four neighbouring bytes
  into 32 bits. Codes of four sub-quantisers lie side by side (layout ``quads``).
- AVX2: ``vpshufb`` looks up in one table of each 128-bit lane; sums are kept in 16 bits and widened at the end. Codes of
  16 vectors lie side by side (layout ``lanes``).
- Elsewhere plain loops, over either layout.

Sums are of integers, so all of them agree to the last bit. An instruction that the processor lacks would end the
process: `KERNEL` is chosen once, from the host's features.

A *tile* scores M queries against P blocks of 32 vectors, as the tiles of `vector` do.
"""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, config
from numba.extending import intrinsic

from .features import host_has
from .vector import _as_vector_pointer, _dimension, _load, _pointer, _require_arrays, _splat

BLOCK = 32  # vectors of one block
GROUP = 4  # sub-quantisers of one group
GROUP_BYTES = 64  # 32 vectors x 4 codes of 4 bits

if config.DISABLE_JIT:
    KERNEL = "portable"
elif host_has("avx512f", "avx512bw", "avx512vl", "avx512vbmi", "avx512vnni"):
    KERNEL = "vpermb"
elif host_has("avx2"):
    KERNEL = "vpshufb"
else:
    KERNEL = "portable"

LAYOUT_OF_KERNEL = {"vpermb": "quads", "vpshufb": "lanes", "portable": "quads"}

_BYTE, _INT32, _INT64, _FLOAT = ir.IntType(8), ir.IntType(32), ir.IntType(64), ir.FloatType()
_INTEGERS = ir.VectorType(_INT32, 16)
_FLOATS = ir.VectorType(_FLOAT, 16)


def _bytes(values: list[int]) -> ir.Constant:
    return ir.Constant(ir.VectorType(_BYTE, len(values)), values)


def _call(builder: Any, name: str, result: Any, *operands: Any) -> Any:
    kind = ir.FunctionType(result, [operand.type for operand in operands])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), list(operands))


def _load_bytes(builder: Any, pointer: Any, count: int) -> Any:
    return builder.load(builder.bitcast(pointer, ir.VectorType(_BYTE, count).as_pointer()), align=1)


def _nibbles(builder: Any, codes: Any) -> tuple[Any, Any]:
    low = builder.and_(codes, _bytes([15] * codes.type.count))
    return low, builder.lshr(codes, _bytes([4] * codes.type.count))


# ---- the step of one group of four sub-quantisers, and the final sums -------------------------------------


def _vpermb_codes(builder: Any, pointer: Any) -> Any:
    offsets = _bytes([16 * (j % GROUP) for j in range(64)])
    return [builder.or_(part, offsets) for part in _nibbles(builder, _load_bytes(builder, pointer, 64))]


def _vpermb_step(builder: Any, sums: list[Any], codes: Any, table: Any) -> list[Any]:
    ones, grown = _bytes([1] * 64), []
    entries = _load_bytes(builder, table, 64)
    for total, index in zip(sums, codes, strict=True):
        found = _call(builder, "llvm.x86.avx512.permvar.qi.512", entries.type, entries, index)
        grown.append(_call(builder, "llvm.x86.avx512.vpdpbusd.512", _INTEGERS, total, found, ones))
    return grown


def _vpshufb_codes(builder: Any, pointer: Any) -> Any:
    halves = (_load_bytes(builder, builder.gep(pointer, [ir.Constant(_INT64, 32 * half)]), 32) for half in range(2))
    return [_nibbles(builder, half) for half in halves]


def _vpshufb_step(builder: Any, sums: list[Any], codes: Any, table: Any) -> list[Any]:
    # sums: even and odd vectors of the low nibbles, then of the high ones, in 16 bits
    words = ir.VectorType(ir.IntType(16), 16)
    grown = list(sums)
    for half in range(2):
        entries = _load_bytes(builder, builder.gep(table, [ir.Constant(_INT64, 32 * half)]), 32)
        for place, index in enumerate(codes[half]):
            found = _call(builder, "llvm.x86.avx2.pshuf.b", entries.type, entries, index)
            pairs = builder.bitcast(found, words)
            even = builder.and_(pairs, ir.Constant(words, [255] * 16))
            odd = builder.lshr(pairs, ir.Constant(words, [8] * 16))
            grown[2 * place] = builder.add(grown[2 * place], even)
            grown[2 * place + 1] = builder.add(grown[2 * place + 1], odd)
    return grown


def _vpshufb_total(builder: Any, sums: list[Any]) -> list[Any]:
    # 16-bit sums of even and odd vectors, each in two lanes of 8, to two vectors of 16 32-bit sums in order
    totals = []
    for even, odd in (sums[:2], sums[2:]):
        wide = []
        for part in (even, odd):
            lanes = [
                builder.zext(
                    builder.shuffle_vector(
                        part,
                        ir.Constant(part.type, ir.Undefined),
                        ir.Constant(ir.VectorType(_INT32, 8), list(range(first, first + 8))),
                    ),
                    ir.VectorType(_INT32, 8),
                )
                for first in (0, 8)
            ]
            wide.append(builder.add(*lanes))
        order = [place // 2 + 8 * (place % 2) for place in range(16)]
        totals.append(builder.shuffle_vector(*wide, ir.Constant(ir.VectorType(_INT32, 16), order)))
    return totals


class _Steps:
    """How one kind of kernel starts, steps and ends."""

    def __init__(self, zero: Any, count: int, codes: Any, step: Any, total: Any) -> None:
        self.zero, self.count, self.codes, self.step, self.total = zero, count, codes, step, total


_STEPS = {
    "vpermb": _Steps(ir.Constant(_INTEGERS, None), 2, _vpermb_codes, _vpermb_step, lambda builder, sums: sums),
    "vpshufb": _Steps(
        ir.Constant(ir.VectorType(ir.IntType(16), 16), None), 4, _vpshufb_codes, _vpshufb_step, _vpshufb_total
    ),
}


def _tile_code(steps: _Steps, queries_count: int, blocks_count: int) -> Callable[..., Any]:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        codes_type, bias_type, _, tables_type, picks_type, scales_type, shifts_type, scores_type = signature.args
        codes, bias, first, tables, picks, scales, shifts, scores = arguments
        width = _dimension(context, builder, codes_type, codes, 1)
        codes_data = _pointer(context, builder, codes_type, codes)
        bias_data = _pointer(context, builder, bias_type, bias)
        tables_data = _pointer(context, builder, tables_type, tables)
        picks_data = _pointer(context, builder, picks_type, picks)
        scales_data = _pointer(context, builder, scales_type, scales)
        shifts_data = _pointer(context, builder, shifts_type, shifts)
        scores_data = _pointer(context, builder, scores_type, scores)
        blocks = [builder.add(first, ir.Constant(_INT64, block)) for block in range(blocks_count)]
        block_starts = [builder.gep(codes_data, [builder.mul(block, width)]) for block in blocks]
        rows = [builder.load(builder.gep(picks_data, [ir.Constant(_INT64, i)])) for i in range(queries_count)]
        table_starts = [builder.gep(tables_data, [builder.mul(row, width)]) for row in rows]

        before = builder.block
        loop = builder.append_basic_block("groups")
        after = builder.append_basic_block("summed")
        builder.branch(loop)
        builder.position_at_end(loop)
        place = builder.phi(_INT64)
        place.add_incoming(ir.Constant(_INT64, 0), before)
        sums = [
            [[builder.phi(steps.zero.type) for _ in range(steps.count)] for _ in range(blocks_count)]
            for _ in range(queries_count)
        ]
        found = [steps.codes(builder, builder.gep(start, [place])) for start in block_starts]
        grown = [
            [
                steps.step(builder, sums[i][block], found[block], builder.gep(table_starts[i], [place]))
                for block in range(blocks_count)
            ]
            for i in range(queries_count)
        ]
        following = builder.add(place, ir.Constant(_INT64, GROUP_BYTES))
        place.add_incoming(following, loop)
        for i in range(queries_count):
            for block in range(blocks_count):
                for part in range(steps.count):
                    sums[i][block][part].add_incoming(steps.zero, before)
                    sums[i][block][part].add_incoming(grown[i][block][part], loop)
        builder.cbranch(builder.icmp_signed("<", following, width), loop, after)
        builder.position_at_end(after)
        for i in range(queries_count):
            scale = _splat(builder, builder.load(builder.gep(scales_data, [rows[i]])))
            shift = _splat(builder, builder.load(builder.gep(shifts_data, [ir.Constant(_INT64, i)])))
            for block in range(blocks_count):
                for half, total in enumerate(steps.total(builder, grown[i][block])):
                    at = builder.add(
                        builder.mul(blocks[block], ir.Constant(_INT64, BLOCK)), ir.Constant(_INT64, 16 * half)
                    )
                    base = builder.fadd(_load(builder, builder.gep(bias_data, [at])), shift, flags=("contract",))
                    part = builder.fmul(builder.sitofp(total, _FLOATS), scale, flags=("nsz",))
                    target = builder.gep(
                        scores_data, [ir.Constant(_INT64, (i * blocks_count + block) * BLOCK + 16 * half)]
                    )
                    score = builder.fsub(base, part, flags=("nsz",))
                    builder.store(score, _as_vector_pointer(builder, target), align=4)
        return context.get_dummy_value()

    return generate


def _tile_type(
    codes: Any, bias: Any, first: Any, tables: Any, picks: Any, scales: Any, shifts: Any, scores: Any
) -> Any:
    _require_arrays((codes, types.uint8, 2), (bias, types.float32, 2), (tables, types.uint8, 2))
    _require_arrays((picks, types.int64, 1), (scales, types.float32, 1), (shifts, types.float32, 1))
    _require_arrays((scores, types.float32, 2))
    return types.void(codes, bias, types.int64, tables, picks, scales, shifts, scores)


def _plain_tile(queries_count: int, blocks_count: int) -> Callable[..., None]:
    # The same in plain loops, over the layout `quads`; compiled where no better instruction is to be had.
    def tile(codes, bias, first, tables, picks, scales, shifts, scores):  # type: ignore[no-untyped-def]
        for i in range(queries_count):
            row = picks[i]
            for vector in range(blocks_count * BLOCK):
                block, member = first + vector // BLOCK, vector % BLOCK
                total = np.int32(0)
                for group in range(codes.shape[1] // GROUP_BYTES):
                    for part in range(GROUP):
                        code = codes[block, group * GROUP_BYTES + (member % 16) * GROUP + part]
                        code = (code >> 4) if member >= 16 else (code & 15)
                        total += np.int32(tables[row, group * GROUP_BYTES + part * 16 + code])
                base = bias[block, member] + shifts[i]
                part_score = np.float32(total) * scales[row]
                scores[i, vector] = base - part_score

    return tile


def make_lookup_tile(kernel: str, queries_count: int, blocks_count: int) -> Any:
    """Return the tile of `queries_count` queries x `blocks_count` blocks, to be called from kernels.

    ``tile(codes, bias, first, tables, picks, scales, shifts, scores)`` scores the queries picks[0], picks[1], ...
    against the blocks first, first + 1, ...: codes (B, 16·M) uint8, bias (B, 32) float32, tables (q, 16·M) uint8, picks
    int64, scales (q,) float32, shifts (queries_count,) float32, scores (queries_count, 32·blocks_count) float32,
    overwritten with bias + shift - scale · sum.

    Parameters
    ----------
    kernel : str
        ``vpermb``, ``vpshufb`` or ``portable``. The first two end the process where the processor lacks them.
    queries_count, blocks_count : int
    """
    if config.DISABLE_JIT:
        return _plain_tile(queries_count, blocks_count)
    if kernel == "portable":
        # no contraction of base - part: the sums must round as those of the other kernels do
        return numba.njit(nogil=True, error_model="numpy")(_plain_tile(queries_count, blocks_count))
    code = _tile_code(_STEPS[kernel], queries_count, blocks_count)

    @intrinsic
    def tile(typing_context, codes, bias, first, tables, picks, scales, shifts, scores):  # type: ignore[no-untyped-def]
        return _tile_type(codes, bias, first, tables, picks, scales, shifts, scores), code

    return tile


LAYOUT = LAYOUT_OF_KERNEL[KERNEL]
# Tables of six queries and twelve sums fit the registers beside the codes; one query takes two blocks at a time.
QUERIES_PER_LOOKUP = 6
BLOCKS_PER_LOOKUP = 2
lookup_tile = make_lookup_tile(KERNEL, QUERIES_PER_LOOKUP, 1)
lookup_stream = make_lookup_tile(KERNEL, 1, BLOCKS_PER_LOOKUP)
lookup_stream_of_one_block = make_lookup_tile(KERNEL, 1, 1)
