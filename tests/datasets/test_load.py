import os
import subprocess
import sys

import pytest
from ivfbench.datasets.catalogue import entry
from ivfbench.datasets.dataset import file_sha256
from ivfbench.datasets.drift import Drift
from ivfbench.datasets.errors import DatasetError, UnknownDataset
from ivfbench.datasets.load import cache_folder, load, locate, peek
from ivfbench.datasets.seal import write_seal


def test_a_path_is_read_where_it_is(dataset_file):
    path = dataset_file()
    for given in (path, str(path)):
        assert locate(given) == path
        assert load(given).name == peek(given).name == "small-5-euclidean"


def test_a_bare_name_with_a_suffix_is_a_path(dataset_file, monkeypatch):
    monkeypatch.chdir(dataset_file().parent)
    assert load("small-5-euclidean.hdf5").n == 60


@pytest.mark.parametrize("name", ["here/there", "none.hdf5", "none.h5"])
def test_a_path_that_is_not_there(name):
    with pytest.raises(DatasetError, match="no such file") as caught:
        load(name)
    assert not isinstance(caught.value, UnknownDataset)


def test_an_unknown_name(tmp_path):
    with pytest.raises(UnknownDataset, match="did you mean fashion-mnist-784-euclidean"):
        load("fashion-mnist", cache=tmp_path)


def cached(dataset_file, tmp_path):
    """A catalogue's file in the cache, as if it had been downloaded."""
    return dataset_file(name="yi-128-ip.hdf5", metric="ip"), tmp_path


def test_a_catalogue_name_comes_from_the_cache(dataset_file, tmp_path):
    path, cache = cached(dataset_file, tmp_path)
    dataset = load(entry("yi-128-ip").name, cache=cache)
    assert (dataset.path, dataset.name) == (path, "yi-128-ip")


def test_a_sealed_file_is_accepted_until_it_changes(dataset_file, tmp_path):
    path, cache = cached(dataset_file, tmp_path)
    write_seal(path, file_sha256(path))
    assert locate("yi-128-ip", cache=cache) == path
    os.utime(path, ns=(1, 1))  # touched, not changed
    assert locate("yi-128-ip", cache=cache) == path
    with path.open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(DatasetError, match="as downloaded"):
        load("yi-128-ip", cache=cache)


def test_a_broken_seal_says_so(dataset_file, tmp_path):
    _, cache = cached(dataset_file, tmp_path)
    (cache / "yi-128-ip.hdf5.sha256").write_text("?")
    with pytest.raises(DatasetError, match="not a record of a hash"):
        load("yi-128-ip", cache=cache)


def test_the_cache_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("IVFBENCH_DATA", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("IVFBENCH_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    assert cache_folder() == tmp_path / "user" / "ivfbench" / "datasets"


def test_drift_is_generated_once_and_read(tmp_path, monkeypatch):
    monkeypatch.setenv("IVFBENCH_DATA", str(tmp_path))
    seen = peek("drift")
    assert (seen.n, seen.dimension, seen.queries, seen.learn_count) == (50_000, 96, 2_000, 20_000)
    assert (seen.neighbors, seen.learn_neighbors, seen.synthetic) == (100, 10, True)
    told = []
    dataset = load("drift", progress=lambda *at: told.append(at))
    assert told == []  # it was there already
    assert dataset.name == "drift"
    assert dataset.path == tmp_path / Drift().file_name


def test_the_door_does_not_import_what_it_may_not_need():
    heavy = "{'pooch', 'requests', 'torch', 'pandas'}"
    code = f"import sys, ivfbench.datasets.load; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
