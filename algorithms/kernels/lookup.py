"""Scores from 4-bit codes: tables of 16 entries, looked up in registers, written once as LLVM code.

A vector is M codes of 4 bits; a query has for each of them a table of 16 numbers of 8 bits. The score of a vector is
the sum of what its codes find (`blocks` says how codes lie in memory, `quantiser` what the numbers mean). Registers
hold whole tables, so a look-up is one byte permutation for 64 codes at once:

- AVX-512 VBMI and VNNI: ``vpermb`` looks up in a register of four tables, ``vpdpbusd`` sums four neighbouring bytes
  into 32 bits. Codes of four sub-quantisers lie side by side (layout ``quads``).
- AVX2: ``vpshufb`` looks up in one table of each 128-bit lane; sums are kept in 16 bits and widened at the end. Codes
  of 16 vectors lie side by side (layout ``lanes``).
- Elsewhere plain loops, over either layout.

Sums are of integers, so all of them agree to the last bit. An instruction that the processor lacks would end the
process: `KERNEL` is chosen once, from the host's features.

A *tile* scores M queries against P blocks of 32 vectors, as the tiles of `vector` do.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import config

from .compile import strict_kernel
from .integer_tile import BLOCK, INTEGERS, Steps, byte_constants, call, load_bytes, make_integer_tile
from .processor import processor_has

GROUP = 4  # sub-quantisers of one group
GROUP_BYTES = 64  # 32 vectors x 4 codes of 4 bits

if config.DISABLE_JIT:
    KERNEL = "portable"
elif all(processor_has(feature) for feature in ("avx512f", "avx512bw", "avx512vbmi", "avx512vnni")):
    KERNEL = "vpermb"
elif processor_has("avx2"):
    KERNEL = "vpshufb"
else:
    KERNEL = "portable"

# `vpshufb` sums the entries, up to 255, of half the sub-quantisers in 16 bits.
MOST_SUBQUANTISERS = 512

LAYOUT_OF_KERNEL = {"vpermb": "quads", "vpshufb": "lanes", "portable": "quads"}

_INT32, _INT64 = ir.IntType(32), ir.IntType(64)


def _nibbles(builder: Any, codes: Any) -> tuple[Any, Any]:
    low = builder.and_(codes, byte_constants([15] * codes.type.count))
    return low, builder.lshr(codes, byte_constants([4] * codes.type.count))


# ---- the step of one group of four sub-quantisers, and the final sums -------------------------------------


def _vpermb_codes(builder: Any, pointer: Any) -> Any:
    offsets = byte_constants([16 * (j % GROUP) for j in range(64)])
    return [builder.or_(part, offsets) for part in _nibbles(builder, load_bytes(builder, pointer, 64))]


def _vpermb_step(builder: Any, sums: list[Any], codes: Any, table: Any) -> list[Any]:
    ones, grown = byte_constants([1] * 64), []
    entries = load_bytes(builder, table, 64)
    for total, index in zip(sums, codes, strict=True):
        found = call(builder, "llvm.x86.avx512.permvar.qi.512", entries.type, entries, index)
        grown.append(call(builder, "llvm.x86.avx512.vpdpbusd.512", INTEGERS, total, found, ones))
    return grown


def _vpshufb_codes(builder: Any, pointer: Any) -> Any:
    halves = (load_bytes(builder, builder.gep(pointer, [ir.Constant(_INT64, 32 * half)]), 32) for half in range(2))
    return [_nibbles(builder, half) for half in halves]


def _vpshufb_step(builder: Any, sums: list[Any], codes: Any, table: Any) -> list[Any]:
    # sums: even and odd vectors of the low nibbles, then of the high ones, in 16 bits
    words = ir.VectorType(ir.IntType(16), 16)
    grown = list(sums)
    for half in range(2):
        entries = load_bytes(builder, builder.gep(table, [ir.Constant(_INT64, 32 * half)]), 32)
        for place, index in enumerate(codes[half]):
            found = call(builder, "llvm.x86.avx2.pshuf.b", entries.type, entries, index)
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


_STEPS = {
    "vpermb": Steps(
        ir.Constant(INTEGERS, None),
        2,
        GROUP_BYTES,
        GROUP_BYTES,
        _vpermb_codes,
        _vpermb_step,
        lambda builder, sums: sums,
    ),
    "vpshufb": Steps(
        ir.Constant(ir.VectorType(ir.IntType(16), 16), None),
        4,
        GROUP_BYTES,
        GROUP_BYTES,
        _vpshufb_codes,
        _vpshufb_step,
        _vpshufb_total,
    ),
}


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
                        code = np.int64((code >> 4) if member >= 16 else (code & 15))
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
        # no contraction of base - part: it must round as that of the other kernels does
        return strict_kernel(_plain_tile(queries_count, blocks_count))
    return make_integer_tile(_STEPS[kernel], queries_count, blocks_count)


LAYOUT = LAYOUT_OF_KERNEL[KERNEL]
# Tables of six queries and twelve sums fit the registers beside the codes; one query takes two blocks at a time.
QUERIES_PER_LOOKUP = 6
BLOCKS_PER_LOOKUP = 2
lookup_tile = make_lookup_tile(KERNEL, QUERIES_PER_LOOKUP, 1)
lookup_stream = make_lookup_tile(KERNEL, 1, BLOCKS_PER_LOOKUP)
lookup_stream_of_one_block = make_lookup_tile(KERNEL, 1, 1)
