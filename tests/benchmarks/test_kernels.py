"""The kernels timed one by one, grouped by kernel and shape: `make kernels`.

In the ordinary suite each runs once, untimed, as a smoke test. Nothing asserts a time.
"""

import numpy as np
import pytest
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.codecs.int8 import Int8
from ivfbench.algorithms.codecs.product_quantiser import ProductQuantiser
from ivfbench.algorithms.ivf import IVF
from ivfbench.algorithms.kernels.means import update_means
from ivfbench.algorithms.kernels.nearest import nearest
from ivfbench.algorithms.kernels.panels import group_rows, make_panels
from ivfbench.algorithms.kernels.search import search_lists
from ivfbench.algorithms.kernels.space import make_space

SHAPES = [(20_000, 96), (10_000, 384)]


@pytest.fixture(params=SHAPES, ids=lambda shape: f"{shape[0]}x{shape[1]}", scope="module")
def rows(request):
    n, dimension = request.param
    return np.random.default_rng(0).standard_normal((n, dimension)).astype(np.float32)


def _group(benchmark, kernel, rows):
    benchmark.group = f"{kernel} {len(rows)}x{rows.shape[1]}"


@pytest.mark.parametrize("threads", [1, 2])
def test_assignment(benchmark, rows, threads):
    _group(benchmark, "assignment to 128 centroids", rows)
    space = make_space(rows, "euclidean")
    panels = make_panels(rows[:128], space, squared=True)
    slots, _ = benchmark(nearest, panels, rows, space, 1, threads)
    assert (slots[:128, 0] == np.arange(128)).all()


@pytest.mark.parametrize("threads", [1, 2])
def test_batch_search(benchmark, rows, threads):
    _group(benchmark, "batch of 256 over everything, k=10", rows)
    space = make_space(rows, "angular")
    panels = make_panels(rows, space)
    queries, probes = rows[:256], np.zeros((256, 1), dtype=np.int32)
    ids, _, _ = benchmark(search_lists, panels, queries, space, "angular", probes, 10, threads)
    assert (ids[:, 0] == np.arange(256)).all()


def test_single_search(benchmark, rows):
    _group(benchmark, "one query over everything, k=10", rows)
    space = make_space(rows, "angular")
    panels = make_panels(rows, space)
    probes = np.zeros((1, 1), dtype=np.int32)
    ids, _, _ = benchmark(search_lists, panels, rows[7:8], space, "angular", probes, 10)
    assert ids[0, 0] == 7


@pytest.mark.parametrize("threads", [1, 2])
def test_means(benchmark, rows, threads):
    _group(benchmark, "means of 128 lists", rows)
    assignment = np.random.default_rng(1).integers(0, 128, len(rows)).astype(np.int32)
    order, offsets = group_rows(assignment, 128)
    means = np.zeros((128, rows.shape[1]), dtype=np.float32)
    benchmark(update_means, rows, order, offsets, means, threads)
    np.testing.assert_allclose(means[5], rows[assignment == 5].mean(axis=0), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("threads", [1, 2])
def test_layout(benchmark, rows, threads):
    _group(benchmark, "layout in panels of 128 lists", rows)
    assignment = np.random.default_rng(1).integers(0, 128, len(rows)).astype(np.int32)
    space = make_space(rows, "euclidean")
    panels = benchmark(make_panels, rows, space, assignment, 128, squared=True, threads=threads)
    assert int(panels.sizes.sum()) == len(rows)


@pytest.fixture(params=["ProductQuantiser", "Int8"], scope="module")
def compressed(request, rows):
    codec = ProductQuantiser(iterations=2) if request.param == "ProductQuantiser" else Int8()
    return request.param, IVF(KMeans(lists=64, iterations=2), codec=codec, routing="int8").build(rows, "angular")


@pytest.mark.parametrize("threads", [1, 2])
def test_compressed_batch(benchmark, rows, compressed, threads):
    name, index = compressed
    _group(benchmark, f"{name}: batch of 256, 16 of 64 lists, k=10", rows)
    found = benchmark(index.search, rows[:256], 10, nprobe=16, rerank=50, threads=threads)
    assert (found.ids[:, 0] == np.arange(256)).mean() > 0.99


def test_compressed_query(benchmark, rows, compressed):
    name, index = compressed
    _group(benchmark, f"{name}: one query, 16 of 64 lists, k=10", rows)
    found = benchmark(index.search, rows[7:8], 10, nprobe=16, rerank=50)
    assert found.ids[0, 0] == 7


def test_routing_of_bytes(benchmark, rows, compressed):
    _, index = compressed
    _group(benchmark, "one query routed to 16 of 64 lists by bytes", rows)
    assert (benchmark(index.routes.route, rows[:1], 16).lists >= 0).all()
