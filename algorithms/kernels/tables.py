"""What a query is turned into before it meets 4-bit codes: tables of 8-bit numbers, one scale for all.

``⟨q, r̂⟩ = Σ_m table_m[code_m]`` holds for a vector whose part r̂ is put together from codewords. Each table is
reduced by its least entry and all are divided by one scale, so that entries are integers up to 255 and

    ⟨q, r̂⟩ ≈ offset + scale · Σ_m entry_m[code_m].

A table is one vector of 16 lanes from beginning to end. Symbols: d' rotated dimension, M sub-quantisers, w = d' / M.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, config
from numba.extending import intrinsic

from .byte_queries import TINY
from .compile import kernel
from .vector import _as_vector_pointer, _load, _pointer, _require_arrays, _splat

_INT32, _INT64 = ir.IntType(32), ir.IntType(64)
_FLOATS = ir.VectorType(ir.FloatType(), 16)


def _reduced(builder: Any, name: str, vector: Any) -> Any:
    kind = ir.FunctionType(ir.FloatType(), [_FLOATS])
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.vector.reduce.{name}.v16f32")
    return builder.call(function, [vector], fastmath=("nnan", "nsz"))


@intrinsic
def _products(typing_context, rotated, codewords, part, width, values):  # type: ignore[no-untyped-def]
    # values[part, :] = Σ_j rotated[part·width + j] · codewords[part, j, :]; returns its least and its largest entry
    _require_arrays((rotated, types.float32, 1), (codewords, types.float32, 3), (values, types.float32, 2))

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rotated, codewords, part, width, values = arguments
        query = _pointer(context, builder, signature.args[0], rotated)
        words = _pointer(context, builder, signature.args[1], codewords)
        target = _pointer(context, builder, signature.args[4], values)
        first = builder.mul(part, width)
        before = builder.block
        loop, after = builder.append_basic_block("coordinates"), builder.append_basic_block("summed")
        builder.branch(loop)
        builder.position_at_end(loop)
        j, total = builder.phi(_INT64), builder.phi(_FLOATS)
        place = builder.add(first, j)
        factor = _splat(builder, builder.load(builder.gep(query, [place])))
        entries = _load(builder, builder.gep(words, [builder.mul(place, ir.Constant(_INT64, 16))]))
        grown = builder.fadd(total, builder.fmul(factor, entries, flags=("contract",)), flags=("contract",))
        following = builder.add(j, ir.Constant(_INT64, 1))
        j.add_incoming(ir.Constant(_INT64, 0), before)
        j.add_incoming(following, loop)
        total.add_incoming(ir.Constant(_FLOATS, None), before)
        total.add_incoming(grown, loop)
        builder.cbranch(builder.icmp_signed("<", following, width), loop, after)
        builder.position_at_end(after)
        at = builder.gep(target, [builder.mul(part, ir.Constant(_INT64, 16))])
        builder.store(grown, _as_vector_pointer(builder, at), align=4)
        ends = [_reduced(builder, name, grown) for name in ("fmin", "fmax")]
        return context.make_tuple(builder, signature.return_type, ends)

    return types.UniTuple(types.float32, 2)(rotated, codewords, types.int64, types.int64, values), generate


@intrinsic
def _entries(typing_context, values, part, low, inverse, tables, row):  # type: ignore[no-untyped-def]
    # tables[row, part·16:] = round((values[part, :] - low) · inverse)
    _require_arrays((values, types.float32, 2), (tables, types.uint8, 2))

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values, part, low, inverse, tables, row = arguments
        source = _pointer(context, builder, signature.args[0], values)
        target = _pointer(context, builder, signature.args[4], tables)
        shape = context.make_array(signature.args[4])(context, builder, tables).shape
        at = builder.mul(part, ir.Constant(_INT64, 16))
        vector = _load(builder, builder.gep(source, [at]))
        vector = builder.fsub(vector, _splat(builder, low), flags=("contract",))
        vector = builder.fmul(vector, _splat(builder, inverse), flags=("nsz",))
        vector = builder.fadd(vector, ir.Constant(_FLOATS, [0.5] * 16), flags=("nsz",))
        numbers = builder.trunc(builder.fptosi(vector, ir.VectorType(_INT32, 16)), ir.VectorType(ir.IntType(8), 16))
        place = builder.gep(target, [builder.add(builder.mul(row, builder.extract_value(shape, 1)), at)])
        builder.store(numbers, builder.bitcast(place, numbers.type.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(values, types.int64, types.float32, types.float32, tables, types.int64), generate


def _plain_products(rotated, codewords, part, width, values):  # type: ignore[no-untyped-def]
    total = np.zeros(16, dtype=np.float32)
    for j in range(width):
        total += rotated[part * width + j] * codewords[part, j]
    values[part] = total
    return total.min(), total.max()


def _plain_entries(values, part, low, inverse, tables, row):  # type: ignore[no-untyped-def]
    scaled = (values[part] - low) * inverse + np.float32(0.5)
    tables[row, part * 16 : part * 16 + 16] = scaled.astype(np.int32).astype(np.uint8)


products: Any = _plain_products if config.DISABLE_JIT else _products
entries: Any = _plain_entries if config.DISABLE_JIT else _entries


@kernel
def make_tables(rotated, codewords, values, lows, tables, row):  # type: ignore[no-untyped-def]
    """Fill row `row` of the tables; return the scale and the offset.

    rotated (d',) float32 · codewords (M, w, 16) float32 · values (M, 16), lows (M,) float32, scratch ·
    tables (q, 16·M) uint8
    """
    offset, span = np.float32(0.0), np.float32(0.0)
    for part in range(codewords.shape[0]):
        low, high = products(rotated, codewords, part, codewords.shape[1], values)
        lows[part] = low
        offset += low
        if high - low > span:
            span = high - low
    scale = span / np.float32(255.0) if span > TINY else np.float32(1.0)
    inverse = np.float32(1.0) / scale
    for part in range(codewords.shape[0]):
        entries(values, part, lows[part], inverse, tables, row)
    return scale, offset
