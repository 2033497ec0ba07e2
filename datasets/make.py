"""A dataset out of somebody's own vectors: read, search exactly, write."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .complete import complete_dataset
from .errors import DatasetError
from .learn import not_among
from .metric import canonical_metric
from .truth import Progress
from .vectors import read_vectors_file

_TYPES = ("float16", "float32", "float64", "uint8", "int8")


def make_dataset(
    output: str | Path,
    base: str | Path,
    queries: str | Path,
    metric: str,
    learn: str | Path | None = None,
    k: int = 100,
    learn_k: int = 10,
    dtype: str | None = None,
    progress: Progress | None = None,
) -> Path:
    """Make a dataset file from files of vectors.

    Parameters
    ----------
    output
        The HDF5 file to write.
    base, queries
        Vector files (see `vectors`): the database and the test queries.
    metric
        Any name `canonical_metric` understands.
    learn
        A file of training queries, optional.
    k, learn_k
        True neighbours per test query and per training query; at most the size of the database is stored.
    dtype
        Type to store vectors in: float16, float32, float64, uint8, int8; as found by default. The ground
        truth is that of the values stored.
    progress
        Called with (queries searched, queries in all).

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    DatasetError
        If an input is unreadable, holds what is not finite, or does not fit the others or the type.
    """
    metric = canonical_metric(metric)
    if k < 1 or learn_k < 1:
        raise DatasetError(f"cannot search k={k}, learn_k={learn_k} neighbours: expected at least 1")
    train = _stored(base, dtype)
    test = _stored(queries, dtype, train)
    learned = None if learn is None else _stored(learn, dtype, train)
    if learn is not None and learned is not None and (repeated := len(learned) - len(not_among(learned, test))):
        raise DatasetError(
            f"{learn}: {repeated} of its rows are test queries too, expected none: nothing may learn them"
        )
    return complete_dataset(
        output, train=train, test=test, learn=learned, metric=metric, k=k, learn_k=learn_k, progress=progress
    )


def _stored(path: str | Path, dtype: str | None, like: npt.NDArray[Any] | None = None) -> npt.NDArray[Any]:
    """Read a vector file and bring it to the type it will be stored in."""
    rows = read_vectors_file(path)
    if like is not None and rows.shape[1] != like.shape[1]:
        raise DatasetError(f"{path}: {rows.shape[1]} columns, expected {like.shape[1]} as in the base")
    if dtype is not None and dtype not in _TYPES:
        raise DatasetError(f"cannot store vectors as {dtype!r}: expected one of {', '.join(_TYPES)}")
    with np.errstate(over="ignore", invalid="ignore"):
        out = np.ascontiguousarray(rows, dtype=dtype)
        back = out.astype(np.float32)
    bad = np.flatnonzero(~np.isfinite(back).all(axis=1))
    if bad.size:
        raise DatasetError(f"{path}: row {bad[0]} is not finite as {out.dtype}")
    if out.dtype.kind in "iu" and not np.array_equal(back, rows):
        raise DatasetError(f"{path}: its values do not fit {out.dtype}")
    return out
