"""The tolerant reader: what others published becomes a `Dataset`, or one clear line says why not.

Tolerant in form: stored types, missing attributes, left-out distances. Strict in substance: a vector that is
not finite, an id that is no row, or a ground truth that a fresh search contradicts is refused, because every
figure computed from it would be wrong without a sign.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .blocks import read_ids, read_vectors
from .dataset import Dataset, file_stamp
from .distance import distances_to
from .errors import DatasetError
from .ground_truth_check import check_ground_truth
from .hdf5 import open_hdf5, stored
from .layout import Description, describe_open

_SAMPLE = 20
_SAMPLE_SEED = 20_260

_Matrix = npt.NDArray[np.float32]


def read_dataset(path: str | Path, name: str | None = None, check: bool = True) -> Dataset:
    """Read a dataset in the HDF5 layout of ann-benchmarks and VIBE.

    Parameters
    ----------
    path
        The file. Vectors may be stored as float16/32/64 or any integer type, ids as any integer type; the
        attributes ``type``, ``point_type``, ``dimension`` and ``distance`` may be missing, the last where the
        name of the file tells the metric (``glove-200-cosine.hdf5``); ``distances``, ``learn`` and
        ``learn_neighbors`` are optional.
    name
        What results call it; the file's stem by default.
    check
        Search 20 seeded test queries again and compare with the stored ground truth.

    Returns
    -------
    Dataset
        Float32, read-only; training queries are left in the file until they are asked for.

    Raises
    ------
    DatasetError
        If the file is unreadable, of another kind, inconsistent, or wrong; the message is one line.
    """
    path = Path(path)
    with open_hdf5(path) as file:
        stamp = file_stamp(path)
        told = describe_open(file, path, name)
        train = read_vectors(stored(file, "train", "fiu"))
        test = read_vectors(stored(file, "test", "fiu"))
        neighbors = read_ids(stored(file, "neighbors", "iu"), told.n)
        distances = _distances(file, told, train, test, neighbors)
    if check:
        _refuse_disorder(path, distances)
        rows = sample_rows(told.queries, _SAMPLE)
        check_ground_truth(path, train, test, neighbors, distances, told.metric, rows)
    return Dataset(
        name=told.name,
        metric=told.metric,
        train=train,
        test=test,
        neighbors=neighbors,
        distances=distances,
        path=path,
        stamp=stamp,
        learn_count=told.learn_count,
        has_learn_neighbors=told.learn_neighbors > 0,
        synthetic=told.synthetic,
        description=told.description,
    )


def sample_rows(count: int, sample: int | None) -> npt.NDArray[np.int64]:
    """Choose which queries to check, the same ones every time: all of them, or a seeded sample in order."""
    if sample is None or sample >= count:
        return np.arange(count, dtype=np.int64)
    chosen = np.random.default_rng(_SAMPLE_SEED).choice(count, size=sample, replace=False)
    return np.sort(chosen).astype(np.int64)


def _distances(
    file: Any, told: Description, train: _Matrix, test: _Matrix, neighbors: npt.NDArray[np.int32]
) -> _Matrix:
    """Read the stored distances, or compute them where the file has none."""
    if "distances" not in told.dtypes:
        out = distances_to(train, test, neighbors, told.metric).astype(np.float32)
        out.flags.writeable = False
        return out
    with np.errstate(over="ignore"):
        out = np.ascontiguousarray(stored(file, "distances", "fiu")[...], dtype=np.float32)
    bad = np.flatnonzero(~np.isfinite(out).all(axis=1))
    if told.metric == "angular" and bad.size:
        # Others divide by the length of a zero query and store NaN; by our rule its distances are all 1.
        zero = bad[~test[bad].any(axis=1)]
        out[zero] = 1.0
        bad = np.setdiff1d(bad, zero)
    if bad.size:
        raise DatasetError(f"{told.path}: 'distances' row {bad[0]}: holds NaN or infinity, expected finite numbers")
    out.flags.writeable = False
    return out


def _refuse_disorder(path: Path, distances: _Matrix) -> None:
    slack = 1e-4 * np.abs(distances).max(axis=1, keepdims=True) + 1e-6
    falls = np.argwhere(distances[:, 1:] < distances[:, :-1] - slack)
    if falls.size:
        row, rank = (int(place) for place in falls[0])
        raise DatasetError(
            f"{path}: 'distances' of query {row}: {distances[row, rank + 1]:.9g} at rank {rank + 1} follows"
            f" {distances[row, rank]:.9g}, expected nearest first"
        )
