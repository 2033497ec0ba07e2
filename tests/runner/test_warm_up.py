"""The tiny index that compiles every kernel: the same members, little of everything they can have less of."""

import subprocess
import sys

import pytest
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.clustering.shallow import Shallow
from ivfbench.algorithms.exact import Exact
from ivfbench.algorithms.ivf import IVF
from ivfbench.algorithms.registry import CLUSTERINGS, ROUTERS
from ivfbench.algorithms.routers.learnt import Learnt
from ivfbench.algorithms.routers.multi_centroid import MultiCentroid
from ivfbench.runner.warm_up import _tiny, warm_up


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Exact(), Exact()),
        (IVF(KMeans(lists=900), Learnt(epochs=0)), IVF(KMeans(4, 1, 64), Learnt(epochs=0))),
        (IVF(KMeans(lists=2, sample_per_list=9)), IVF(KMeans(2, 1, 9))),
        (IVF(Shallow(), MultiCentroid(count=9)), IVF(Shallow(4), MultiCentroid(count=9, iterations=1))),
    ],
)
def test_only_fields_that_exist_are_limited(asked, expected):
    assert _tiny(asked) == expected


@pytest.mark.parametrize(
    "algorithm",
    [
        *(IVF(clustering()) for clustering in CLUSTERINGS.values()),
        *(IVF(router=router()) for router in ROUTERS.values()),
    ],
    ids=repr,
)
def test_every_member_warms_up(algorithm):
    assert warm_up(algorithm, "euclidean", 3, 10, 2) > 0


BUILD_AND_LOOK = """
import sys
import numpy as np
from numba.core.dispatcher import Dispatcher
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.codecs.float32 import Float32
from ivfbench.algorithms.codecs.product_quantiser import ProductQuantiser
from ivfbench.algorithms.ivf import IVF
from ivfbench.runner.warm_up import warm_up

def versions():
    kernels = {}
    for name, module in list(sys.modules.items()):
        if name.startswith("ivfbench."):
            kernels |= {f"{name}.{key}": len(value.overloads) for key, value in vars(module).items()
                        if isinstance(value, Dispatcher)}
    return kernels

algorithm = IVF(KMeans(lists=10, sample_per_list=%d), codec=%s, routing=%r)
rows = np.random.default_rng(1).standard_normal((1500, 12)).astype(np.float32)
warm_up(algorithm, %r, 12, 10, 2)
before = versions()
index = algorithm.build(rows, %r, threads=2)
for nprobe in (1, 7, 10):
    index.search(rows[:1], 10, nprobe=nprobe)
    index.search(rows[:200], 10, nprobe=nprobe, threads=2)
assert any(before.values())
print({name: count for name, count in versions().items() if count != before.get(name, 0)})
"""


@pytest.mark.parametrize("sample_per_list", [140, 256])  # some of the rows, which would be all of the tiny index's; all
@pytest.mark.parametrize(
    ("codec", "routing", "metric"),
    [("Float32()", "float32", "angular"), ("ProductQuantiser(storage='float16')", "int8", "euclidean")],
)
def test_nothing_is_left_to_be_compiled(codec, routing, metric, sample_per_list):
    code = BUILD_AND_LOOK % (sample_per_list, codec, routing, metric, metric)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "{}\n"), done.stderr
