"""The real datasets: read as docs/speed.md describes them, ground truth included."""

import pytest
from ivfbench.datasets.layout import describe
from ivfbench.datasets.reader import read_dataset

pytestmark = pytest.mark.shared_data

KNOWN = [
    ("wordnet-minilm-384-normalized", 107_525, 384, "normalized", 50_000, "float16", "05e8c2a039ed7d29"),
    ("sift-photos-128-euclidean", 200_000, 128, "euclidean", 20_000, "uint8", "2853ff83695fcc3f"),
]


@pytest.mark.parametrize(
    ("name", "n", "d", "metric", "learn", "stored", "sha256"), KNOWN, ids=[each[0] for each in KNOWN]
)
def test_real_files(shared_data, name, n, d, metric, learn, stored, sha256):
    path = shared_data / f"{name}.hdf5"
    seen = describe(path)
    assert (seen.n, seen.dimension, seen.metric, seen.learn_count) == (n, d, metric, learn)
    assert (seen.neighbors, seen.learn_neighbors, seen.dtypes["train"]) == (100, 10, stored)
    dataset = read_dataset(path)
    assert (dataset.n, dataset.dimension, dataset.queries, dataset.metric) == (n, d, 5_000, metric)
    assert dataset.sha256.startswith(sha256)
    assert dataset.learn.shape == (learn, d)
    assert dataset.learn_neighbors.shape == (learn, 10)
