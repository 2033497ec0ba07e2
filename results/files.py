"""Write a file whole or not at all.

A reader sees the old file or the new one, never half of one, and a crash leaves the old one in place.
"""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import h5py

from .errors import ResultError, UnwritableError
from .readable import FAULTS, check_heaps

CHECKSUMMED = "v110"  # the oldest layout of HDF5 in which all that leads to the values has checksums


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; on success it is synced and renamed to `path`.

    Parameters
    ----------
    path
        The file to create or replace. Missing folders are made.

    Yields
    ------
    Path
        Write here. If the block raises, this file is removed and `path` is as it was.

    Raises
    ------
    UnwritableError
        The system refuses: the message names the file and the reason.
    """
    # A plain name instead of `tempfile`: its files are private to the user, results are meant to be shared.
    temporary = path.parent / f".{path.stem[:40]}-{uuid.uuid4().hex}.part"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _sync(temporary)
        os.replace(temporary, path)  # noqa: PTH105  (the atomic call by its name)
        _sync(path.parent)
    except OSError as error:
        raise UnwritableError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):  # there may be no folder
            temporary.unlink(missing_ok=True)


def write_hdf5(path: Path, fill: Callable[[h5py.File], None]) -> None:
    """Write an HDF5 file, whole or not at all.

    Parameters
    ----------
    path
        The file to create or replace. Missing folders are made.
    fill
        Given the empty file.

    Raises
    ------
    UnwritableError
        As in `replacing`.
    """
    # Laid out in memory: a full disk is then one plain error, not one of a library that cannot close its file.
    with h5py.File(path.name, "w", driver="core", backing_store=False, libver=CHECKSUMMED) as file:
        fill(file)
        file.flush()
        image = file.id.get_file_image()
    with replacing(path) as temporary:
        temporary.write_bytes(image)


def open_hdf5(path: Path) -> h5py.File:
    """Open an HDF5 file to be read.

    Raises
    ------
    ResultError
        No such file, or not one of HDF5.
    """
    try:
        check_heaps(path)
        return h5py.File(path, "r")
    except ResultError:
        raise
    except FAULTS as error:
        # One line for people; the library's own message is kept as the cause.
        found = "an unreadable file" if path.exists() else "no such file"
        raise ResultError(f"found {found}, expected a result file in HDF5") from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
