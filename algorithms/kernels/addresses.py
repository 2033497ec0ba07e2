"""Arrays handed to a kernel by their addresses, all in one array of integers.

Numba looks at every argument of every call: its type, its shape, its owner. For a kernel of twenty arrays that takes
longer than scanning a list. What never changes between calls is therefore written down once: address and shape of each
array, side by side; the kernel makes arrays of them again. Whoever keeps the integers keeps the arrays.

An array takes four places: address, length of the first, second and third axis (1 where there is none).
"""

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from numba import types
from numba.extending import intrinsic

from .compile import kernel

PLACES = 4


@intrinsic
def _pointer(typing_context, address):  # type: ignore[no-untyped-def]
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(types.voidptr))

    return types.voidptr(types.int64), generate


def addresses_of(arrays: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.int64]:
    """Return addresses and shapes of C-contiguous arrays of at most three axes, (4 · arrays,) int64."""
    places = []
    for array in arrays:
        if not array.flags.c_contiguous or array.ndim > PLACES - 1:
            raise ValueError("addresses: found an array that is not C-contiguous, expected rows side by side")
        places += [array.ctypes.data, *array.shape, *[1] * (PLACES - 1 - array.ndim)]
    return np.array(places, dtype=np.int64)


@kernel
def vector_at(places, i, kind):  # type: ignore[no-untyped-def]
    """Return array i, of one axis. kind: its dtype."""
    return numba.carray(_pointer(places[4 * i]), (places[4 * i + 1],), kind)


@kernel
def matrix_at(places, i, kind):  # type: ignore[no-untyped-def]
    """Return array i, of two axes."""
    return numba.carray(_pointer(places[4 * i]), (places[4 * i + 1], places[4 * i + 2]), kind)


@kernel
def cube_at(places, i, kind):  # type: ignore[no-untyped-def]
    """Return array i, of three axes."""
    return numba.carray(
        _pointer(places[4 * i]), (places[4 * i + 1], places[4 * i + 2], places[4 * i + 3]), kind
    )  # fmt: skip


@kernel
def first_row(array, kind):  # type: ignore[no-untyped-def]
    """Return the first row of a matrix, as of one type whether the matrix may be written or not. kind: its dtype."""
    return numba.carray(_pointer(np.int64(array.ctypes.data)), (array.shape[1],), kind)
