"""The whole check of a file, for whoever has time: structure, values, and the ground truth of every query.

Reading a dataset searches a few queries again. This searches all of them, the training queries too, and
reports what was looked at together with the file's hash, so that a result can say exactly which bytes it
stands on.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .dataset import Dataset
from .ground_truth_check import check_ground_truth
from .reader import read_dataset, sample_rows
from .seal import check_seal
from .truth import Progress

_BATCH = 256


@dataclass(frozen=True)
class Verification:
    """What was verified, and of which file.

    Attributes
    ----------
    path, sha256
        The file and the hash of its bytes.
    vectors, dimension
        Database vectors, all finite, and their coordinates.
    queries, queries_checked
        Test queries, and how many were searched again.
    learn_queries, learn_checked
        The same for training queries; 0 checked where the file has no neighbours for them.
    """

    path: Path
    sha256: str
    vectors: int
    dimension: int
    queries: int
    queries_checked: int
    learn_queries: int
    learn_checked: int


def verify(path: str | Path, sample: int | None = None, progress: Progress | None = None) -> Verification:
    """Check a dataset file completely.

    Parameters
    ----------
    path
        The file.
    sample
        How many test queries, and how many training queries, to search again; all by default.
    progress
        Called with (queries searched, queries in all).

    Returns
    -------
    Verification
        Counts and the hash.

    Raises
    ------
    DatasetError
        At the first thing that is wrong.
    """
    path = Path(path)
    check_seal(path, always=True)
    dataset = read_dataset(path, check=True)
    learn, learn_neighbors = dataset.learn, dataset.learn_neighbors
    rows = sample_rows(dataset.queries, sample)
    learn_rows = sample_rows(dataset.learn_count if learn_neighbors is not None else 0, sample)
    total = len(rows) + len(learn_rows)
    _check(dataset, dataset.test, dataset.neighbors, dataset.distances, rows, "neighbors", 0, total, progress)
    if learn is not None and learn_neighbors is not None:
        _check(dataset, learn, learn_neighbors, None, learn_rows, "learn_neighbors", len(rows), total, progress)
    return Verification(
        path=path,
        sha256=dataset.sha256,
        vectors=dataset.n,
        dimension=dataset.dimension,
        queries=dataset.queries,
        queries_checked=len(rows),
        learn_queries=dataset.learn_count,
        learn_checked=len(learn_rows),
    )


def _check(
    dataset: Dataset,
    queries: npt.NDArray[np.float32],
    neighbors: npt.NDArray[np.int32],
    distances: npt.NDArray[np.float32] | None,
    rows: npt.NDArray[np.int64],
    of: str,
    before: int,
    total: int,
    progress: Progress | None,
) -> None:
    for start in range(0, len(rows), _BATCH):
        part = rows[start : start + _BATCH]
        check_ground_truth(dataset.path, dataset.train, queries, neighbors, distances, dataset.metric, part, of=of)
        if progress is not None:
            progress(before + start + len(part), total)
