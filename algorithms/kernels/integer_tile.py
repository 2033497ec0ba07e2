"""The frame of every tile that sums integers: queries against blocks of 32 codes, in registers, as LLVM code.

What is done with one group of codes differs (`lookup`, `byte_products`); loops, accumulators and the final
``bias + shift - scale · sum`` do not, and stand here. The instructions that a kind names must be the host's
(`processor`): a missing one ends the process.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .vector import _as_vector_pointer, _dimension, _load, _pointer, _require_arrays, _splat

BLOCK = 32  # vectors of one block

_BYTE, _INT32, _INT64, _FLOAT = ir.IntType(8), ir.IntType(32), ir.IntType(64), ir.FloatType()
INTEGERS = ir.VectorType(_INT32, 16)
_FLOATS = ir.VectorType(_FLOAT, 16)


@dataclass(frozen=True, slots=True)
class Steps:
    """How one kind of tile starts, steps and ends.

    Attributes
    ----------
    zero : LLVM constant
        What each accumulator starts from.
    count : int
        Accumulators of one query and one block.
    code_bytes, table_bytes : int
        How far a step goes in a block and in a query's row.
    codes : callable
        ``codes(builder, pointer)``: load one group of a block and take it apart, once for all queries.
    step : callable
        ``step(builder, sums, codes, table pointer)``: the accumulators after the group.
    total : callable
        ``total(builder, sums)``: two vectors of 16 int32, vectors 0-15 and 16-31 of the block.
    """

    zero: Any
    count: int
    code_bytes: int
    table_bytes: int
    codes: Callable[..., Any]
    step: Callable[..., list[Any]]
    total: Callable[..., list[Any]]


def byte_constants(values: list[int]) -> ir.Constant:
    """Return a vector of bytes."""
    return ir.Constant(ir.VectorType(_BYTE, len(values)), values)


def call(builder: Any, name: str, result: Any, *operands: Any) -> Any:
    """Call an LLVM intrinsic by its name."""
    kind = ir.FunctionType(result, [operand.type for operand in operands])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), list(operands))


def load_bytes(builder: Any, pointer: Any, count: int) -> Any:
    """Load `count` bytes from anywhere."""
    return builder.load(builder.bitcast(pointer, ir.VectorType(_BYTE, count).as_pointer()), align=1)


def _tile_code(steps: Steps, queries_count: int, blocks_count: int) -> Callable[..., Any]:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        codes_type, bias_type, _, tables_type, picks_type, scales_type, shifts_type, scores_type = signature.args
        codes, bias, first, tables, picks, scales, shifts, scores = arguments
        width = _dimension(context, builder, codes_type, codes, 1)
        table_width = _dimension(context, builder, tables_type, tables, 1)
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
        table_starts = [builder.gep(tables_data, [builder.mul(row, table_width)]) for row in rows]

        before = builder.block
        loop = builder.append_basic_block("groups")
        after = builder.append_basic_block("summed")
        builder.branch(loop)
        builder.position_at_end(loop)
        place, table_place = builder.phi(_INT64), builder.phi(_INT64)
        for start in (place, table_place):
            start.add_incoming(ir.Constant(_INT64, 0), before)
        sums = [
            [[builder.phi(steps.zero.type) for _ in range(steps.count)] for _ in range(blocks_count)]
            for _ in range(queries_count)
        ]
        found = [steps.codes(builder, builder.gep(start, [place])) for start in block_starts]
        grown = [
            [
                steps.step(builder, sums[i][block], found[block], builder.gep(table_starts[i], [table_place]))
                for block in range(blocks_count)
            ]
            for i in range(queries_count)
        ]
        following = builder.add(place, ir.Constant(_INT64, steps.code_bytes))
        place.add_incoming(following, loop)
        table_place.add_incoming(builder.add(table_place, ir.Constant(_INT64, steps.table_bytes)), loop)
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


def make_integer_tile(steps: Steps, queries_count: int, blocks_count: int) -> Any:
    """Return the tile of `queries_count` queries x `blocks_count` blocks, to be called from kernels.

    ``tile(codes, bias, first, tables, picks, scales, shifts, scores)`` scores the queries picks[0], picks[1], ...
    against the blocks first, first + 1, ...: codes (B, bytes of a block) uint8, bias (B, 32) float32, tables (q, bytes
    of a query) uint8, picks int64, scales (q,) float32, shifts (queries_count,) float32, scores
    (queries_count, 32·blocks_count) float32, overwritten with bias + shift - scale · sum.
    """
    code = _tile_code(steps, queries_count, blocks_count)

    @intrinsic
    def tile(typing_context, codes, bias, first, tables, picks, scales, shifts, scores):  # type: ignore[no-untyped-def]
        return _tile_type(codes, bias, first, tables, picks, scales, shifts, scores), code

    return tile
