"""What a query is turned into before it meets codes of 8 bits: bytes with a sign, one scale for all.

Coordinate j of a vector is ``step_j · (code_j - 128)``. The query is multiplied by the steps once and rounded to bytes
b, so that

    ⟨q, x⟩ ≈ scale · (Σ b_j code_j - 128 Σ b_j).

Symbols: n vectors, d' coordinates (a multiple of 4; the last ones may be filled with zeros).
"""

import numpy as np
import numpy.typing as npt

from .compile import strict_kernel
from .vector import bits_float, float_bits

MIDDLE = 128
LARGEST_CODE = 127
LARGEST = float(np.finfo(np.float32).max)
TINY = np.float32(1e-36)
MOST_COORDINATES = (2**31 - 1) // (255 * 127)  # of which a sum of products fits 32 bits


@strict_kernel
def make_bytes(query, steps, tables, row):  # type: ignore[no-untyped-def]
    """Fill row `row` of the tables; return the scale and what is to be added to ``-scale · Σ b code``.

    A query that holds NaN, or numbers too large, gives NaN, which no score survives.

    query (d,) float32 · steps (d,) float32 · tables (q, d') uint8, bytes with a sign inside
    """
    most = np.uint32(0)  # bits of numbers without sign sort as the numbers do, and NaN above all
    for j in range(query.shape[0]):
        most = max(most, float_bits(abs(query[j] * steps[j])))
    largest = bits_float(most)
    if not largest <= LARGEST:
        tables[row, :] = 0
        return np.float32(np.nan), np.float32(np.nan)
    scale = largest / np.float32(127.0) if largest > TINY else np.float32(1.0)  # else 1 / scale would be infinite
    inverse = np.float32(1.0) / scale
    total = np.int32(0)
    for j in range(query.shape[0]):
        number = np.int32(np.floor(query[j] * steps[j] * inverse + np.float32(0.5)))
        total += number
        tables[row, j] = np.uint8(number & 255)
    for j in range(query.shape[0], tables.shape[1]):
        tables[row, j] = 0
    return scale, scale * np.float32(128 * total)


def byte_codes(vectors: npt.NDArray[np.float32], steps: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Return the nearest code of each coordinate, (n, d') uint8, filled up to a multiple of 4 coordinates.

    Parameters
    ----------
    vectors : (n, d) float32
    steps : (d,) float32
        Above 0. What lies more than 127 steps from 0 is cut.

    Raises
    ------
    ValueError
        So many coordinates that sums of their products do not fit 32 bits.
    """
    if vectors.shape[1] > MOST_COORDINATES:
        found = f"{vectors.shape[1]:,} coordinates"
        raise ValueError(
            f"bytes: found {found}, expected at most {MOST_COORDINATES:,}: their products are summed in 32 bits"
        )
    count, dimension = vectors.shape
    codes = np.full((count, -(-dimension // 4) * 4), MIDDLE, dtype=np.uint8)
    codes[:, :dimension] = np.clip(np.rint(vectors / steps), -LARGEST_CODE, LARGEST_CODE) + MIDDLE
    return codes


def byte_steps(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return a step for each coordinate such that no vector is cut, (d,) float32.

    Where no vector has anything the step is next to nothing: whatever a query has there multiplies zeros, and must not
    coarsen what it has elsewhere, since all of its coordinates share one scale.
    """
    largest = np.abs(vectors).max(axis=0, initial=0.0)
    steps = (largest / np.float32(LARGEST_CODE)).astype(np.float32)
    return np.where(steps > 0, steps, np.finfo(np.float32).tiny)  # the least numbers of all have a step of 0 too
