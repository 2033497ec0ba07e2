"""The arithmetic of a scan, in vectors of 16 float32 lanes, written once as LLVM code.

Numba has no vector type, and leaves the best arrangement of registers to luck. These few intrinsics state it:
a *tile* scores M queries against P panels of 16 vectors with M x P accumulators that never leave the
registers. They use LLVM's generic vectors (`<16 x float>`) and `llvm.fmuladd`, nothing of a particular
processor: the compiler lowers them to two AVX2 registers, one AVX-512 register or four NEON registers, so no
machine can meet an instruction that it lacks.

There are two families. A tile of products subtracts ⟨q, x⟩ from the bias, a tile of differences adds Σ|q - x| to
it; they differ in one term (`_product`, `_difference`) and in nothing else.

The order of the sum over dimensions is the same in every tile. Hence a pair (query, vector) has the same
score, to the last bit, in whatever tile it is computed: single queries and batches return identical
neighbours.

Under `NUMBA_DISABLE_JIT=1` plain NumPy twins stand in, for coverage and for reading.
"""

from collections.abc import Callable
from typing import Any

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, config
from numba.core.errors import TypingError
from numba.extending import intrinsic

LANES = 16


def _host_has_wide_vectors() -> bool:
    features = config.CPU_FEATURES
    if features is None:
        return bool(llvmlite.binding.get_host_cpu_features().get("avx512f", False))
    return "+avx512f" in features


# Registers decide the tile. With 16 registers of 256 bits, 6 queries x 1 panel leave 12 accumulators, two
# vectors and a broadcast; with 32 of 512 bits, 6 x 2 hide the latency of the multiply-add. One query streams
# memory: 4 panels at once keep enough loads in flight.
QUERIES_PER_TILE = 6
PANELS_PER_TILE = 2 if _host_has_wide_vectors() else 1
PANELS_PER_STREAM = 4

_FLOAT = ir.FloatType()
_INT64 = ir.IntType(64)
_VECTOR = ir.VectorType(_FLOAT, LANES)


def _pointer(context: Any, builder: Any, array_type: Any, value: Any) -> Any:
    return context.make_array(array_type)(context, builder, value).data


def _as_vector_pointer(builder: Any, pointer: Any) -> Any:
    return builder.bitcast(pointer, _VECTOR.as_pointer())


def _load(builder: Any, pointer: Any) -> Any:
    return builder.load(_as_vector_pointer(builder, pointer), align=4)


def _splat(builder: Any, scalar: Any) -> Any:
    single = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), None)
    return builder.shuffle_vector(single, ir.Constant(_VECTOR, ir.Undefined), zeros)


def _dimension(context: Any, builder: Any, array_type: Any, value: Any, axis: int) -> Any:
    return builder.extract_value(context.make_array(array_type)(context, builder, value).shape, axis)


def _require_arrays(*arrays: tuple[Any, Any, int]) -> None:
    for given, dtype, dimensions in arrays:
        if not (
            isinstance(given, types.Array) and given.dtype == dtype and given.ndim == dimensions and given.layout == "C"
        ):
            raise TypingError(f"a tile needs a C-contiguous {dtype} array of {dimensions} dimensions, found {given}")


def _intrinsic(builder: Any, name: str, operands: int) -> Any:
    kind = ir.FunctionType(_VECTOR, [_VECTOR] * operands)
    return cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{LANES}f32")


def _product(builder: Any, factor: Any, value: Any, total: Any) -> Any:
    # total - factor · value. The compiler makes one negation of those of several queries, and folds it away.
    return builder.call(_intrinsic(builder, "fmuladd", 3), [factor, builder.fneg(value), total])


def _difference(builder: Any, factor: Any, value: Any, total: Any) -> Any:
    # total + |factor - value|. A flag of our own keeps Numba from adding `reassoc`, with which each tile would sum in
    # an order of its own; `contract` is none: there is no product to fuse.
    apart = builder.call(_intrinsic(builder, "fabs", 1), [builder.fsub(factor, value, flags=("contract",))])
    return builder.fadd(total, apart, flags=("contract",))


def _tile_code(queries_count: int, panels_count: int, term: Callable[..., Any]) -> Callable[..., Any]:
    """Return the code generator of a tile of `queries_count` queries x `panels_count` panels, summing `term`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        panels_type, bias_type, _, queries_type, picks_type, scores_type = signature.args
        panels, bias, first, queries, picks, scores = arguments
        dimension = _dimension(context, builder, panels_type, panels, 1)
        panels_data = _pointer(context, builder, panels_type, panels)
        bias_data = _pointer(context, builder, bias_type, bias)
        queries_data = _pointer(context, builder, queries_type, queries)
        picks_data = _pointer(context, builder, picks_type, picks)
        scores_data = _pointer(context, builder, scores_type, scores)
        lanes = ir.Constant(_INT64, LANES)
        panel_floats = builder.mul(dimension, lanes)
        panel_starts = [
            builder.gep(panels_data, [builder.mul(builder.add(first, ir.Constant(_INT64, p)), panel_floats)])
            for p in range(panels_count)
        ]
        rows = [builder.load(builder.gep(picks_data, [ir.Constant(_INT64, i)])) for i in range(queries_count)]
        query_starts = [builder.gep(queries_data, [builder.mul(row, dimension)]) for row in rows]
        start = [
            _load(
                builder,
                builder.gep(bias_data, [builder.mul(builder.add(first, ir.Constant(_INT64, p)), lanes)]),
            )
            for p in range(panels_count)
        ]

        before = builder.block
        loop = builder.append_basic_block("dimensions")
        after = builder.append_basic_block("scored")
        builder.cbranch(builder.icmp_signed(">", dimension, ir.Constant(_INT64, 0)), loop, after)
        builder.position_at_end(loop)
        j = builder.phi(_INT64)
        sums = [[builder.phi(_VECTOR) for _ in range(panels_count)] for _ in range(queries_count)]
        offset = builder.mul(j, lanes)
        values = [_load(builder, builder.gep(pointer, [offset])) for pointer in panel_starts]
        grown = []
        for i in range(queries_count):
            factor = _splat(builder, builder.load(builder.gep(query_starts[i], [j])))
            grown.append([term(builder, factor, values[p], sums[i][p]) for p in range(panels_count)])
        following = builder.add(j, ir.Constant(_INT64, 1))
        j.add_incoming(ir.Constant(_INT64, 0), before)
        j.add_incoming(following, loop)
        for i in range(queries_count):
            for p in range(panels_count):
                sums[i][p].add_incoming(start[p], before)
                sums[i][p].add_incoming(grown[i][p], loop)
        builder.cbranch(builder.icmp_signed("<", following, dimension), loop, after)
        builder.position_at_end(after)
        for i in range(queries_count):
            for p in range(panels_count):
                final = builder.phi(_VECTOR)
                final.add_incoming(start[p], before)
                final.add_incoming(grown[i][p], loop)
                sums[i][p] = final
        for i in range(queries_count):
            for p in range(panels_count):
                target = builder.gep(scores_data, [ir.Constant(_INT64, (i * panels_count + p) * LANES)])
                builder.store(sums[i][p], _as_vector_pointer(builder, target), align=4)
        return context.get_dummy_value()

    return generate


def _tile_type(panels: Any, bias: Any, first: Any, queries: Any, picks: Any, scores: Any) -> Any:
    _require_arrays((panels, types.float32, 3), (bias, types.float32, 2), (queries, types.float32, 2))
    _require_arrays((picks, types.int64, 1), (scores, types.float32, 2))
    return types.void(panels, bias, types.int64, queries, picks, scores)


def make_tile(queries_count: int, panels_count: int, *, differences: bool = False) -> Any:
    """Return the tile of `queries_count` queries x `panels_count` panels, to be called from kernels.

    ``tile(values, bias, first, queries, picks, scores)`` scores the queries picks[0], picks[1], ... against the panels
    first, first + 1, ...: values (P, d, 16) float32, bias (P, 16) float32, queries (q, d) float32, picks int64, scores
    (queries_count, panels_count x 16) float32, overwritten with bias - ⟨q, x⟩, or with bias + Σ|q - x| of a tile of
    `differences`.
    """
    if config.DISABLE_JIT:
        return _plain_tile(queries_count, panels_count, differences)
    code = _tile_code(queries_count, panels_count, _difference if differences else _product)

    @intrinsic
    def tile(typing_context, panels, bias, first, queries, picks, scores):  # type: ignore[no-untyped-def]
        return _tile_type(panels, bias, first, queries, picks, scores), code

    return tile


@intrinsic
def _lanes_at_most(typing_context, scores, row, column, limit):  # type: ignore[no-untyped-def]
    _require_arrays((scores, types.float32, 2))

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values, row, column, limit = arguments
        data = _pointer(context, builder, signature.args[0], values)
        width = _dimension(context, builder, signature.args[0], values, 1)
        place = builder.add(builder.mul(row, width), column)
        vector = _load(builder, builder.gep(data, [place]))
        mask = builder.fcmp_ordered("<=", vector, _splat(builder, limit))
        return builder.zext(builder.bitcast(mask, ir.IntType(LANES)), _INT64)

    return types.uint64(scores, types.int64, types.int64, types.float32), generate


@intrinsic
def _smallest(typing_context, scores, row, column):  # type: ignore[no-untyped-def]
    _require_arrays((scores, types.float32, 2))

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values, row, column = arguments
        data = _pointer(context, builder, signature.args[0], values)
        width = _dimension(context, builder, signature.args[0], values, 1)
        vector = _load(builder, builder.gep(data, [builder.add(builder.mul(row, width), column)]))
        lanes = LANES
        while lanes > 1:  # fold the upper half onto the lower one
            lanes //= 2
            nothing = ir.Constant(vector.type, ir.Undefined)
            lower, upper = (
                builder.shuffle_vector(
                    vector,
                    nothing,
                    ir.Constant(ir.VectorType(ir.IntType(32), lanes), list(range(start, start + lanes))),
                )
                for start in (0, lanes)
            )
            vector = builder.select(builder.fcmp_ordered("<", lower, upper), lower, upper)
        return builder.extract_element(vector, ir.Constant(ir.IntType(32), 0))

    return types.float32(scores, types.int64, types.int64), generate


@intrinsic
def _lowest_bit(typing_context, mask):  # type: ignore[no-untyped-def]
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


@intrinsic
def _float_bits(typing_context, value):  # type: ignore[no-untyped-def]
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(32))

    return types.uint32(types.float32), generate


@intrinsic
def _bits_float(typing_context, bits):  # type: ignore[no-untyped-def]
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], _FLOAT)

    return types.float32(types.uint32), generate


# ---- the same in NumPy, where nothing is compiled -------------------------------------------------------


def _plain_tile(queries_count: int, panels_count: int, differences: bool) -> Callable[..., None]:
    def tile(panels, bias, first, queries, picks, scores):  # type: ignore[no-untyped-def]
        flat = scores.reshape(-1)
        for i in range(queries_count):
            for p in range(panels_count):
                total = bias[first + p].copy()
                for j in range(panels.shape[1]):
                    query, values = queries[picks[i], j], panels[first + p, j]
                    total += np.abs(query - values) if differences else -query * values
                place = (i * panels_count + p) * LANES
                flat[place : place + LANES] = total

    return tile


def _plain_lanes_at_most(scores, row, column, limit):  # type: ignore[no-untyped-def]
    hits = scores[row, column : column + LANES] <= limit
    return int(np.packbits(hits, bitorder="little").view(np.uint16)[0])


def _plain_smallest(scores, row, column):  # type: ignore[no-untyped-def]
    return scores[row, column : column + LANES].min()


def _plain_lowest_bit(mask: int) -> int:
    return (int(mask) & -int(mask)).bit_length() - 1


tile = make_tile(QUERIES_PER_TILE, PANELS_PER_TILE)
tile_of_one_panel = make_tile(QUERIES_PER_TILE, 1)
stream = make_tile(1, PANELS_PER_STREAM)
stream_of_one_panel = make_tile(1, 1)

difference_tile = make_tile(QUERIES_PER_TILE, PANELS_PER_TILE, differences=True)
difference_tile_of_one_panel = make_tile(QUERIES_PER_TILE, 1, differences=True)
difference_stream = make_tile(1, PANELS_PER_STREAM, differences=True)
difference_stream_of_one_panel = make_tile(1, 1, differences=True)

if config.DISABLE_JIT:
    lanes_at_most: Any = _plain_lanes_at_most
    smallest: Any = _plain_smallest
    lowest_bit: Any = _plain_lowest_bit
    float_bits: Any = lambda value: np.float32(value).view(np.uint32)  # noqa: E731
    bits_float: Any = lambda bits: np.uint32(bits).view(np.float32)  # noqa: E731
else:
    lanes_at_most = _lanes_at_most
    smallest = _smallest
    lowest_bit = _lowest_bit
    float_bits = _float_bits
    bits_float = _bits_float
