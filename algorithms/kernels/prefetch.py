"""Asking for memory before it is read, so that it is on its way while something else is computed."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils, config
from numba.extending import intrinsic

from .vector import _dimension, _pointer


@intrinsic
def _prefetch_row(typing_context, rows, row):  # type: ignore[no-untyped-def]
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array_type = signature.args[0]
        data = _pointer(context, builder, array_type, arguments[0])
        width = _dimension(context, builder, array_type, arguments[0], 1)
        size = array_type.dtype.bitwidth // 8
        start = builder.bitcast(builder.gep(data, [builder.mul(arguments[1], width)]), ir.IntType(8).as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer()] + [ir.IntType(32)] * 3)
        prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        numbers = [ir.Constant(ir.IntType(32), value) for value in (0, 3, 1)]
        end = builder.mul(width, ir.Constant(ir.IntType(64), size))
        with cgutils.for_range_slice(
            builder, ir.Constant(ir.IntType(64), 0), end, ir.Constant(ir.IntType(64), 64), inc=True
        ) as (place, _):
            builder.call(prefetch, [builder.gep(start, [place]), *numbers])
        return context.get_dummy_value()

    return types.void(rows, types.int64), generate


def _no_prefetch(rows: Any, row: int) -> None:
    pass


prefetch_row: Any = _no_prefetch if config.DISABLE_JIT else _prefetch_row
