"""The tiny index that compiles every kernel: the same members, little of everything they can have less of."""

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
        (IVF(KMeans(lists=900), Learnt(epochs=0)), IVF(KMeans(4, iterations=1), Learnt(epochs=0))),
        (IVF(KMeans(lists=2)), IVF(KMeans(2, iterations=1))),
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
