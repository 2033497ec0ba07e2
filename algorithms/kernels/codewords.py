"""Codewords of a product quantiser: sixteen for each sub-quantiser, found by k-means, and the nearest of them.

Symbols: n vectors, d' rotated dimension, M sub-quantisers, w = d' / M.
"""

import numba
import numpy as np
import numpy.typing as npt

from .compile import kernel, numba_threads, parallel_kernel
from .vector import lanes_at_most, lowest_bit, smallest, stream_of_one_panel

CODES = 16
LAST = np.uint64(1 << (CODES - 1))  # which is nearest where scores overflow and none is: there must be one


@kernel
def _nearest_code(slices, place, codewords, halves, m, pick, scores):  # type: ignore[no-untyped-def]
    # slices (n · M, w) float32 · codewords (M, w, 16) float32, a panel for each m · halves (M, 16) float32: half of the
    # squared length of each · pick (1,) int64 and scores (1, 16) float32: scratch. Of equally near codewords the first.
    pick[0] = place
    stream_of_one_panel(codewords, halves, m, slices, pick, scores)
    nearest = lanes_at_most(scores, 0, 0, smallest(scores, 0, 0))
    return lowest_bit(nearest | LAST)


@kernel
def _halves(codewords, m, halves):  # type: ignore[no-untyped-def]
    for code in range(16):
        total = np.float32(0.0)
        for j in range(codewords.shape[1]):
            total += codewords[m, j, code] * codewords[m, j, code]
        halves[m, code] = np.float32(0.5) * total


@parallel_kernel
def _train(slices, codewords, halves, iterations):  # type: ignore[no-untyped-def]
    # slices (n · M, w) float32 · codewords (M, w, 16) float32, where they start and end. Iteration m owns those of m.
    parts, width = codewords.shape[0], codewords.shape[1]
    for m in numba.prange(parts):
        pick, scores = np.empty(1, dtype=np.int64), np.empty((1, CODES), dtype=np.float32)
        for _ in range(iterations):
            sums = np.zeros((width, CODES), dtype=np.float64)
            counts = np.zeros(CODES, dtype=np.int64)
            _halves(codewords, m, halves)
            for place in range(m, slices.shape[0], parts):
                code = _nearest_code(slices, place, codewords, halves, m, pick, scores)
                counts[code] += 1
                for j in range(width):
                    sums[j, code] += slices[place, j]
            for code in range(CODES):
                if counts[code] > 0:  # a codeword that nobody chose stays where it is
                    for j in range(width):
                        codewords[m, j, code] = np.float32(sums[j, code] / counts[code])
        _halves(codewords, m, halves)


@parallel_kernel
def _encode(slices, centers, of_list, codewords, halves, codes, aligned):  # type: ignore[no-untyped-def]
    # slices (n · M, w) float32 · centers (L, d') float32 · of_list (n,) int32 · codes (n, M) uint8 · aligned (n,)
    # float32: the inner product of each row's centre with what its codes stand for
    parts, width = codewords.shape[0], codewords.shape[1]
    for i in numba.prange(codes.shape[0]):
        pick, scores = np.empty(1, dtype=np.int64), np.empty((1, CODES), dtype=np.float32)
        total = 0.0
        for m in range(parts):
            code = _nearest_code(slices, i * parts + m, codewords, halves, m, pick, scores)
            codes[i, m] = code
            for j in range(width):
                total += np.float64(centers[of_list[i], m * width + j]) * np.float64(codewords[m, j, code])
        aligned[i] = total


def train_codewords(
    rows: npt.NDArray[np.float32], parts: int, iterations: int, seed: int, threads: int = 1
) -> npt.NDArray[np.float32]:
    """Return sixteen codewords for each of `parts` slices of the rows.

    Parameters
    ----------
    rows : (n, d') float32
        n at least 1; d' a multiple of `parts`.
    parts : int
        M.
    iterations : int
        Of k-means.
    seed : int
    threads : int
        The result does not depend on it.

    Returns
    -------
    (M, w, 16) float32
    """
    generator = np.random.default_rng(seed)
    width = rows.shape[1] // parts
    codewords = np.empty((parts, width, CODES), dtype=np.float32)
    for m in range(parts):
        start = generator.choice(len(rows), CODES, replace=len(rows) < CODES)
        codewords[m] = rows[start, m * width : (m + 1) * width].T
    with numba_threads(threads):
        _train(rows.reshape(-1, width), codewords, np.empty((parts, CODES), dtype=np.float32), iterations)
    return codewords


def encode(
    rows: npt.NDArray[np.float32],
    centers: npt.NDArray[np.float32],
    of_list: npt.NDArray[np.int32],
    codewords: npt.NDArray[np.float32],
    threads: int = 1,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """Return the nearest codeword of each slice of each row.

    Parameters
    ----------
    rows : (n, d') float32
    centers : (L, d') float32
    of_list : (n,) int32
        Which centre belongs to each row.
    codewords : (M, w, 16) float32
    threads : int

    Returns
    -------
    codes : (n, M) uint8
        Below 16.
    aligned : (n,) float32
        Inner product of each row's centre with the codewords that stand for the row.
    """
    halves = 0.5 * np.einsum("mjc,mjc->mc", codewords, codewords, dtype=np.float64)
    width = codewords.shape[1]
    codes = np.empty((len(rows), len(codewords)), dtype=np.uint8)
    aligned = np.empty(len(rows), dtype=np.float32)
    with numba_threads(threads):
        _encode(rows.reshape(-1, width), centers, of_list, codewords, halves.astype(np.float32), codes, aligned)
    return codes, aligned
