"""How codes lie in memory: blocks of 32 vectors, four sub-quantisers after four.

::

    block     64 bytes for the sub-quantisers 0-3, 64 bytes for 4-7, ...
    byte      low nibble: a code of one of the vectors 0-15; high nibble: the same of vectors 16-31
    quads     byte j belongs to vector j // 4 and sub-quantiser j % 4       (for `lookup`'s vpermb, and plain loops)
    lanes     byte j belongs to vector j % 16 and sub-quantiser j // 16     (for its vpshufb)

A list is one uninterrupted stream, as in `panels`, and ends in padding whose bias is +infinity. A *slot* is
block x 32 + place. Symbols: n vectors, L lists, B blocks, M sub-quantisers (a multiple of 4).
"""

from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from .compile import numba_threads, parallel_kernel
from .panels import aligned_empty, group_rows

BLOCK = 32
LAYOUTS = ("quads", "lanes")


class Blocks(NamedTuple):
    """Codes in blocks, list after list.

    Attributes
    ----------
    codes : (B, bytes of a block) uint8
        Aligned to 64 bytes.
    bias : (B, 32) float32
        What a score starts from; +inf in padding.
    ids : (B, 32) int32
        Row of the vector in the training matrix; -1 in padding.
    starts : (L + 1,) int64
        List i owns the blocks starts[i] to starts[i + 1] - 1.
    sizes : (L,) int64
        Vectors of each list, padding not counted.
    """

    codes: npt.NDArray[np.uint8]
    bias: npt.NDArray[np.float32]
    ids: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays together."""
        return sum(array.nbytes for array in self)


@parallel_kernel
def _fill(codes, bias, order, offsets, starts, bits, lanes, packed, block_bias, ids):  # type: ignore[no-untyped-def]
    # codes (n, M) uint8 below 2**bits · bias (n,) float32 · packed (B, 4·bits·M) uint8. Iteration i owns list i.
    for i in numba.prange(starts.shape[0] - 1):
        for block in range(starts[i], starts[i + 1]):
            packed[block, :] = 0
            for member in range(32):
                place = offsets[i] + (block - starts[i]) * 32 + member
                if place >= offsets[i + 1]:
                    ids[block, member] = -1
                    block_bias[block, member] = np.inf
                    continue
                row = order[place]
                ids[block, member] = row
                block_bias[block, member] = bias[row]
                half, lane = member // 16, member % 16
                for m in range(codes.shape[1]):
                    group, part = m // 4, m % 4
                    if bits == 8:
                        packed[block, group * 128 + half * 64 + lane * 4 + part] = codes[row, m]
                    else:
                        at = group * 64 + (part * 16 + lane if lanes else lane * 4 + part)
                        packed[block, at] |= (codes[row, m] << 4) if half else codes[row, m]


def make_blocks(
    codes: npt.NDArray[np.uint8],
    bias: npt.NDArray[np.float32],
    assignment: npt.NDArray[np.int32],
    lists: int,
    *,
    bits: int,
    layout: str = "quads",
    threads: int = 1,
) -> Blocks:
    """Lay codes out in blocks, list after list.

    Parameters
    ----------
    codes : (n, M) uint8
        Below 2**bits; M a multiple of 4.
    bias : (n,) float32
    assignment : (n,) int32
        The list of each row.
    lists : int
        L.
    bits : int
        4 (two codes in a byte) or 8.
    layout : str
        One of `LAYOUTS`; of 4-bit codes alone.
    threads : int
        The result does not depend on it.
    """
    order, offsets = group_rows(assignment, lists)
    sizes = np.diff(offsets)
    starts = np.zeros(lists + 1, dtype=np.int64)
    np.cumsum((sizes + BLOCK - 1) // BLOCK, out=starts[1:])
    count = int(starts[-1])
    packed = aligned_empty((count, codes.shape[1] * BLOCK * bits // 8), np.uint8).view(np.uint8)
    block_bias = np.empty((count, BLOCK), dtype=np.float32)
    ids = np.empty((count, BLOCK), dtype=np.int32)
    with numba_threads(threads):
        _fill(codes, bias, order, offsets, starts, bits, layout == "lanes", packed, block_bias, ids)
    return Blocks(packed, block_bias, ids, starts, sizes)


def convert_layout(codes: npt.NDArray[np.uint8], layout: str, wanted: str) -> npt.NDArray[np.uint8]:
    """Return 4-bit codes in another layout: the bytes of each 64 in another order, and nothing lost.

    Parameters
    ----------
    codes : (B, 16·M) uint8
    layout, wanted : str
        Of `LAYOUTS`: what `codes` has and what is returned has.

    Returns
    -------
    (B, 16·M) uint8
        Aligned to 64 bytes; `codes` itself where both are the same.

    Raises
    ------
    ValueError
        An unknown layout.
    """
    for name in (layout, wanted):
        if name not in LAYOUTS:
            raise ValueError(f"layout: found {name!r}, expected one of {', '.join(LAYOUTS)}")
    if layout == wanted:
        return codes
    converted = aligned_empty(codes.shape, np.uint8).view(np.uint8)
    before, after = ((16, 4), (4, 16)) if layout == "quads" else ((4, 16), (16, 4))
    groups = (len(codes), codes.shape[1] // 64)
    converted.reshape(*groups, *after)[...] = codes.reshape(*groups, *before).swapaxes(2, 3)
    return converted
