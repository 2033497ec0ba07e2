"""Files of every honest form are read, and read the same."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ivfbench.datasets import blocks, write
from ivfbench.datasets.distance import distances_to
from ivfbench.datasets.errors import DatasetError
from ivfbench.datasets.layout import describe
from ivfbench.datasets.metric import METRICS
from ivfbench.datasets.reader import read_dataset
from ivfbench.datasets.truth import exact_neighbors

NAMES = {"euclidean": "euclidean", "angular": "cosine", "normalized": "normalized", "ip": "dot", "manhattan": "taxicab"}


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_shapes_types_and_attributes_round_trip(tmp_path_factory, data):
    draw = data.draw
    n, d, q, m = (draw(st.integers(1, top)) for top in (40, 9, 6, 5))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    low = draw(st.sampled_from([0, -8]))
    kinds = ["f2", "f4", "f8", "i2", "i4", "i8", ">f4"] + (["u1", "u2"] if low == 0 else ["i1"])
    train, test, learn = (rng.integers(low, 9, (rows, d)).astype(draw(st.sampled_from(kinds))) for rows in (n, q, m))
    metric = draw(st.sampled_from(sorted(METRICS)))
    k = draw(st.integers(1, n))
    ids, distances = exact_neighbors(train.astype("f4"), test.astype("f4"), k, metric)
    with_distances, with_learn, with_labels = (draw(st.booleans()) for _ in range(3))
    told = draw(st.sets(st.sampled_from(["type", "point_type", "dimension", "distance"])))
    as_bytes = draw(st.booleans())

    path = tmp_path_factory.mktemp("round") / f"set-{d}-{NAMES[metric]}.hdf5"
    with h5py.File(path, "w") as file:
        chunks = draw(st.booleans())
        options = {"chunks": (min(7, n), d), "compression": "gzip"} if chunks else {}
        file.create_dataset("train", data=train, **options)
        file["test"] = test
        file["neighbors"] = ids.astype(draw(st.sampled_from(["i4", "i8", "u4"])))
        if with_distances:
            file["distances"] = distances.astype(draw(st.sampled_from(["f4", "f8"])))
        if with_learn:
            file["learn"] = learn
        if with_labels:
            file["learn_neighbors"] = np.zeros((m, 1), "u4")
        values = {"type": "dense", "point_type": "float", "dimension": d, "distance": NAMES[metric]}
        for key in told:
            value = values[key]
            file.attrs[key] = value.encode() if as_bytes and isinstance(value, str) else value

    dataset = read_dataset(path)
    assert (dataset.n, dataset.dimension, dataset.queries) == (n, d, q)
    assert (dataset.metric, dataset.name) == (metric, path.stem)
    for mine, stored in ((dataset.train, train), (dataset.test, test)):
        np.testing.assert_array_equal(mine, stored.astype("f4"))
        assert mine.dtype == np.float32
        assert mine.flags.c_contiguous
        assert not mine.flags.writeable
    np.testing.assert_array_equal(dataset.neighbors, ids)
    np.testing.assert_allclose(dataset.distances, distances, rtol=1e-6, atol=1e-7)
    assert dataset.neighbors.dtype == np.int32
    assert dataset.distances.dtype == np.float32
    assert (dataset.learn_count, dataset.has_learn) == ((m, True) if with_learn else (0, False))
    if with_learn:
        np.testing.assert_array_equal(dataset.learn, learn.astype("f4"))
    assert (dataset.learn_neighbors is not None) == (with_learn and with_labels)
    seen = describe(path)
    assert (seen.n, seen.dimension, seen.queries, seen.neighbors, seen.metric) == (n, d, q, k, metric)
    assert seen.dtypes["train"] == str(train.dtype)


def test_rows_stand_on_64_byte_boundaries(dataset_file):
    dataset = read_dataset(dataset_file())
    assert dataset.train.ctypes.data % 64 == 0
    assert dataset.test.ctypes.data % 64 == 0


def test_vectors_of_many_blocks(tmp_path, arrays):
    held = arrays(n=70_000, d=70, k=3, q=3)  # 20 MB of float32, two blocks, chunks that divide neither
    path = tmp_path / "wide-70-euclidean.hdf5"
    with h5py.File(path, "w") as file:
        for key, value in held.items():
            file.create_dataset(key, data=value, chunks=(3361, 12) if key == "train" else None)
    np.testing.assert_array_equal(read_dataset(path).train, held["train"])


def test_zero_queries_of_others_get_our_rule(tmp_path, arrays):
    held = arrays("angular")
    held["test"][2] = 0
    held["distances"] = held["distances"].copy()
    held["distances"][2] = np.nan
    path = tmp_path / "zeros-5-angular.hdf5"
    with h5py.File(path, "w") as file:
        for key, value in held.items():
            file[key] = value
    dataset = read_dataset(path)
    np.testing.assert_array_equal(dataset.distances[2], 1.0)


def test_ties_may_name_either_neighbour(tmp_path):
    train = np.array([[1, 0], [0, 1], [0, -1], [-1, 0], [9, 9]], "f4")
    path = tmp_path / "ties-2-euclidean.hdf5"
    with h5py.File(path, "w") as file:
        file["train"], file["test"] = train, np.zeros((1, 2), "f4")
        file["neighbors"] = np.array([[3, 1]])
    np.testing.assert_array_equal(read_dataset(path).neighbors, [[3, 1]])


def test_distances_left_out_are_computed(dataset_file):
    path = dataset_file()
    with h5py.File(path, "a") as file:
        del file["distances"]
    dataset = read_dataset(path)
    expected = distances_to(dataset.train, dataset.test, dataset.neighbors, "euclidean")
    np.testing.assert_allclose(dataset.distances, expected, rtol=1e-7)


def test_a_name_may_be_given(dataset_file):
    path = dataset_file(attributes={"synthetic": True, "description": "dice"})
    dataset = read_dataset(str(path), name="mine")
    assert (dataset.name, dataset.synthetic, dataset.description) == ("mine", True, "dice")
    assert dataset.path == Path(path)


def test_what_is_large_is_mapped(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "MAPPED_BYTES", 1000)
    rows = np.random.default_rng(3).standard_normal((50, 16)).astype(np.float32)
    path = tmp_path / "large.hdf5"
    with h5py.File(path, "w", alignment_threshold=1000, alignment_interval=64) as file:
        for name, filters in (("plain", {}), ("squeezed", {"compression": "gzip"}), ("pieces", {"chunks": (10, 16)})):
            file.create_dataset(name, data=rows, **filters)
        file.create_dataset("small", data=rows[:10])
        file.create_dataset("double", data=rows.astype(np.float64))
        bad = rows.copy()
        bad[7, 3] = np.nan
        file.create_dataset("bad", data=bad)
    with h5py.File(path) as file:
        for name in ("plain", "squeezed", "pieces", "small", "double"):
            found = blocks.read_vectors(file[name])
            assert isinstance(found, np.memmap) == (name == "plain"), name
            assert not found.flags.writeable
            assert found.ctypes.data % 64 == 0
            np.testing.assert_array_equal(found, rows[: len(found)])
        with pytest.raises(DatasetError, match="row 7, column 3"):
            blocks.read_vectors(file["bad"])


def test_what_is_written_large_can_be_mapped(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "MAPPED_BYTES", 1000)
    monkeypatch.setitem(write._ALIGNED, "alignment_threshold", 1000)
    train = np.random.default_rng(4).standard_normal((99, 5)).astype(np.float32)
    ids, distances = exact_neighbors(train, train[:9], 4, "euclidean")
    path = write.write_dataset(
        tmp_path / "large.hdf5", train=train, test=train[:9], metric="euclidean", neighbors=ids, distances=distances
    )  # fmt: skip
    found = read_dataset(path).train
    assert isinstance(found, np.memmap)
    np.testing.assert_array_equal(found, train)
