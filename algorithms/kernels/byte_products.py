"""Inner products of codes of 8 bits: four neighbouring products summed by one instruction, as LLVM code.

A vector is d' bytes without sign, a query d' bytes with one. On AVX-512 VNNI ``vpdpbusd`` multiplies 64 bytes and sums
each four products into 32 bits; elsewhere the same is done in vectors of 32-bit lanes by instructions that every
processor has. Sums are of integers, so both agree to the last bit.

In a block of 32 vectors, 128 bytes hold four dimensions: 64 for the vectors 0-15, four bytes each, and 64 for 16-31.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import config

from .integer_tile import BLOCK, INTEGERS, Steps, call, load_bytes, make_integer_tile
from .processor import processor_has

GROUP = 4  # dimensions of one group
GROUP_BYTES = BLOCK * GROUP

if config.DISABLE_JIT:
    KERNEL = "plain"
elif processor_has("avx512f") and processor_has("avx512vnni"):
    KERNEL = "vpdpbusd"
else:
    KERNEL = "portable"

_INT32, _INT64 = ir.IntType(32), ir.IntType(64)


def _halves(builder: Any, pointer: Any) -> list[Any]:
    return [load_bytes(builder, builder.gep(pointer, [ir.Constant(_INT64, 64 * half)]), 64) for half in range(2)]


def _splat_group(builder: Any, table: Any) -> Any:
    four = builder.load(builder.bitcast(table, _INT32.as_pointer()), align=1)
    single = builder.insert_element(ir.Constant(INTEGERS, ir.Undefined), four, ir.Constant(_INT32, 0))
    return builder.shuffle_vector(single, ir.Constant(INTEGERS, ir.Undefined), ir.Constant(INTEGERS, None))


def _vpdpbusd_step(builder: Any, sums: list[Any], codes: Any, table: Any) -> list[Any]:
    query = builder.bitcast(_splat_group(builder, table), ir.VectorType(ir.IntType(8), 64))
    return [
        call(builder, "llvm.x86.avx512.vpdpbusd.512", INTEGERS, total, half, query)
        for total, half in zip(sums, codes, strict=True)
    ]


def _portable_step(builder: Any, sums: list[Any], codes: Any, table: Any) -> list[Any]:
    query, grown = _splat_group(builder, table), []
    for total, half in zip(sums, codes, strict=True):
        values = builder.bitcast(half, INTEGERS)
        for part in range(GROUP):  # byte `part` of each lane: without sign of the codes, with it of the query
            code = builder.and_(
                builder.lshr(values, ir.Constant(INTEGERS, [8 * part] * 16)), ir.Constant(INTEGERS, [255] * 16)
            )
            factor = builder.ashr(
                builder.shl(query, ir.Constant(INTEGERS, [24 - 8 * part] * 16)), ir.Constant(INTEGERS, [24] * 16)
            )
            total = builder.add(total, builder.mul(code, factor))
        grown.append(total)
    return grown


_STEPS = {
    name: Steps(ir.Constant(INTEGERS, None), 2, GROUP_BYTES, GROUP, _halves, step, lambda builder, sums: sums)
    for name, step in (("vpdpbusd", _vpdpbusd_step), ("portable", _portable_step))
}


def _plain_tile(queries_count: int, blocks_count: int) -> Callable[..., None]:
    def tile(codes, bias, first, tables, picks, scales, shifts, scores):  # type: ignore[no-untyped-def]
        for i in range(queries_count):
            query = tables[picks[i]].view(np.int8).astype(np.int64).reshape(-1, 1, 1, GROUP)
            for block in range(blocks_count):
                values = codes[first + block].astype(np.int64).reshape(-1, 2, 16, GROUP)
                total = (values * query).sum(axis=(0, 3)).ravel().astype(np.int32)
                base = bias[first + block] + shifts[i]
                scores[i, block * BLOCK : (block + 1) * BLOCK] = base - total.astype(np.float32) * scales[picks[i]]

    return tile


def make_byte_tile(kernel: str, queries_count: int, blocks_count: int) -> Any:
    """Return the tile of `queries_count` queries x `blocks_count` blocks (`integer_tile.make_integer_tile`).

    Parameters
    ----------
    kernel : str
        ``vpdpbusd``, which ends the process where the processor lacks it, or ``portable``.
    queries_count, blocks_count : int
    """
    if config.DISABLE_JIT:
        return _plain_tile(queries_count, blocks_count)
    return make_integer_tile(_STEPS[kernel], queries_count, blocks_count)


QUERIES_PER_PRODUCT = 6
BLOCKS_PER_PRODUCT = 2
byte_tile = make_byte_tile(KERNEL, QUERIES_PER_PRODUCT, 1)
byte_stream = make_byte_tile(KERNEL, 1, BLOCKS_PER_PRODUCT)
byte_stream_of_one_block = make_byte_tile(KERNEL, 1, 1)
