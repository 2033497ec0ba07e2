import hashlib
import tracemalloc

import numpy as np
import pytest
from ivfbench.datasets.dataset import file_sha256
from ivfbench.datasets.errors import DatasetError
from ivfbench.datasets.reader import read_dataset


def test_nothing_can_be_written(dataset_file):
    dataset = read_dataset(dataset_file())
    for array in (
        dataset.train,
        dataset.test,
        dataset.neighbors,
        dataset.distances,
        dataset.learn,
        dataset.learn_neighbors,
    ):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1
    with pytest.raises(AttributeError):
        dataset.metric = "ip"


def test_training_queries_wait_in_the_file(dataset_file):
    path = dataset_file(n=50, m=40_000, d=64)  # 10 MB of training queries
    tracemalloc.start()
    dataset = read_dataset(path)
    assert (dataset.has_learn, dataset.learn_count) == (True, 40_000)
    before = tracemalloc.get_traced_memory()[0]
    assert dataset.learn.shape == (40_000, 64)
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert before < 2e6 < 10e6 < after
    assert dataset.learn is dataset.learn


def test_without_training_queries(dataset_file):
    dataset = read_dataset(dataset_file(drop=("learn", "learn_neighbors")))
    assert (dataset.has_learn, dataset.learn_count) == (False, 0)
    assert dataset.learn is None
    assert dataset.learn_neighbors is None


def test_sha256_is_that_of_the_bytes(dataset_file):
    path = dataset_file()
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    assert read_dataset(path).sha256 == file_sha256(path) == expected


def test_a_file_that_changed_is_not_mixed_in(dataset_file):
    path = dataset_file()
    dataset = read_dataset(path)
    dataset_file(seed=1, m=10)
    for read in (lambda: dataset.learn, lambda: dataset.learn_neighbors, lambda: dataset.sha256):
        with pytest.raises(DatasetError, match="changed"):
            read()


def test_it_says_what_it_is(dataset_file):
    assert repr(read_dataset(dataset_file())) == "Dataset('small-5-euclidean', euclidean, n=60, d=5, queries=8)"


def test_reading_never_holds_two_copies(dataset_file):
    path = dataset_file(n=100_000, d=100, q=2, k=2, m=1)  # 40 MB
    tracemalloc.start()
    dataset = read_dataset(path, check=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert dataset.train.nbytes == 40_000_000
    assert peak < 70e6
    assert np.isfinite(dataset.train[-1]).all()
