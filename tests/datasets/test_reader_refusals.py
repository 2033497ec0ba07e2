"""Every damage gives a `DatasetError` of one line, never another exception and never an answer."""

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ivfbench.datasets.errors import DatasetError
from ivfbench.datasets.layout import describe
from ivfbench.datasets.reader import read_dataset


def refused(path, *words):
    """Read a file that must not be read; the message holds the path and the words."""
    with pytest.raises(DatasetError) as caught:
        read_dataset(path)
    text = str(caught.value)
    assert "\n" not in text
    assert str(path) in text
    for word in words:  # the path holds the name of the test: words must stand outside of it
        assert word in text.replace(str(path), "")


def change(path, key, make):
    """Replace an array of the file by what `make` turns it into."""
    with h5py.File(path, "a") as file:
        value = make(file[key][...])
        del file[key]
        file[key] = value


def planted(place, value):
    def make(old):
        old[place] = value
        return old

    return make


def test_absent_file_and_folder(tmp_path):
    refused(tmp_path / "none.hdf5", "no such file")
    refused(tmp_path, "is not a file")


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html>", b"\x89HDF\r\n\x1a\n" + b"\0" * 600])
def test_not_hdf5(tmp_path, content):
    path = tmp_path / "page-2-ip.hdf5"
    path.write_bytes(content)
    refused(path, "not a readable HDF5 file")


@settings(deadline=None, max_examples=80)
@given(share=st.floats(0, 1, exclude_max=True))
def test_truncated_anywhere(tmp_path_factory, share):
    path = tmp_path_factory.mktemp("cut") / "cut-6-euclidean.hdf5"
    with h5py.File(path, "w") as file:
        for key in ("train", "test"):
            file[key] = np.arange(60, dtype="f4").reshape(10, 6)
        file["neighbors"] = np.arange(10).reshape(10, 1)
        file["distances"] = np.zeros((10, 1))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    refused(path)


@pytest.mark.parametrize("key", ["train", "test", "neighbors"])
def test_dropped_key(dataset_file, key):
    path = dataset_file()
    with h5py.File(path, "a") as file:
        del file[key]
    refused(path, repr(key), "is missing")


@pytest.mark.parametrize("key", ["train", "test", "neighbors", "distances", "learn", "learn_neighbors"])
@pytest.mark.parametrize(
    "make",
    [
        lambda old: old[0],
        lambda old: old[None],
        lambda old: old[:0],
        lambda old: old[:, :0],
        lambda old: old[0, 0],
    ],
    ids=["vector", "cube", "no rows", "no columns", "scalar"],
)
def test_wrong_rank_or_empty(dataset_file, key, make):
    path = dataset_file()
    change(path, key, make)
    refused(path, repr(key), "shape")


@pytest.mark.parametrize("key", ["test", "learn"])
def test_other_dimension(dataset_file, key):
    path = dataset_file()
    change(path, key, lambda old: old[:, 1:])
    refused(path, repr(key), "4 columns", "expected 5")


@pytest.mark.parametrize(("key", "of"), [("neighbors", "test"), ("learn_neighbors", "learn")])
def test_other_number_of_queries(dataset_file, key, of):
    path = dataset_file()
    change(path, key, lambda old: old[1:])
    refused(path, repr(key), repr(of))


def test_distances_of_another_shape(dataset_file):
    path = dataset_file()
    change(path, "distances", lambda old: old[:, 1:])
    refused(path, "'distances'", "(8, 6)", "(8, 7)")


def test_more_neighbours_than_vectors(dataset_file):
    path = dataset_file(n=7)
    change(path, "train", lambda old: old[:5])
    refused(path, "7 columns", "5 rows")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("key", ["train", "test"])
def test_first_row_that_is_not_finite_is_named(dataset_file, key, value):
    path = dataset_file()
    change(path, key, lambda old: planted(([3, 6], 2), value)(old.astype("f8")))
    refused(path, f"{key!r} row 3, column 2", "finite")


def test_training_queries_are_checked_when_asked_for(dataset_file):
    path = dataset_file()
    change(path, "learn", planted((4, 1), np.nan))
    change(path, "learn_neighbors", planted((1, 2), 60))
    dataset = read_dataset(path)
    with pytest.raises(DatasetError, match="'learn' row 4, column 1"):
        _ = dataset.learn
    with pytest.raises(DatasetError, match="'learn_neighbors' row 1, rank 2: found id 60"):
        _ = dataset.learn_neighbors


@pytest.mark.parametrize("value", [-1, 60, 2**31 + 5])
def test_id_out_of_range(dataset_file, value):
    path = dataset_file()
    change(path, "neighbors", lambda old: planted((2, 3), value)(old.astype("i8")))
    refused(path, "'neighbors' row 2, rank 3", f"found id {value}", "0 .. 59")


def test_id_named_twice(dataset_file):
    path = dataset_file()
    change(path, "neighbors", lambda old: planted((2, 3), old[2, 1])(old))
    refused(path, "row 2", "twice")


@pytest.mark.parametrize("metric", ["euclidean", "angular", "normalized", "ip", "manhattan"])
@settings(deadline=None, max_examples=15)
@given(row=st.integers(0, 7), rank=st.integers(0, 5), seed=st.integers(0, 1000))
def test_swapped_neighbours(tmp_path_factory, metric, row, rank, seed):
    from ivfbench.datasets.truth import exact_neighbors

    rng = np.random.default_rng(seed)
    train, test = rng.normal(size=(50, 5)).astype("f4"), rng.normal(size=(8, 5)).astype("f4")
    ids, distances = exact_neighbors(train, test, 8, metric)
    if distances[row, 7] - distances[row, rank] < 0.01:
        return  # a tie: swapping it is no damage
    ids[row, [rank, 7]] = ids[row, [7, rank]]
    path = tmp_path_factory.mktemp("swap") / f"swap-5-{metric}.hdf5"
    with h5py.File(path, "w") as file:
        file["train"], file["test"], file["neighbors"], file["distances"] = train, test, ids, distances
    refused(path, f"query {row}, rank {rank}", "found id", "expected id")


def test_a_missed_neighbour(dataset_file):
    path = dataset_file(n=300)
    change(
        path,
        "neighbors",
        lambda old: planted((5, 6), next(set(range(300)).difference(old[5]).__iter__()))(old),
    )
    refused(path, "query 5, rank 6")


def test_squared_distances_are_found_out(dataset_file):
    path = dataset_file()
    change(path, "distances", np.square)
    refused(path, "'distances' of query 0, rank 0", "euclidean")


def test_descending_distances(dataset_file):
    path = dataset_file()
    change(path, "distances", lambda old: old[:, ::-1])
    refused(path, "'distances' of query 0", "nearest first")


def test_distances_that_are_not_finite(dataset_file):
    path = dataset_file(metric="angular")
    change(path, "distances", planted((1, 6), np.nan))
    refused(path, "'distances' row 1")


def test_check_can_be_left_out(dataset_file):
    path = dataset_file()
    change(path, "distances", np.square)
    assert read_dataset(path, check=False).n == 60


@pytest.mark.parametrize(
    ("attributes", "word"),
    [
        ({"type": "sparse"}, "sparse"),
        ({"point_type": "bit"}, "hamming"),
        ({"point_type": "binary"}, "hamming"),
        ({"distance": "hamming"}, "hamming"),
        ({"distance": "jaccard"}, "jaccard"),
        ({"distance": "cosin"}, "did you mean 'cosine'"),
        ({"dimension": 6}, "'dimension' says 6"),
    ],
)
def test_attributes_of_another_world(dataset_file, attributes, word):
    refused(dataset_file(attributes=attributes), word)


def test_bits_are_refused(dataset_file):
    path = dataset_file()
    change(path, "train", lambda old: old > 0)
    refused(path, "hamming")


@pytest.mark.parametrize("make", [lambda old: old.astype("S4"), lambda old: old.astype("c8")])
def test_types_that_are_no_numbers(dataset_file, make):
    path = dataset_file()
    change(path, "test", make)
    refused(path, "'test' has dtype")


def test_no_metric_anywhere(dataset_file):
    path = dataset_file(name="vectors.hdf5")
    with h5py.File(path, "a") as file:
        del file.attrs["distance"]
    refused(path, "set the file's attribute 'distance'")


def outside(tmp_path):
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file["train"] = np.zeros((60, 5), "f4")
    return other


def test_external_link(dataset_file, tmp_path):
    path, other = dataset_file(), outside(tmp_path)
    with h5py.File(path, "a") as file:
        del file["train"]
        file["train"] = h5py.ExternalLink(other, "train")
    refused(path, "'train' is a link to another file")


def test_external_link_behind_a_soft_link(dataset_file, tmp_path):
    path, other = dataset_file(), outside(tmp_path)
    with h5py.File(path, "a") as file:
        del file["train"]
        file["there"] = h5py.ExternalLink(other, "/")
        file["train"] = h5py.SoftLink("/there/train")
    refused(path, "another file")


def test_virtual_dataset(dataset_file, tmp_path):
    path, other = dataset_file(), outside(tmp_path)
    layout = h5py.VirtualLayout((60, 5), "f4")
    layout[:] = h5py.VirtualSource(other, "train", (60, 5))
    with h5py.File(path, "a") as file:
        del file["train"]
        file.create_virtual_dataset("train", layout)
    refused(path, "virtual")


def test_external_storage(dataset_file, tmp_path):
    path = dataset_file()
    with h5py.File(path, "a") as file:
        del file["train"]
        file.create_dataset("train", (60, 5), "f4", external=[(str(tmp_path / "raw.bin"), 0, 60 * 5 * 4)])
    refused(path, "another file")


def test_group_and_dangling_link(dataset_file):
    path = dataset_file()
    with h5py.File(path, "a") as file:
        del file["train"]
        file.create_group("train")
        del file["distances"]
        file["distances"] = h5py.SoftLink("/nowhere")
    refused(path, "'train' is a group")
    with h5py.File(path, "a") as file:
        del file["train"]
        file["train"] = np.zeros((60, 5))
    refused(path, "'distances' is a dangling link")


def test_describe_refuses_the_same_way(dataset_file):
    path = dataset_file()
    change(path, "neighbors", lambda old: old[1:])
    with pytest.raises(DatasetError, match="'neighbors' has 7 rows, expected 8"):
        describe(path)
