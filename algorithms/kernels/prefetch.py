"""Asking for memory before it is read, so that it is on its way while something else is computed."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils, config
from numba.extending import intrinsic

from .vector import _dimension, _pointer


def _address(context: Any, builder: Any, array_type: Any, rows: Any, row: Any) -> tuple[Any, Any]:
    # Of the first byte of a row, and the bytes of a row.
    data = _pointer(context, builder, array_type, rows)
    width = _dimension(context, builder, array_type, rows, 1)
    start = builder.bitcast(builder.gep(data, [builder.mul(row, width)]), ir.IntType(8).as_pointer())
    return start, builder.mul(width, ir.Constant(ir.IntType(64), array_type.dtype.bitwidth // 8))


def _prefetch(builder: Any, address: Any) -> None:
    kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer()] + [ir.IntType(32)] * 3)
    prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    builder.call(prefetch, [address, *(ir.Constant(ir.IntType(32), value) for value in (0, 3, 1))])


@intrinsic
def _prefetch_start(typing_context, rows, row):  # type: ignore[no-untyped-def]
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        start, _ = _address(context, builder, signature.args[0], *arguments)
        _prefetch(builder, start)
        return context.get_dummy_value()

    return types.void(rows, types.int64), generate


@intrinsic
def _prefetch_row(typing_context, rows, row):  # type: ignore[no-untyped-def]
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        start, size = _address(context, builder, signature.args[0], *arguments)
        with cgutils.for_range_slice(
            builder, ir.Constant(ir.IntType(64), 0), size, ir.Constant(ir.IntType(64), 64), inc=True
        ) as (place, _):
            _prefetch(builder, builder.gep(start, [place]))
        return context.get_dummy_value()

    return types.void(rows, types.int64), generate


def _no_prefetch(rows: Any, row: int) -> None:
    pass


prefetch_row: Any = _no_prefetch if config.DISABLE_JIT else _prefetch_row
prefetch_start: Any = _no_prefetch if config.DISABLE_JIT else _prefetch_start
