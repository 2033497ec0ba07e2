"""Writing a dataset so that both suites, and nothing half-finished, can read it.

The file appears under its name only when it is complete: it is written beside it, flushed to the disk and
renamed. Ids are int32 and distances float32, the narrow types that every known reader of this layout accepts.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from .blocks import MAPPED_BYTES
from .errors import DatasetError
from .metric import canonical_metric

Attribute = str | int | float | bool
_ALIGNED = {"alignment_threshold": MAPPED_BYTES, "alignment_interval": 64}  # so that `blocks` may map what is large


def write_dataset(
    path: str | Path,
    *,
    train: npt.NDArray[np.generic],
    test: npt.NDArray[np.generic],
    metric: str,
    neighbors: npt.NDArray[np.integer],
    distances: npt.NDArray[np.floating],
    learn: npt.NDArray[np.generic] | None = None,
    learn_neighbors: npt.NDArray[np.integer] | None = None,
    attributes: Mapping[str, Attribute] | None = None,
    labels: Mapping[str, Sequence[str]] | None = None,
) -> Path:
    """Write a dataset file, whole or not at all.

    Parameters
    ----------
    path
        Where; an existing file is replaced in one step.
    train, test
        (n, d) and (q, d), stored in the type they have.
    metric
        Any name `canonical_metric` understands.
    neighbors, distances
        (q, K), stored as int32 and float32.
    learn, learn_neighbors
        (m, d) and (m, K'), optional.
    attributes
        Further root attributes: ``description``, ``synthetic``, ``seed``, ...
    labels
        Further arrays of text, one entry per row of what they name: ``train_ids``, ``test_ids``, ...; readers of this
        layout pass over them.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    DatasetError
        If the shapes disagree or the file cannot be written.
    """
    arrays: dict[str, npt.NDArray[np.generic]] = {
        "train": train,
        "test": test,
        "neighbors": neighbors.astype(np.int32, copy=False),
        "distances": distances.astype(np.float32, copy=False),
    }
    if learn is not None:
        arrays["learn"] = learn
    if learn_neighbors is not None:
        arrays["learn_neighbors"] = learn_neighbors.astype(np.int32, copy=False)
    _check({key: array.shape for key, array in arrays.items()})
    attached: dict[str, Attribute] = {
        "type": "dense",
        "point_type": "float",
        "distance": canonical_metric(metric),
        "dimension": int(train.shape[1]),
        **(attributes or {}),
    }
    with replacing(Path(path)) as temporary, h5py.File(temporary, "w", **_ALIGNED) as file:
        file.attrs.update(attached)
        for key, array in arrays.items():
            file.create_dataset(key, data=array)
        for key, texts in (labels or {}).items():
            file.create_dataset(key, data=list(texts), dtype=h5py.string_dtype())
    return Path(path)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder that takes the place of `path` when the block succeeds.

    Parameters
    ----------
    path
        The file to create or replace; its folder is created.

    Yields
    ------
    pathlib.Path
        Where to write. It is removed when the block fails.

    Raises
    ------
    DatasetError
        If the folder or the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be written: {error.strerror}") from error
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        _flush(temporary)
        temporary.replace(path)
        _flush(path.parent)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _check(shapes: Mapping[str, tuple[int, ...]]) -> None:
    for key, shape in shapes.items():
        if len(shape) != 2 or 0 in shape:
            raise DatasetError(f"cannot write {key!r} of shape {shape}: expected a matrix with rows and columns")
    for key, of, axis in (
        ("test", "train", 1),
        ("learn", "train", 1),
        ("neighbors", "test", 0),
        ("learn_neighbors", "learn", 0),
    ):
        if key in shapes and (of not in shapes or shapes[key][axis] != shapes[of][axis]):
            raise DatasetError(f"cannot write {key!r} of shape {shapes[key]} with {of!r} of {shapes.get(of)}")
    if shapes["distances"] != shapes["neighbors"]:
        raise DatasetError(
            f"cannot write 'distances' of {shapes['distances']} with 'neighbors' of {shapes['neighbors']}"
        )
