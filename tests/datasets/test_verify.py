import h5py
import pytest
from ivfbench.datasets.dataset import file_sha256
from ivfbench.datasets.errors import DatasetError
from ivfbench.datasets.reader import read_dataset
from ivfbench.datasets.seal import write_seal
from ivfbench.datasets.verify import verify


def spoil(path, key, row):
    """Swap the first and the last neighbour of one query, distances left as they were."""
    with h5py.File(path, "a") as file:
        file[key][row] = file[key][row][::-1]


def test_a_good_file(dataset_file):
    told = []
    path = dataset_file(q=300, m=5)
    report = verify(path, progress=lambda *at: told.append(at))
    assert (report.vectors, report.dimension, report.queries, report.learn_queries) == (60, 5, 300, 5)
    assert (report.queries_checked, report.learn_checked) == (300, 5)
    assert report.sha256 == file_sha256(path)
    assert told == [(256, 305), (300, 305), (305, 305)]


def test_all_queries_are_searched_where_reading_samples(dataset_file):
    path = dataset_file(n=500, d=8, q=400)
    spoil(path, "neighbors", 271)
    assert read_dataset(path).queries == 400  # the sample of a read does not meet this query
    with pytest.raises(DatasetError, match="query 271, rank 0"):
        verify(path)


def test_training_queries_are_searched_too(dataset_file):
    path = dataset_file(n=500, d=8)
    spoil(path, "learn_neighbors", 7)
    with pytest.raises(DatasetError, match="'learn_neighbors' of query 7, rank 0"):
        verify(path)


def test_a_sample_is_enough_if_asked_for(dataset_file):
    report = verify(dataset_file(q=50), sample=10)
    assert (report.queries_checked, report.learn_checked) == (10, 9)


def test_a_file_that_rotted_under_its_seal(dataset_file):
    path = dataset_file()
    write_seal(path, "0" * 64)
    with pytest.raises(DatasetError, match="expected " + "0" * 64):
        verify(path)
