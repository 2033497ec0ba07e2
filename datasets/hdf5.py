"""Opening HDF5 files that others wrote, and trusting none of them.

A file may be cut short, hold the wrong thing, or point outside itself: external links, external storage and
virtual datasets make HDF5 open other files by name. A few hundred bytes may also declare terabytes: values that are
nowhere stored, or that are compressed a thousandfold. Here every such case becomes one `DatasetError`, and a
dataset handed out is a plain numeric array stored in this very file.

HDF5 itself does not survive every damaged file: see `isolated`.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from .errors import DatasetError, one_line

_FAULTS = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, NotImplementedError)
_MOST_ATTRIBUTES = 1000
_ATTRIBUTE_BYTES = 2**20
_READABLE_ATTRIBUTES = (h5py.h5t.STRING, h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.ENUM)
_SMALL = 64 * 2**20  # what unpacks to less needs no suspicion
_RATIO = 200  # vectors of numbers are packed twice or tenfold; a deflate bomb a thousandfold


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
    _refuse_absent_values(file, item, where)
    return item


def _refuse_outside(file: Any, item: Any, where: str) -> None:
    if item.file.filename != file.filename:
        raise DatasetError(f"{where} is a link to another file: expected the array itself")
    if item.external:
        raise DatasetError(f"{where} keeps its values in another file: expected the array itself")
    if item.is_virtual:
        raise DatasetError(f"{where} is a virtual dataset: expected the array itself")


def _refuse_absent_values(file: Any, item: Any, where: str) -> None:
    # HDF5 invents the values that a file declares and does not hold: zeros, as many as one likes.
    declared, held = math.prod(item.shape) * item.dtype.itemsize, item.id.get_storage_size()
    if held > file.id.get_filesize():
        raise DatasetError(
            f"{where} claims {held:,} bytes: expected no more than the {file.id.get_filesize():,} of the file"
        )
    if item.chunks is None:
        if held < declared:
            raise DatasetError(
                f"{where} has {held:,} bytes of values: expected {declared:,} for its shape {item.shape}"
            )
        return
    wanted = math.prod(-(-size // step) for size, step in zip(item.shape, item.chunks, strict=True))
    chunk = math.prod(item.chunks) * item.dtype.itemsize
    if item.id.get_num_chunks() != wanted:
        raise DatasetError(
            f"{where} has {item.id.get_num_chunks():,} chunks: expected {wanted:,} for its shape {item.shape}"
        )
    if max(declared, chunk) > max(_SMALL, _RATIO * held):
        unpacked = max(declared, chunk)
        raise DatasetError(f"{where} unpacks {held:,} bytes to {unpacked:,}: expected at most {_RATIO} times as many")


def attributes(file: Any) -> dict[str, str | int | float | bool]:
    """Read the root attributes that are single values, bytes as text: the others mean nothing to us.

    Raises
    ------
    DatasetError
        If there are absurdly many, or one is absurdly large.
    """
    out: dict[str, str | int | float | bool] = {}
    if len(file.attrs) > _MOST_ATTRIBUTES:
        raise DatasetError(
            f"{file.filename}: has {len(file.attrs):,} attributes, expected at most {_MOST_ATTRIBUTES:,}"
        )
    for key in file.attrs:
        stored_as = file.attrs.get_id(key)
        size = max(stored_as.get_storage_size(), stored_as.dtype.itemsize)
        if size > _ATTRIBUTE_BYTES:
            raise DatasetError(
                f"{file.filename}: attribute {key!r} has {size:,} bytes, expected at most {_ATTRIBUTE_BYTES:,}"
            )
        if stored_as.get_type().get_class() not in _READABLE_ATTRIBUTES:
            continue
        value = file.attrs[key]
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
