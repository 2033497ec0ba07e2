import numpy as np
import pytest
from ivfbench.datasets.errors import DatasetError
from ivfbench.datasets.layout import describe
from ivfbench.datasets.make import make_dataset
from ivfbench.datasets.reader import read_dataset
from ivfbench.datasets.verify import verify


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    paths = {}
    for key, rows in (("base", 90), ("queries", 6), ("learn", 11)):
        paths[key] = tmp_path / f"{key}.npy"
        np.save(paths[key], rng.integers(0, 200, (rows, 4)).astype("f4"))
    return paths


def test_made_files_verify(files, tmp_path):
    told = []
    path = make_dataset(
        tmp_path / "mine.hdf5",
        **files,
        metric="cosine",
        k=12,
        learn_k=3,
        progress=lambda *at: told.append(at),
    )
    report = verify(path)
    assert (report.queries_checked, report.learn_checked) == (6, 11)
    dataset = read_dataset(path)
    assert dataset.metric == "angular"
    assert (dataset.neighbors.shape, dataset.learn_neighbors.shape) == ((6, 12), (11, 3))
    assert told[-1] == (17, 17)


def test_k_is_held_to_the_size_of_the_base(files, tmp_path):
    path = make_dataset(tmp_path / "mine.hdf5", files["base"], files["queries"], "euclidean")
    seen = describe(path)
    assert (seen.neighbors, seen.learn_count) == (90, 0)


def test_the_ground_truth_is_that_of_the_stored_values(files, tmp_path):
    np.save(files["base"], np.load(files["base"]) / 7 + 1000)  # float16 keeps half-integers here
    path = make_dataset(tmp_path / "mine.hdf5", **files, metric="euclidean", k=10, dtype="float16")
    assert describe(path).dtypes["train"] == "float16"
    assert verify(path).vectors == 90


def test_manhattan_goes_from_making_to_reading(files, tmp_path):
    path = make_dataset(tmp_path / "mine.hdf5", **files, metric="cityblock", k=12, learn_k=3)
    assert verify(path).queries_checked == 6
    dataset = read_dataset(path)
    apart = np.abs(dataset.test[:, None] - dataset.train[None]).sum(axis=2)  # of small whole numbers: exact
    assert dataset.metric == "manhattan"
    np.testing.assert_array_equal(dataset.distances, np.sort(apart, axis=1)[:, :12])


@pytest.mark.parametrize(
    ("dtype", "word"), [("int8", "do not fit int8"), ("complex64", "cannot store"), ("f", "store")]
)
def test_types_that_lose_values(files, tmp_path, dtype, word):
    with pytest.raises(DatasetError, match=word):
        make_dataset(tmp_path / "mine.hdf5", **files, metric="ip", dtype=dtype)
    assert not (tmp_path / "mine.hdf5").exists()


def test_inputs_that_do_not_fit(files, tmp_path):
    np.save(files["queries"], np.ones((3, 5)))
    with pytest.raises(DatasetError, match=r"queries\.npy: 5 columns, expected 4"):
        make_dataset(tmp_path / "mine.hdf5", **files, metric="ip")
    np.save(files["base"], np.full((3, 4), np.nan))
    with pytest.raises(DatasetError, match=r"base\.npy: row 0 is not finite"):
        make_dataset(tmp_path / "mine.hdf5", **files, metric="ip")
    with pytest.raises(DatasetError, match="at least 1"):
        make_dataset(tmp_path / "mine.hdf5", **files, metric="ip", k=0)
