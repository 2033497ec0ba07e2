import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ivfbench.algorithms.kernels.codewords import CODES, encode, train_codewords

pytestmark = pytest.mark.interpreted


def squares(rows, codewords):
    """The squared distance of each slice to each codeword, (n, M, 16) float64."""
    parts, width, _ = codewords.shape
    slices = rows.astype(np.float64).reshape(len(rows), parts, width, 1)
    return ((slices - codewords.astype(np.float64)) ** 2).sum(axis=2)


def encoded(rows, codewords, threads=1):
    center, of_list = np.zeros((1, rows.shape[1]), dtype=np.float32), np.zeros(len(rows), dtype=np.int32)
    return encode(rows, center, of_list, codewords, threads)[0]


@pytest.mark.parametrize(("n", "parts", "width"), [(1, 4, 1), (15, 4, 3), (60, 8, 2)])
def test_each_iteration_lowers_the_error_or_keeps_it(normal, n, parts, width):
    rows = normal(n, parts * width)
    errors = [squares(rows, train_codewords(rows, parts, times, 3)).min(axis=2).sum(axis=0) for times in range(6)]
    for before, after in itertools.pairwise(errors):
        assert (after <= before * (1 + 1e-5) + 1e-9).all()
    if n > CODES:
        assert errors[-1].sum() < 0.95 * errors[0].sum()


def test_codewords_are_the_means_of_their_rows(normal):
    rows = normal(80, 8)
    before, after = (train_codewords(rows, 4, times, 0) for times in (2, 3))
    nearest = squares(rows, before).argmin(axis=2)
    for part in range(4):
        for code in range(CODES):
            members = rows[nearest[:, part] == code, part * 2 : part * 2 + 2].astype(np.float64)
            expected = members.mean(axis=0) if len(members) else before[part, :, code]
            np.testing.assert_allclose(after[part, :, code], expected, rtol=1e-6, atol=1e-7)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.sampled_from([(4, 1), (4, 3), (8, 2)]))
def test_encode_picks_the_nearest(seed, n, shape):
    parts, width = shape
    generator = np.random.default_rng(seed)
    rows = generator.integers(-3, 4, (n, parts * width)).astype(np.float32)
    codewords = generator.integers(-3, 4, (parts, width, CODES)).astype(np.float32)
    every = squares(rows, codewords)  # whole numbers: ties are exact, and go to the lower code
    np.testing.assert_array_equal(encoded(rows, codewords), every.argmin(axis=2))


def test_aligned_is_the_product_of_the_centre_with_what_the_codes_stand_for(normal, threads):
    rows, centers, codewords = normal(30, 12), normal(5, 12, seed=1), normal(12, 16, seed=2).reshape(4, 3, 16)
    of_list = (np.arange(30) % 5).astype(np.int32)
    codes, aligned = encode(rows, centers, of_list, codewords, threads)
    decoded = codewords.transpose(0, 2, 1)[np.arange(4), codes].reshape(30, 12).astype(np.float64)
    np.testing.assert_allclose(aligned, (centers[of_list] * decoded).sum(axis=1), rtol=1e-6)


def test_seed_and_threads(normal):
    rows = normal(50, 8)
    found = [train_codewords(rows, 4, 3, seed, threads).tobytes() for seed, threads in ((0, 1), (0, 2), (1, 1))]
    assert found[0] == found[1] != found[2]


def test_fewer_rows_than_codewords_are_met_exactly(normal):
    rows = normal(9, 8)
    assert squares(rows, train_codewords(rows, 4, 4, 5)).min(axis=2).max() <= squares(rows, np.zeros((4, 2, 16))).max()
    codewords = rows.reshape(9, 4, 2).transpose(1, 2, 0)[:, :, np.arange(16) % 9].copy()
    np.testing.assert_array_equal(encoded(rows, codewords), np.repeat(np.arange(9)[:, None], 4, axis=1))


def test_rows_beyond_the_range_of_squares_have_a_code_all_the_same():
    rows = np.full((3, 8), 3e38, dtype=np.float32)
    with np.errstate(all="ignore"):
        codes = encoded(rows, np.full((4, 2, CODES), 3e38, dtype=np.float32))
    assert (codes < CODES).all()
