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


@pytest.fixture(scope="session")
def fitting_for():
    """A function: rows, metric, L (and training queries, seed, threads) to all that a router may look at."""
    from ivfbench.algorithms.clustering.kmeans import KMeans
    from ivfbench.algorithms.kernels.space import make_space
    from ivfbench.algorithms.progress import silent
    from ivfbench.algorithms.routers.router import Fitting, TrainingQueries

    def make(rows, metric, lists=6, learn=None, seed=0, threads=1, **choices):
        space = make_space(rows, metric)
        clusters = KMeans(lists=lists, iterations=4).cluster(rows, space, seed=seed)
        training = None if learn is None else TrainingQueries(learn, **choices)

        def nearest(queries, k):
            raise AssertionError("no exact search expected")

        return Fitting(metric, rows, space, clusters, training, nearest, seed, threads, silent)

    return make


@pytest.fixture(scope="session")
def matrix_of():
    """A function: what a router says of every list, (q, L), in the order of the lists."""

    def make(routes, queries, lists, threads=1):
        routed = routes.route(queries, lists, threads)
        scores = np.full((len(queries), lists), np.nan)
        np.put_along_axis(scores, routed.lists.astype(np.int64), routed.scores, axis=1)
        return scores

    return make
