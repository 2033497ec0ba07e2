"""Opening HDF5 files that others wrote, and trusting none of them.

A file may be cut short, hold the wrong thing, or point outside itself: external links, external storage and
virtual datasets make HDF5 open other files by name. Here every such case becomes one `DatasetError`, and a
dataset handed out is a plain numeric array stored in this very file.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from .errors import DatasetError, one_line

_FAULTS = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, NotImplementedError)


@contextmanager
def open_hdf5(path: Path) -> Iterator[Any]:
    """Open an HDF5 file for reading; whatever goes wrong inside the block becomes a `DatasetError`.

    Parameters
    ----------
    path
        The file.

    Yields
    ------
    h5py.File
        Open read-only.

    Raises
    ------
    DatasetError
        If the file is absent, is not HDF5, or is damaged where it is read.
    """
    if not path.is_file():
        raise DatasetError(f"{path}: {'is not a file' if path.exists() else 'no such file'}")
    try:
        with h5py.File(path, "r") as file:
            yield file
    except DatasetError:
        raise
    except MemoryError:
        raise DatasetError(f"{path}: does not fit in memory") from None
    except _FAULTS as error:
        raise DatasetError(f"{path}: not a readable HDF5 file: {one_line(error)}") from error


def stored(file: Any, key: str, kinds: str) -> Any:
    """Fetch a matrix stored in this file.

    Parameters
    ----------
    file
        An open h5py file.
    key
        Its name in the file.
    kinds
        The NumPy dtype kinds allowed, as in ``"fiu"``.

    Returns
    -------
    h5py.Dataset
        Two-dimensional, at least 1 x 1.

    Raises
    ------
    DatasetError
        If it is missing, lies outside the file, or has the wrong rank, kind or size.
    """
    where = f"{file.filename}: {key!r}"
    if key not in file and file.get(key, getlink=True) is None:
        raise DatasetError(f"{where} is missing: found {_listed(file)}")
    if isinstance(file.get(key, getlink=True), h5py.ExternalLink):
        raise DatasetError(f"{where} is a link to another file: expected the array itself")
    item = file.get(key)
    if not isinstance(item, h5py.Dataset):
        raise DatasetError(f"{where} is {'a dangling link' if item is None else 'a group'}: expected an array")
    _refuse_outside(file, item, where)
    if item.dtype.kind not in kinds:
        hint = " (bits: the hamming metric is not supported)" if item.dtype.kind == "b" else ""
        raise DatasetError(f"{where} has dtype {item.dtype}{hint}: expected {_words(kinds)}")
    if item.shape is None or len(item.shape) != 2 or 0 in item.shape:
        raise DatasetError(f"{where} has shape {item.shape}: expected a matrix with rows and columns")
    return item


def _refuse_outside(file: Any, item: Any, where: str) -> None:
    if item.file.filename != file.filename:
        raise DatasetError(f"{where} is a link to another file: expected the array itself")
    if item.external:
        raise DatasetError(f"{where} keeps its values in another file: expected the array itself")
    if item.is_virtual:
        raise DatasetError(f"{where} is a virtual dataset: expected the array itself")


def attributes(file: Any) -> dict[str, str | int | float | bool]:
    """Read the root attributes that are single values, bytes as text: the others mean nothing to us."""
    out: dict[str, str | int | float | bool] = {}
    for key, value in file.attrs.items():
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        elif hasattr(value, "size") and getattr(value, "size", 0) == 1:
            value = value.reshape(-1)[0]
            value = value.item() if hasattr(value, "item") else value
            value = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        if isinstance(value, str | int | float | bool):
            out[str(key)] = value
    return out


def _listed(file: Any) -> str:
    keys = sorted(file)
    return ", ".join(repr(key) for key in keys[:8]) + (", ..." if len(keys) > 8 else "") if keys else "nothing"


def _words(kinds: str) -> str:
    return "numbers" if "f" in kinds else "integers"
