"""Codewords of a product quantiser: sixteen for each sub-quantiser, found by k-means, and the nearest of them.

Symbols: n vectors, d' rotated dimension, M sub-quantisers, w = d' / M.
"""

import numba
import numpy as np
import numpy.typing as npt

from .compile import kernel, numba_threads, parallel_kernel

CODES = 16


@kernel
def _nearest_code(row, first, codewords, m, halves):  # type: ignore[no-untyped-def]
    # row (d',) float32 · codewords (M, w, 16) float32 · halves (M, 16): half of the squared length of each
    scores = np.empty(16, dtype=np.float32)
    for code in range(16):
        scores[code] = halves[m, code]
    for j in range(codewords.shape[1]):
        value = row[first + j]
        for code in range(16):
            scores[code] -= value * codewords[m, j, code]
    best = 0
    for code in range(1, 16):
        if scores[code] < scores[best]:
            best = code
    return best


@kernel
def _halves(codewords, m, halves):  # type: ignore[no-untyped-def]
    for code in range(16):
        total = np.float32(0.0)
        for j in range(codewords.shape[1]):
            total += codewords[m, j, code] * codewords[m, j, code]
        halves[m, code] = np.float32(0.5) * total


@parallel_kernel
def _train(rows, codewords, halves, iterations):  # type: ignore[no-untyped-def]
    # rows (n, d') float32 · codewords (M, w, 16) float32, where they start and end. Iteration m owns sub-quantiser m.
    width = codewords.shape[1]
    for m in numba.prange(codewords.shape[0]):
        for _ in range(iterations):
            sums = np.zeros((width, 16), dtype=np.float64)
            counts = np.zeros(16, dtype=np.int64)
            _halves(codewords, m, halves)
            for i in range(rows.shape[0]):
                code = _nearest_code(rows[i], m * width, codewords, m, halves)
                counts[code] += 1
                for j in range(width):
                    sums[j, code] += rows[i, m * width + j]
            for code in range(16):
                if counts[code] > 0:  # a codeword that nobody chose stays where it is
                    for j in range(width):
                        codewords[m, j, code] = np.float32(sums[j, code] / counts[code])
        _halves(codewords, m, halves)


@parallel_kernel
def _encode(rows, centers, of_list, codewords, halves, codes, aligned):  # type: ignore[no-untyped-def]
    # rows (n, d') float32 · centers (L, d') float32 · of_list (n,) int32 · codes (n, M) uint8 · aligned (n,) float32:
    # the inner product of each row's centre with what its codes stand for
    width = codewords.shape[1]
    for i in numba.prange(rows.shape[0]):
        total = 0.0
        for m in range(codewords.shape[0]):
            code = _nearest_code(rows[i], m * width, codewords, m, halves)
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
        _train(rows, codewords, np.empty((parts, CODES), dtype=np.float32), iterations)
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
    codes = np.empty((len(rows), len(codewords)), dtype=np.uint8)
    aligned = np.empty(len(rows), dtype=np.float32)
    with numba_threads(threads):
        _encode(rows, centers, of_list, codewords, halves.astype(np.float32), codes, aligned)
    return codes, aligned
