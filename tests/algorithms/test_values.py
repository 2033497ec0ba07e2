"""Every member of the registry is a small frozen value whose text is canonical."""

import dataclasses
import itertools
import json

import pytest
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.clustering.shallow import Shallow
from ivfbench.algorithms.clustering.spherical import SphericalKMeans
from ivfbench.algorithms.codecs.float32 import Float32
from ivfbench.algorithms.codecs.int8 import Int8
from ivfbench.algorithms.codecs.product_quantiser import ProductQuantiser
from ivfbench.algorithms.definitions.definition import Definition
from ivfbench.algorithms.exact import Exact
from ivfbench.algorithms.ivf import IVF
from ivfbench.algorithms.kernels.space import METRICS
from ivfbench.algorithms.probing.ball_cap import BallCap
from ivfbench.algorithms.probing.conformal import Conformal
from ivfbench.algorithms.probing.distance_ratio import DistanceRatio
from ivfbench.algorithms.probing.fixed import Fixed
from ivfbench.algorithms.probing.patience import Patience
from ivfbench.algorithms.probing.softmax_mass import SoftmaxMass
from ivfbench.algorithms.registry import ALGORITHMS, CLUSTERINGS, CODECS, MEMBERS, PEERS, PROBINGS, ROUTERS
from ivfbench.algorithms.routers.anisotropic import Anisotropic
from ivfbench.algorithms.routers.centroid import Centroid
from ivfbench.algorithms.routers.hybrid import Hybrid
from ivfbench.algorithms.routers.learnt import Learnt
from ivfbench.algorithms.routers.list_size import ListSize
from ivfbench.algorithms.routers.low_rank import LowRank
from ivfbench.algorithms.routers.multi_centroid import MultiCentroid
from ivfbench.algorithms.routers.multi_learnt import MultiLearnt
from ivfbench.algorithms.routers.network import Network
from ivfbench.algorithms.routers.optimist import Optimist
from ivfbench.algorithms.routers.oracle import Oracle
from ivfbench.algorithms.routers.paper import PaperLearnt
from ivfbench.algorithms.routers.random_order import Random
from ivfbench.algorithms.routers.support_regression import SupportRegression
from ivfbench.algorithms.routers.two_tower import TwoTower
from ivfbench.algorithms.value import from_parameters, parameters, text

pytestmark = pytest.mark.interpreted

# At least one example of each member, with its text. A new member fails the next test until it stands here.
EXAMPLES = [
    (Exact(), "Exact()"),
    (IVF(), "IVF(KMeans(), Centroid(), Float32())"),
    (IVF(seed=0), "IVF(KMeans(), Centroid(), Float32())"),
    (IVF(KMeans(lists=328), Learnt(), seed=7), "IVF(KMeans(lists=328), Learnt(), Float32(), seed=7)"),
    (IVF(codec=Int8(), routing="int8"), "IVF(KMeans(), Centroid(), Int8(), routing='int8')"),
    (KMeans(iterations=25), "KMeans()"),
    (KMeans(lists=3, iterations=4, sample_per_list=5), "KMeans(lists=3, iterations=4, sample_per_list=5)"),
    (Centroid(scoring="inner product"), "Centroid(scoring='inner product')"),
    (Learnt(epochs=0, start="scratch"), "Learnt(epochs=0, start='scratch')"),
    (Learnt("top-1", size_exponent=0.5), "Learnt(loss='top-1', size_exponent=0.5)"),
    (PaperLearnt(epochs=7), "PaperLearnt(epochs=7)"),
    (MultiLearnt(representatives=2), "MultiLearnt(representatives=2)"),
    (LowRank(rank=5), "LowRank(rank=5)"),
    (Network(hidden=8, layers=2), "Network(hidden=8, layers=2)"),
    (TwoTower(), "TwoTower()"),
    (Hybrid(k=1, rank=3), "Hybrid(k=1, rank=3)"),
    (SphericalKMeans(lists=7), "SphericalKMeans(lists=7)"),
    (Shallow(), "Shallow()"),
    (Optimist(covariance="low rank", rank=2), "Optimist(covariance='low rank', rank=2)"),
    (MultiCentroid(count=2), "MultiCentroid(count=2)"),
    (Anisotropic(0.25), "Anisotropic(ratio=0.25)"),
    (SupportRegression(ridge=0.5), "SupportRegression(ridge=0.5)"),
    (Oracle(k=1), "Oracle(k=1)"),
    (Random(), "Random()"),
    (ListSize(), "ListSize()"),
    (Float32(), "Float32()"),
    (Int8(), "Int8()"),
    (Int8(storage="float16"), "Int8(storage='float16')"),
    (ProductQuantiser(), "ProductQuantiser()"),
    (ProductQuantiser(8, 2, "given"), "ProductQuantiser(subquantisers=8, width=2, storage='given')"),
    (Fixed(4), "Fixed(nprobe=4)"),
    (SoftmaxMass(), "SoftmaxMass()"),
    (SoftmaxMass(recall=0.8, temperature=2.0), "SoftmaxMass(recall=0.8, temperature=2.0)"),
    (Patience(patience=3, most=40), "Patience(patience=3, most=40)"),
    (BallCap(recall=0.95), "BallCap(recall=0.95)"),
    (DistanceRatio(), "DistanceRatio()"),
    (Conformal(0.7), "Conformal(recall=0.7)"),
    (
        Definition("annoy", ("angular", 100), "0f", "here/annoy", "Annoy"),
        "Definition(name='annoy', arguments=('angular', 100), content='0f')",
    ),
]
VALUES = [value for value, _ in EXAMPLES]


def test_every_member_has_an_example():
    peers = set(PEERS.values())  # they stand in test_peers.py
    assert {type(value) for value in VALUES} == set(MEMBERS.values()) - peers
    groups = (ALGORITHMS, CLUSTERINGS, ROUTERS, CODECS, PROBINGS)
    assert sum(len(group) for group in groups) == len(MEMBERS) - 1  # a Definition is in none: it is somebody's code
    assert all(name == member.__name__ for name, member in MEMBERS.items())


@pytest.mark.parametrize(("value", "expected"), EXAMPLES)
def test_text_is_canonical(value, expected):
    assert repr(value) == str(value) == text(value) == expected


@pytest.mark.parametrize("value", VALUES)
def test_parameters_go_to_json_and_come_back(value):
    spelled = json.loads(json.dumps(parameters(value)))
    again = from_parameters(spelled, MEMBERS)
    assert again == value
    assert type(again) is type(value)
    assert set(spelled) == {"type", *(field.name for field in dataclasses.fields(value))}


@pytest.mark.parametrize("value", VALUES)
def test_values_are_frozen_and_hash_by_content(value):
    again = from_parameters(parameters(value), MEMBERS)
    assert hash(again) == hash(value)
    assert {value: 1}[again] == 1
    with pytest.raises((dataclasses.FrozenInstanceError, AttributeError, TypeError)):
        value.seed = 3
    assert not hasattr(value, "__dict__")


def test_members_left_out_take_their_defaults():
    assert from_parameters({"type": "IVF", "clustering": {"type": "KMeans", "lists": 9}}, MEMBERS) == IVF(KMeans(9))


REFUSALS = {
    "no type": ({}, r"^type: found None, expected one of \w+, "),
    "unknown type": ({"type": "os.system"}, r"^type: found 'os.system', expected one of "),
    "type without a hash": ({"type": {"type": "KMeans"}}, r"^type: found \{'type': 'KMeans'\}, expected one of "),
    "endless rate": ({"type": "Learnt", "learning_rate": float("inf")}, r"^Learnt\.learning_rate: found inf"),
    "unknown field": ({"type": "KMeans", "list": 3}, r"^KMeans\.list: no such field, expected one of lists, "),
    "field of no fields": ({"type": "Exact", "k": 3}, r"^Exact\.k: no such field, expected one of none$"),
    "wrong value": ({"type": "KMeans", "lists": "many"}, r"^KMeans\.lists: found 'many', expected an integer"),
    "missing": ({"type": "Fixed"}, r"^Fixed: .*nprobe"),
    "wrong kind": ({"type": "Learnt", "learning_rate": "fast"}, r"^Learnt: "),
    "wrong part": ({"type": "IVF", "router": {"type": "KMeans"}}, r"^IVF\.router: found KMeans\(\), expected a router"),
    "no part": ({"type": "IVF", "clustering": 328}, r"^IVF\.clustering: found 328, expected a clustering"),
    "deep": ({"type": "IVF", "router": {"type": "Learnt", "epoch": 1}}, r"^Learnt\.epoch: no such field"),
    "seed": ({"type": "IVF", "seed": -1}, r"^IVF\.seed: found -1, expected an integer of at least 0$"),
    "scoring": ({"type": "Centroid", "scoring": "cosine"}, r"^Centroid\.scoring: found 'cosine', expected one of "),
    "epochs": ({"type": "Learnt", "epochs": -1}, r"^Learnt\.epochs: found -1, expected an integer of at least 0$"),
    "patience": ({"type": "Learnt", "patience": 0}, r"^Learnt\.patience: found 0, "),
    "validation": ({"type": "Learnt", "validation": 1.0}, r"^Learnt\.validation: found 1\.0, expected a part "),
    "rate": ({"type": "Learnt", "learning_rate": 0.0}, r"^Learnt\.learning_rate: found 0\.0, expected a positive"),
    "start": (
        {"type": "Learnt", "start": "zero"},
        r"^Learnt\.start: found 'zero', expected one of centroids, scratch$",
    ),
    "device": ({"type": "Learnt", "device": "tpu"}, r"^Learnt\.device: found 'tpu', expected one of auto, cpu, cuda$"),
    "spherical": ({"type": "SphericalKMeans", "iterations": 0}, r"^SphericalKMeans\.iterations: found 0, "),
    "shallow": ({"type": "Shallow", "iterations": 3}, r"^Shallow\.iterations: no such field, expected one of lists$"),
    "shallow lists": ({"type": "Shallow", "lists": 0}, r"^Shallow\.lists: found 0, expected an integer of at least 1$"),
    "covariance": (
        {"type": "Optimist", "covariance": "half"},
        r"^Optimist\.covariance: found 'half', expected one of ",
    ),
    "rank": ({"type": "Optimist", "rank": 0}, r"^Optimist\.rank: found 0, "),
    "delta": (
        {"type": "Optimist", "delta": 1.0},
        r"^Optimist\.delta: found 1\.0, expected a number from 0 to below 1$",
    ),
    "count": ({"type": "MultiCentroid", "count": 0}, r"^MultiCentroid\.count: found 0, "),
    "combine": (
        {"type": "MultiCentroid", "combine": "worst"},
        r"^MultiCentroid\.combine: found 'worst', .* best, mean$",
    ),
    "ratio": ({"type": "Anisotropic", "ratio": 0.0}, r"^Anisotropic\.ratio: found 0\.0, expected a number above 0"),
    "ridge": (
        {"type": "SupportRegression", "ridge": 0.0},
        r"^SupportRegression\.ridge: found 0\.0, expected a positive",
    ),
    "oracle": ({"type": "Oracle", "k": 1001}, r"^Oracle\.k: found 1001, expected at most 1000$"),
    "mass": (
        {"type": "SoftmaxMass", "recall": 1.5},
        r"^SoftmaxMass\.recall: found 1\.5, expected a number above 0 and ",
    ),
    "no mass": ({"type": "Conformal", "recall": 0}, r"^Conformal\.recall: found 0, expected a number above 0 and at "),
    "nan": ({"type": "BallCap", "recall": float("nan")}, r"^BallCap\.recall: found nan, expected a number above 0 "),
    "truth": ({"type": "Patience", "overlap": True}, r"^Patience\.overlap: found True, expected a number above 0 "),
    "cold": ({"type": "SoftmaxMass", "temperature": 0}, r"^SoftmaxMass\.temperature: found 0, expected a finite "),
    "hot": ({"type": "SoftmaxMass", "temperature": 10**400}, r"^SoftmaxMass\.temperature: found 1000"),
    "word": ({"type": "SoftmaxMass", "recall": "most"}, r"^SoftmaxMass\.recall: found 'most', expected a number "),
    "distance ratio": (
        {"type": "DistanceRatio", "epsilon": -0.1},
        r"^DistanceRatio\.epsilon: found -0\.1, expected a finite ",
    ),
    "no patience": ({"type": "Patience", "patience": 0}, r"^Patience\.patience: found 0, expected an integer of at "),
    "most": ({"type": "Patience", "most": 2.5}, r"^Patience\.most: found 2\.5, expected an integer of at least 1$"),
    "candidates": ({"type": "BallCap", "candidates": 0}, r"^BallCap\.candidates: found 0, expected an integer of at "),
    "probes": ({"type": "Fixed", "nprobe": 0}, r"^nprobe: found 0, expected an integer of at least 1$"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals_are_one_line(case):
    data, pattern = REFUSALS[case]
    with pytest.raises(ValueError, match=pattern) as refused:
        from_parameters(data, MEMBERS)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("lists", "count", "expected"), [(None, 100, 10), (None, 1, 1), (7, 100, 7), (999, 100, 100)])
def test_resolve_spells_the_number_of_lists_out(lists, count, expected):
    assert IVF(KMeans(lists)).resolve("ip", count).clustering == KMeans(expected)


def test_resolve_spells_the_scoring_out():
    found = [IVF().resolve(metric, 9).router.scoring for metric in METRICS]
    assert found == ["euclidean", "normalised", "normalised", "inner product", "manhattan"]
    assert IVF(router=Centroid("euclidean")).resolve("ip", 9).router == Centroid("euclidean")


@pytest.mark.parametrize("lists", [1, 2, 3, 100, 1024])
def test_the_query_grid_goes_from_one_list_to_all(lists):
    grid = [point["nprobe"] for point in IVF(KMeans(lists)).query_grid()]
    assert (grid[0], grid[-1]) == (1, lists)
    assert grid == sorted(set(grid))
    assert all(later <= 2 * earlier for earlier, later in itertools.pairwise(grid))
