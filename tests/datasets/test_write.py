import h5py
import numpy as np
import pytest
from ivfbench.datasets.errors import DatasetError
from ivfbench.datasets.reader import read_dataset
from ivfbench.datasets.write import replacing, write_dataset


def test_attributes_of_both_worlds_and_narrow_types(tmp_path, arrays):
    held = arrays("angular")
    held["neighbors"] = held["neighbors"].astype("i8")
    held["distances"] = held["distances"].astype("f8")
    path = write_dataset(tmp_path / "new" / "a.hdf5", metric="cosine", attributes={"seed": 3}, **held)
    with h5py.File(path) as file:
        told = dict(file.attrs)
        types = {key: str(file[key].dtype) for key in file}
    assert told == {"type": "dense", "point_type": "float", "distance": "angular", "dimension": 5, "seed": 3}
    assert types["neighbors"] == types["learn_neighbors"] == "int32"
    assert types["distances"] == "float32"
    np.testing.assert_array_equal(read_dataset(path).train, held["train"])


def test_the_old_file_survives_a_failed_write(tmp_path):
    path = tmp_path / "kept.txt"
    path.write_text("old")

    def fail():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["kept.txt"]


def test_replacing_is_one_step(tmp_path):
    path = tmp_path / "kept.txt"
    path.write_text("old")
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert temporary.parent == path.parent
    assert path.read_text() == "new"


@pytest.mark.parametrize(
    ("key", "word"),
    [("test", "'test'"), ("learn", "'learn'"), ("neighbors", "'neighbors'"), ("distances", "'distances'")],
)
def test_shapes_that_disagree(tmp_path, arrays, key, word):
    held = arrays()
    held[key] = held[key][1:, 1:]
    with pytest.raises(DatasetError, match=word):
        write_dataset(tmp_path / "a.hdf5", metric="ip", **held)
    assert list(tmp_path.iterdir()) == []


def test_learn_neighbors_need_learn(tmp_path, arrays):
    held = arrays()
    del held["learn"]
    with pytest.raises(DatasetError, match="'learn_neighbors'"):
        write_dataset(tmp_path / "a.hdf5", metric="ip", **held)


def test_a_folder_that_cannot_be(tmp_path, arrays):
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match="cannot be written"):
        write_dataset(tmp_path / "file" / "a.hdf5", metric="ip", **arrays())
