import h5py
import numpy as np
import pytest
from ivfbench.datasets.errors import DatasetError
from ivfbench.datasets.learn import training_queries
from ivfbench.datasets.reader import read_dataset
from ivfbench.datasets.truth import exact_neighbors


def test_the_files_own_queries(dataset_file):
    dataset = read_dataset(dataset_file())
    got = training_queries(dataset)
    assert got.source == "learn"
    assert got.queries is dataset.learn
    assert got.neighbors is dataset.learn_neighbors


def test_a_limit_keeps_queries_and_labels_together(dataset_file):
    dataset = read_dataset(dataset_file(m=30))
    got = training_queries(dataset, limit=12, seed=4)
    assert got.queries.shape == (12, 5)
    expected, _ = exact_neighbors(dataset.train, got.queries, 4, "euclidean")
    np.testing.assert_array_equal(got.neighbors, expected)
    again, other = training_queries(dataset, limit=12, seed=4), training_queries(dataset, limit=12, seed=5)
    np.testing.assert_array_equal(got.queries, again.queries)
    assert not np.array_equal(got.queries, other.queries)
    assert not got.queries.flags.writeable


def test_without_them_database_rows_stand_in_and_test_queries_never(dataset_file):
    dataset = read_dataset(dataset_file(drop=("learn", "learn_neighbors"), n=300, d=12))
    got = training_queries(dataset, limit=100, exact=True, k=6)
    assert got.source == "train sample, self excluded"
    database = {row.tobytes() for row in dataset.train}
    tests = {row.tobytes() for row in dataset.test}
    drawn = {row.tobytes() for row in got.queries}
    assert len(drawn) == 100
    assert drawn <= database
    assert not drawn & tests
    places = [int(np.flatnonzero((dataset.train == row).all(axis=1))[0]) for row in got.queries]
    expected, _ = exact_neighbors(dataset.train, got.queries, 6, "euclidean", own_ids=np.array(places))
    np.testing.assert_array_equal(got.neighbors, expected)
    assert all(place not in row for place, row in zip(places, got.neighbors.tolist(), strict=True))


def test_labels_only_when_asked_for(dataset_file):
    dataset = read_dataset(dataset_file(drop=("learn", "learn_neighbors")))
    got = training_queries(dataset)
    assert got.neighbors is None
    assert got.queries.shape == (60, 5)


def test_all_rows_exclude_themselves(dataset_file):
    dataset = read_dataset(dataset_file(drop=("learn", "learn_neighbors"), n=12))
    got = training_queries(dataset, exact=True, k=50)
    assert got.neighbors.shape == (12, 11)
    assert all(i not in row for i, row in enumerate(got.neighbors.tolist()))


def test_limits_that_make_no_sense(dataset_file):
    dataset = read_dataset(dataset_file())
    with pytest.raises(ValueError, match="at least 1"):
        training_queries(dataset, limit=0)


def test_test_queries_among_them_are_left_out(dataset_file):
    path = dataset_file(m=30)
    with h5py.File(path, "r+") as file:
        file["learn"][:4] = file["test"][:4]
    dataset = read_dataset(path)
    got = training_queries(dataset)
    assert got.source == "learn, 4 training queries left out that are test queries"
    np.testing.assert_array_equal(got.queries, dataset.learn[4:])
    np.testing.assert_array_equal(got.neighbors, dataset.learn_neighbors[4:])
    assert len(training_queries(dataset, limit=7, seed=1).queries) == 7


def test_a_set_of_test_queries_is_none_to_learn_from(dataset_file):
    path = dataset_file(m=3)
    with h5py.File(path, "r+") as file:
        file["learn"][:] = file["test"][:3]
    with pytest.raises(DatasetError, match="every training query is a test query, expected others"):
        training_queries(read_dataset(path))
