"""What a file says about itself, before any vector is read.

Two suites publish datasets in one HDF5 layout and disagree in the details: attributes that are missing in old
files, bytes for text, ids in three integer widths, distances left out. This file knows those details and
settles each one way; `describe` offers the result by itself, for listings and for planning memory.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import DatasetError
from .hdf5 import attributes, open_hdf5, stored
from .metric import canonical_metric, metric_from_name


@dataclass(frozen=True)
class Description:
    """The shape of a dataset file.

    Attributes
    ----------
    path, bytes
        The file and its size.
    name, metric, description, synthetic
        As in `Dataset`.
    n, dimension, queries, neighbors
        Database vectors, coordinates, test queries, true neighbours stored per test query (K).
    learn_count, learn_neighbors
        Training queries and true neighbours stored per training query; 0 where absent.
    dtypes
        Stored type of each array, as ``{"train": "float16", ...}``.
    attributes
        The file's own attributes.
    """

    path: Path
    bytes: int
    name: str
    metric: str
    n: int
    dimension: int
    queries: int
    neighbors: int
    learn_count: int
    learn_neighbors: int
    synthetic: bool
    description: str
    dtypes: dict[str, str]
    attributes: dict[str, str | int | float | bool]


def describe(path: str | Path, name: str | None = None) -> Description:
    """Describe a dataset file without loading its vectors.

    Parameters
    ----------
    path
        An HDF5 file.
    name
        What to call it; the file's stem by default.

    Returns
    -------
    Description
        Shapes, types, metric and attributes.

    Raises
    ------
    DatasetError
        If the file is not a dense dataset of the known layout.
    """
    path = Path(path)
    with open_hdf5(path) as file:
        return describe_open(file, path, name)


def describe_open(file: Any, path: Path, name: str | None = None) -> Description:
    """Describe an open file; see `describe`."""
    told = attributes(file)
    _refuse_other_kinds(path, told)
    metric = _metric(path, told)
    items = {key: stored(file, key, "fiu") for key in ("train", "test")}
    items["neighbors"] = stored(file, "neighbors", "iu")
    for key, kinds in (("distances", "fiu"), ("learn", "fiu"), ("learn_neighbors", "iu")):
        if file.get(key, getlink=True) is not None:
            items[key] = stored(file, key, kinds)
    _check_shapes(path, {key: tuple(item.shape) for key, item in items.items()}, told)
    learned = items.get("learn_neighbors") if "learn" in items else None
    return Description(
        path=path,
        bytes=path.stat().st_size,
        name=path.stem if name is None else name,
        metric=metric,
        n=items["train"].shape[0],
        dimension=items["train"].shape[1],
        queries=items["test"].shape[0],
        neighbors=items["neighbors"].shape[1],
        learn_count=items["learn"].shape[0] if "learn" in items else 0,
        learn_neighbors=learned.shape[1] if learned is not None else 0,
        synthetic=bool(told.get("synthetic", False)),
        description=str(told.get("description", "")),
        dtypes={key: str(item.dtype) for key, item in items.items()},
        attributes=told,
    )


def _refuse_other_kinds(path: Path, told: dict[str, Any]) -> None:
    if str(told.get("type", "dense")) != "dense":
        raise DatasetError(f"{path}: holds {told['type']} data; only dense vectors are supported")
    if str(told.get("point_type", "float")) in ("bit", "binary"):
        raise DatasetError(f"{path}: holds bits; hamming and jaccard distances are not supported")


def _metric(path: Path, told: dict[str, Any]) -> str:
    try:
        metric = canonical_metric(told["distance"]) if "distance" in told else metric_from_name(path.stem)
    except DatasetError as error:
        raise DatasetError(f"{path}: {error}") from None
    if metric is None:
        raise DatasetError(
            f"{path}: does not say its metric: set the file's attribute 'distance', or name the file"
            " <name>-<dimension>-<metric>.hdf5"
        )
    return metric


def _check_shapes(path: Path, shapes: dict[str, tuple[int, int]], told: dict[str, Any]) -> None:
    n, d = shapes["train"]
    if n > 2**31 - 1:
        raise DatasetError(f"{path}: 'train' has {n} rows, expected at most {2**31 - 1}")
    if isinstance(told.get("dimension"), int | float) and told["dimension"] != d:
        raise DatasetError(f"{path}: 'train' has {d} columns, but attribute 'dimension' says {told['dimension']}")
    for key in ("test", "learn"):
        if key in shapes and shapes[key][1] != d:
            raise DatasetError(f"{path}: {key!r} has {shapes[key][1]} columns, expected {d} as in 'train'")
    for key, of in (("neighbors", "test"), ("learn_neighbors", "learn")):
        if key in shapes and of in shapes and shapes[key][0] != shapes[of][0]:
            raise DatasetError(f"{path}: {key!r} has {shapes[key][0]} rows, expected {shapes[of][0]} as in {of!r}")
        if key in shapes and shapes[key][1] > n:
            raise DatasetError(f"{path}: {key!r} has {shapes[key][1]} columns, but 'train' only {n} rows")
    if "distances" in shapes and shapes["distances"] != shapes["neighbors"]:
        raise DatasetError(
            f"{path}: 'distances' has shape {shapes['distances']}, 'neighbors' has {shapes['neighbors']}"
        )
