"""Processors that lack this one's instructions: kernels of other kinds are chosen, nothing aborts, answers agree."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.codecs.int8 import Int8
from ivfbench.algorithms.codecs.product_quantiser import ProductQuantiser
from ivfbench.algorithms.ivf import IVF
from ivfbench.algorithms.kernels import lookup
from ivfbench.algorithms.kernels.processor import processor_has

# Kernels are called without the parallel shells around them, which would take longer to compile than all else.
SCRIPT = """
import pickle
import sys
import numpy as np
from ivfbench.algorithms.kernels import byte_products, lookup
from ivfbench.algorithms.kernels.compressed import compressed_share
from ivfbench.algorithms.kernels.space import METRICS

print(lookup.KERNEL, byte_products.KERNEL)
with open(sys.argv[1], "rb") as file:
    layout, queries, held = pickle.load(file)
answers = {}
for place, (routes, lists) in enumerate(held):
    compressed = lists.compressed
    blocks = compressed.blocks
    if len(compressed.codewords) and layout != lookup.LAYOUT:
        shape = (-1, 16, 4) if layout == "quads" else (-1, 4, 16)
        codes = np.ascontiguousarray(blocks.codes.reshape(shape).transpose(0, 2, 1)).reshape(blocks.codes.shape)
        compressed = compressed._replace(blocks=blocks._replace(codes=codes))
    lists = type(lists)(compressed, lists.space, lists.metric)
    probes = np.concatenate([routes.route(query[None], 4).lists for query in queries])
    single = np.concatenate([lists.search(q[None], p[None], 3, rerank=30).ids for q, p in zip(queries, probes)])
    ids, distances = np.empty((len(queries), 3), np.int32), np.empty((len(queries), 3), np.float32)
    compressed_share(
        *compressed.blocks, *compressed[1:], queries, lists.space.center, lists.space.normalise,
        METRICS.index(lists.metric), probes, 30, ids, distances, np.empty((len(queries), 2), np.int64),
    )
    answers[str(place)] = np.stack([single, ids])
    answers[f"lists {place}"] = probes
np.savez(sys.argv[2], **answers)
"""

PROCESSORS = {
    "generic": ({"NUMBA_CPU_NAME": "generic"}, "portable portable"),
    "without AVX": ({"NUMBA_ENABLE_AVX": "0"}, "portable portable"),
    "with AVX2": (
        {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+sse2,+sse4.1,+sse4.2,+ssse3,+popcnt,+avx,+avx2,+fma"},
        "vpshufb portable",
    ),
}


@pytest.fixture(scope="module")
def problem(normal, tmp_path_factory):
    """A file of queries and of two indices, and what they answer here."""
    plane = normal(4, 12, seed=3)
    rows, queries = (
        normal(count, 4, seed=count) @ plane + np.float32(0.1) * normal(count, 12, seed=1) for count in (300, 8)
    )
    held, answers = [], []
    for codec in (ProductQuantiser(), Int8()):
        index = IVF(KMeans(lists=8, iterations=3), codec=codec, routing="int8").build(rows, "euclidean")
        held.append((index.routes, index.lists))
        answers.append((index.routes.route(queries, 4).lists, index.search(queries, 3, nprobe=4, rerank=30).ids))
    path = tmp_path_factory.mktemp("processors") / "problem.pickle"
    path.write_bytes(pickle.dumps((lookup.LAYOUT, queries, held)))
    return path, answers


@pytest.mark.parametrize("processor", PROCESSORS)
def test_other_kernels_give_the_same_answers(problem, tmp_path, processor):
    settings, kernels = PROCESSORS[processor]
    if "vpshufb" in kernels and not processor_has("avx2"):
        pytest.skip("this processor has no AVX2")
    path, expected = problem
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, str(path), str(tmp_path / "found.npz")],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "kernels"), "NUMBA_OPT": "1", **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == kernels
    with np.load(tmp_path / "found.npz", allow_pickle=False) as found:
        for place, (lists, ids) in enumerate(expected):
            np.testing.assert_array_equal(found[f"lists {place}"], lists)
            np.testing.assert_array_equal(found[str(place)], np.stack([ids, ids]))
