"""The one door for arrays: behind it every kernel sees a single type, hence compiles once."""

import numpy as np
import numpy.typing as npt

CHEAP_TO_COPY = 1 << 16  # bytes: below this a copy costs less than building another view


class _Alias:
    # A second view of an array's memory, of the writable type; holds the array alive.
    def __init__(self, array: npt.NDArray[np.float32]) -> None:
        self.array = array
        self.__array_interface__ = {**array.__array_interface__, "data": (array.ctypes.data, False)}


def as_rows(rows: npt.ArrayLike, name: str = "rows", dimension: int | None = None) -> npt.NDArray[np.float32]:
    """Return `rows` as a C-contiguous float32 matrix that kernels may read.

    No copy is made of an array that already is one. Kernels never write to what comes through here; a
    read-only array (a dataset's, a memory map) is nevertheless viewed as the writable type, because Numba
    would otherwise compile every kernel a second time for it.

    Parameters
    ----------
    rows : array-like (n, d)
        A single vector (d,) is taken as (1, d).
    name : str
        What to call it in an error.
    dimension : int, optional
        The d that is expected.

    Raises
    ------
    ValueError
        Not numbers, not of two dimensions, d = 0, or another d than expected.
    """
    try:
        matrix = np.asarray(rows, dtype=np.float32, order="C")
    except (TypeError, ValueError):
        raise ValueError(
            f"{name}: found {type(rows).__name__} that holds no numbers, expected a float32 matrix"
        ) from None
    if matrix.ndim == 1:
        matrix = matrix.reshape(1, -1)
    if matrix.ndim != 2 or matrix.shape[1] == 0:
        raise ValueError(f"{name}: found shape {matrix.shape}, expected (n, d) with d at least 1")
    if dimension is not None and matrix.shape[1] != dimension:
        raise ValueError(f"{name}: found dimension {matrix.shape[1]}, expected {dimension}")
    if matrix.flags.writeable or not matrix.size:
        return matrix
    return matrix.copy() if matrix.nbytes < CHEAP_TO_COPY else np.asarray(_Alias(matrix))


def finite(rows: npt.NDArray[np.float32], name: str) -> npt.NDArray[np.float32]:
    """Return `rows` (n, d) if every value is finite, else raise ValueError."""
    for start in range(0, len(rows), 4096):  # blocks: no mask of the size of the matrix
        fine = np.isfinite(rows[start : start + 4096]).all(axis=1)
        if not fine.all():
            row = start + int(fine.argmin())
            raise ValueError(f"{name}: found NaN or infinity in row {row}, expected finite float32 numbers")
    return rows


def training_rows(train: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Return what an index is built over, (n, d), as `as_rows` does.

    Raises
    ------
    ValueError
        What `as_rows` and `finite` raise, or no rows.
    """
    rows = finite(as_rows(train, "train"), "train")
    if not len(rows):
        raise ValueError("train: found no rows, expected at least 1")
    return rows


def positive(value: int, name: str) -> int:
    """Return `value` if it is an integer of at least 1, else raise ValueError."""
    if type(value) is int and value > 0:  # by far the most, and asked for each query
        return value
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name}: found {value!r}, expected an integer of at least 1")
    return int(value)
