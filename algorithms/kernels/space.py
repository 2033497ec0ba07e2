"""The space in which vectors are compared: what is done to a vector before it is scored.

Most scores are inner products plus a bias (see `scan`), so each metric needs its vectors in a certain shape:

- euclidean: the mean of the training vectors is subtracted. Distances do not change, and the products stay
  small: computed as ½‖x‖² - ⟨q, x⟩, distances between vectors far from the origin would drown in float32
  rounding;
- angular: divided by their length; the zero vector stays zero, hence its cosine with anything is 0 and its
  distance 1;
- normalized, ip: as they are;
- manhattan: as they are. Its score is a sum of differences, in which nothing cancels.

Queries pass through the same door at query time, inside the kernels, one share at a time: no second copy of
the training matrix is ever made.
"""

from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from .compile import kernel, numba_threads, parallel_kernel

DISTANCES = ("euclidean", "manhattan")  # the metrics under which a linear score needs a constant for each vector
METRICS = ("euclidean", "angular", "normalized", "ip", "manhattan")


class Space(NamedTuple):
    """How to prepare a vector: subtract `center`, then divide by the length if `normalise`.

    Attributes
    ----------
    center : (d,) float32
    normalise : bool
    """

    center: npt.NDArray[np.float32]
    normalise: bool


def make_space(rows: npt.NDArray[np.float32], metric: str) -> Space:
    """Return the space of a metric over the training rows.

    Parameters
    ----------
    rows : (n, d) float32
    metric : str
        One of `METRICS`.
    """
    if metric not in METRICS:
        raise ValueError(f"metric: found {metric!r}, expected one of {', '.join(METRICS)}")
    if metric == "euclidean" and len(rows):
        total = np.zeros(rows.shape[1], dtype=np.float64)
        for start in range(0, len(rows), 4096):  # blocks: a float64 sum without a float64 copy of the matrix
            total += rows[start : start + 4096].sum(axis=0, dtype=np.float64)
        return Space((total / len(rows)).astype(np.float32), False)
    return identity(rows.shape[1])._replace(normalise=metric == "angular")


def identity(dimension: int) -> Space:
    """Return the space that leaves vectors of `dimension` as they are."""
    return Space(np.zeros(dimension, dtype=np.float32), False)


@kernel
def prepare_row(row, center, normalise, prepared):  # type: ignore[no-untyped-def]
    """Prepare one vector. row, center, prepared (d,) float32."""
    factor = np.float64(1.0)  # of 64 bits: the inverse length of a subnormal vector exceeds float32
    if normalise:
        squared = 0.0
        for j in range(row.shape[0]):
            squared += np.float64(row[j]) * np.float64(row[j])
        if squared > 0.0:
            factor = 1.0 / np.sqrt(squared)
    for j in range(row.shape[0]):
        prepared[j] = np.float32(np.float64(row[j] - center[j]) * factor)


@parallel_kernel
def _prepare(rows, center, normalise, prepared):  # type: ignore[no-untyped-def]
    for i in numba.prange(rows.shape[0]):
        prepare_row(rows[i], center, normalise, prepared[i])


def prepare(
    rows: npt.NDArray[np.float32], space: Space, threads: int = 1, *, in_place: bool = False
) -> npt.NDArray[np.float32]:
    """Return a prepared copy of `rows`, (n, d) float32; `in_place` overwrites them instead.

    A single row takes a serial path, which starts no threads.
    """
    prepared = rows if in_place else np.empty_like(rows)
    if len(rows) == 1:
        prepare_row(rows[0], space.center, space.normalise, prepared[0])
        return prepared
    with numba_threads(threads):
        _prepare(rows, space.center, space.normalise, prepared)
    return prepared
