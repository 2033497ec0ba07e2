"""What no kernel can exceed: reading an array and doing nothing with it, computing in registers and reading nothing.

The code is LLVM's, like that of the tiles (`vector`), so that what is measured is the processor and not the compiler's
luck. A *chain* is a register whose value is the input of its own next step, so that no step can be left out; as many
chains run side by side as a tile has accumulators, enough to hide the latency of a step.

Where a processor lacks the instruction that a compressed scan would use (`vpdpbusd`, `vpermb`), an ordinary loop over
bytes in the first-level cache stands in.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .compile import kernel
from .panels import aligned_empty
from .processor import processor_has
from .vector import PANELS_PER_TILE, QUERIES_PER_TILE

REGISTER = 64  # bytes of a chain
CHAINS = QUERIES_PER_TILE * PANELS_PER_TILE
READERS = 8  # independent registers that what is read is folded into
BYTES_PER_STEP = READERS * REGISTER  # an array to be read has a multiple of these

_INT64 = ir.IntType(64)
_FLOATS = ir.VectorType(ir.FloatType(), 16)
_DOUBLES = ir.VectorType(ir.DoubleType(), 8)
_INTEGERS = ir.VectorType(ir.IntType(32), 16)
_BYTES = ir.VectorType(ir.IntType(8), 64)

Step = Callable[[Any, Any, Any, Any], Any]


def _data(context: Any, builder: Any, array_type: Any, value: Any) -> Any:
    return context.make_array(array_type)(context, builder, value).data


def _row(builder: Any, data: Any, number: int, vector: Any) -> Any:
    start = builder.gep(data, [ir.Constant(_INT64, number * REGISTER)])
    return builder.bitcast(start, vector.as_pointer())


def _call(builder: Any, name: str, *operands: Any) -> Any:
    kind = ir.FunctionType(operands[0].type, [operand.type for operand in operands])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), operands)


def _multiply_add(builder: Any, chain: Any, factor: Any, addend: Any) -> Any:
    lanes = f"v{chain.type.count}f{32 if chain.type == _FLOATS else 64}"
    return _call(builder, f"llvm.fmuladd.{lanes}", chain, factor, addend)


def _difference(builder: Any, chain: Any, factor: Any, addend: Any) -> Any:
    # As in a tile: the flag keeps Numba from adding `reassoc`.
    apart = _call(builder, "llvm.fabs.v16f32", builder.fsub(factor, chain, flags=("contract",)))
    return builder.fadd(addend, apart, flags=("contract",))


def _byte_products(builder: Any, chain: Any, unsigned: Any, signed: Any) -> Any:
    return _call(builder, "llvm.x86.avx512.vpdpbusd.512", chain, unsigned, signed)


def _look_up(builder: Any, chain: Any, table: Any, _: Any) -> Any:
    return _call(builder, "llvm.x86.avx512.permvar.qi.512", table, chain)


def _step_code(step: Step, vector: Any, operand: Any) -> Callable[..., Any]:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        operands, chains, steps = arguments
        operands_data = _data(context, builder, signature.args[0], operands)
        chains_data = _data(context, builder, signature.args[1], chains)
        first, second = (builder.load(_row(builder, operands_data, i, operand), align=1) for i in range(2))
        held = [cgutils.alloca_once(builder, vector) for _ in range(CHAINS)]  # registers, once LLVM has been over it
        for i, place in enumerate(held):
            builder.store(builder.load(_row(builder, chains_data, i, vector), align=1), place)
        with cgutils.for_range(builder, steps):
            for place in held:
                builder.store(step(builder, builder.load(place), first, second), place)
        for i, place in enumerate(held):
            builder.store(builder.load(place), _row(builder, chains_data, i, vector), align=1)
        return context.get_dummy_value()

    return generate


def _make_chains(step: Step, vector: Any, operand: Any | None = None) -> Any:
    """Return a kernel of operands (2, 64) uint8, chains (CHAINS, 64) uint8, overwritten, and a number of steps."""
    code = _step_code(step, vector, operand or vector)

    @intrinsic
    def chain(typing_context, operands, chains, steps):  # type: ignore[no-untyped-def]
        return types.void(operands, chains, types.int64), code

    @kernel
    def chained(operands, chains, steps):  # type: ignore[no-untyped-def]
        chain(operands, chains, steps)

    return chained


@intrinsic
def _fold(typing_context, data, folded):  # type: ignore[no-untyped-def]
    # data (n,) uint8, n a multiple of BYTES_PER_STEP · folded (READERS, 64) uint8: `or` of all that is read
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        start = _data(context, builder, signature.args[0], arguments[0])
        folded_data = _data(context, builder, signature.args[1], arguments[1])
        size = builder.extract_value(context.make_array(signature.args[0])(context, builder, arguments[0]).shape, 0)
        held = [cgutils.alloca_once(builder, _INTEGERS) for _ in range(READERS)]
        for i, place in enumerate(held):
            builder.store(builder.load(_row(builder, folded_data, i, _INTEGERS), align=1), place)
        bounds = (ir.Constant(_INT64, 0), size, ir.Constant(_INT64, BYTES_PER_STEP))
        with cgutils.for_range_slice(builder, *bounds, _INT64, inc=True) as (offset, _):
            here = builder.gep(start, [offset])
            for i, place in enumerate(held):
                value = builder.load(_row(builder, here, i, _INTEGERS), align=1)
                builder.store(builder.or_(builder.load(place), value), place)
        for i, place in enumerate(held):
            builder.store(builder.load(place), _row(builder, folded_data, i, _INTEGERS), align=1)
        return context.get_dummy_value()

    return types.void(data, folded), generate


@kernel
def _read(data, passes, folded):  # type: ignore[no-untyped-def]
    for _ in range(passes):  # each stores its result, which might lie in `data`: none can be left out
        _fold(data, folded)


@kernel
def _byte_product_loop(operands, chains, steps):  # type: ignore[no-untyped-def]
    # operands (2, 64) uint8 · chains (CHAINS, 64) uint8: each its own sum, so that every step is done
    for _ in range(steps):
        for i in range(chains.shape[0]):
            total = np.int32(0)
            for j in range(64):
                total = np.int32(total + np.int32(np.int32(chains[i, j]) * np.int32(operands[0, j])))
            chains[i, 0] = np.uint8(total & 255)


@kernel
def _look_up_loop(operands, chains, steps):  # type: ignore[no-untyped-def]
    # operands (2, 64) uint8, row 0 the table · chains (CHAINS, 64) uint8
    for _ in range(steps):
        for i in range(chains.shape[0]):
            for j in range(64):
                chains[i, j] = operands[0, chains[i, j] & 63]


_KERNELS = {
    "float32 multiply-adds": (_make_chains(_multiply_add, _FLOATS), 16),
    "float32 differences": (_make_chains(_difference, _FLOATS), 16),
    "float64 multiply-adds": (_make_chains(_multiply_add, _DOUBLES), 8),
    "int8 multiply-adds": (
        _make_chains(_byte_products, _INTEGERS, _BYTES) if processor_has("avx512vnni") else _byte_product_loop,
        64,
    ),
    "byte look-ups": (_make_chains(_look_up, _BYTES) if processor_has("avx512vbmi") else _look_up_loop, 64),
}
OPERATIONS = tuple(_KERNELS)


def compute(kind: str, steps: int) -> tuple[npt.NDArray[np.uint8], int]:
    """Compute in registers, and nothing else.

    Parameters
    ----------
    kind : str
        One of `OPERATIONS`.
    steps : int
        Of every chain.

    Returns
    -------
    chains : (CHAINS, 64) uint8
        What became of the registers, for a test. Floats: x becomes x/2 + 1, differences: 1 + |1/2 - x|, all from 0;
        int8: 2 · 3 four times is added to an int32, from 0; look-ups: byte j becomes j - 1, and 0 becomes 63.
    operations : int
        How many were done; a multiply-add, and a difference with its absolute value and its addition, count as one.
    """
    chained, lanes = _KERNELS[kind]
    operands, chains = np.zeros((2, REGISTER), dtype=np.uint8), np.zeros((CHAINS, REGISTER), dtype=np.uint8)
    if kind.startswith("float"):
        operands.view(kind.partition(" ")[0])[:] = [[0.5], [1.0]]
    elif kind == "byte look-ups":
        operands[0] = np.roll(np.arange(REGISTER, dtype=np.uint8), 1)
        chains[:] = np.arange(REGISTER, dtype=np.uint8)
    else:
        operands[:] = [[2], [3]]
    chained(operands, chains, steps)
    return chains, CHAINS * lanes * steps


def readable(size: int) -> npt.NDArray[np.uint8]:
    """Return an array for `read`, of `size` bytes or a little less, all pages of which exist: it was written to."""
    array = aligned_empty((max(1, size // BYTES_PER_STEP) * BYTES_PER_STEP // 4,)).view(np.uint8)
    array[:] = 1
    return array


def read(data: npt.NDArray[np.uint8], passes: int = 1) -> npt.NDArray[np.uint8]:
    """Read all of an array, so many times.

    Parameters
    ----------
    data : (n,) uint8
        n a multiple of `BYTES_PER_STEP`.
    passes : int

    Returns
    -------
    folded : (8, 64) uint8
        The bitwise or of the n / 512 blocks of 512 bytes, for a test.
    """
    folded = np.zeros((READERS, REGISTER), dtype=np.uint8)
    _read(data, passes, folded)
    return folded
