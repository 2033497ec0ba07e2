"""Data whose arithmetic is exact, random data, and the grid of shapes."""

import itertools

import numpy as np
import pytest

METRICS = ("euclidean", "angular", "normalized", "ip", "manhattan")


@pytest.fixture(params=METRICS)
def metric(request):
    return request.param


@pytest.fixture(params=[1, 2], ids=["thread", "threads"])
def threads(request):
    return request.param


@pytest.fixture(scope="session")
def whole_numbers():
    """A function: (rows, dimension) float32 of small integers; sums and products of them are exact, and ties abound."""

    def make(rows, dimension, seed=0):
        return np.random.default_rng([seed, rows, dimension]).integers(-4, 5, (rows, dimension)).astype(np.float32)

    return make


@pytest.fixture(scope="session")
def normal():
    """A function: (rows, dimension) float32, normally distributed."""

    def make(rows, dimension, seed=0):
        return np.random.default_rng([seed, rows, dimension]).standard_normal((rows, dimension)).astype(np.float32)

    return make


@pytest.fixture(scope="session")
def shapes(tiny):
    """Shapes (n, d, k, q) that meet every edge of panels, tiles and streams."""
    n, d, k, q = ((1, 17), (1, 3), (1, 20), (1, 7)) if tiny else (
        (1, 15, 16, 17, 300), (1, 3, 16, 33, 130), (1, 10, 320), (1, 2, 7, 64)
    )  # fmt: skip
    return list(itertools.product(n, d, k, q))
