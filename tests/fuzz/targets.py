"""What is fuzzed: four readers of what others wrote, each as a function of bytes.

A target returns when the reader gave an answer or an error of ours in one line. Whatever else happens is a defect:
another exception, a crash, a hang, more memory than the input deserves.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from ivfbench.datasets.errors import DatasetError
from ivfbench.datasets.reader import read_dataset
from ivfbench.datasets.vectors import FORMATS, read_vectors_file
from ivfbench.results.errors import ResultError
from ivfbench.results.readable import check_heaps
from ivfbench.results.run import STATUSES
from ivfbench.results.store import load_run
from ivfbench.runner.errors import RunError
from ivfbench.runner.experiment import expand, parse_experiment

MEMORY_DISK = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
FOLDER = Path(tempfile.mkdtemp(prefix="ivfbench-fuzz-", dir=MEMORY_DISK))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)


def _put(name: str, data: bytes) -> Path:
    (FOLDER / "input").mkdir(exist_ok=True)
    path = FOLDER / "input" / name
    path.write_bytes(data)
    return path


def _refused(error: Exception) -> None:
    said = str(error)
    assert said, "found an empty message, expected one line"
    assert "\n" not in said, f"found several lines, expected one: {said!r}"
    assert len(said) < 2000, f"found a message of {len(said)} characters"


def dataset(data: bytes) -> None:
    """Everything of a dataset is read, its training queries too."""
    path = _put("some-4-euclidean.hdf5", data)
    try:
        check_heaps(path)
    except ResultError:
        return  # HDF5 might never return from it: this is what `datasets.isolated` is for, and its tests
    try:
        found = read_dataset(path)
        assert found.train.shape == (found.n, found.dimension)
        assert found.learn is None or found.learn.shape[1] == found.dimension
        assert found.learn_neighbors is None or found.learn_neighbors.max() < found.n
    except DatasetError as error:
        _refused(error)


def vectors(data: bytes) -> None:
    """The first byte chooses the format."""
    if not data:
        return
    try:
        rows = read_vectors_file(_put(f"rows{FORMATS[data[0] % len(FORMATS)]}", data[1:]))
        assert rows.ndim == 2
        assert rows.size
        rows.sum(dtype="float64")  # every page of the mapping is there
    except DatasetError as error:
        _refused(error)


def experiment(data: bytes) -> None:
    """The text is parsed and every algorithm of its grids is made."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return
    try:
        for spelled in parse_experiment(text, "some.yml").algorithms:
            for algorithm, _ in expand(spelled):
                assert repr(algorithm)
    except RunError as error:
        _refused(error)


def result(data: bytes) -> None:
    """A whole run is read and checked."""
    try:
        run = load_run(_put("some.hdf5", data))
        assert run.status in STATUSES
    except ResultError as error:
        _refused(error)


TARGETS = {"dataset": dataset, "vectors": vectors, "experiment": experiment, "result": result}
