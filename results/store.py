"""One file per run: save, load, find.

``<folder>/<dataset>/<k>/<readable slug>-<12 hexadecimal digits>.hdf5``. Readers never write: an archive on
read-only media can be tabulated and drawn.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py

from .check import check_run
from .errors import NewerSchemaError, ResultError
from .files import replacing
from .key import SHORT, SUFFIX, run_folder, run_key, run_name
from .layout import CHECKSUMMED, read_key, read_run, write_run
from .readable import FAULTS, check_heaps
from .run import Run

__all__ = ["check_results", "find_run", "load_run", "load_runs", "run_key", "save_run"]

log = logging.getLogger(__name__)


def save_run(folder: Path | str, run: Run) -> Path:
    """Write a run, whole or not at all, and return its path.

    A run with the same key is replaced; every other file is left alone.

    Parameters
    ----------
    folder
        The root of the results.
    run
        What was measured.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    ResultError
        The run is malformed; nothing is written.
    """
    check_run(run)
    key = run_key(
        dataset_sha256=run.dataset_sha256,
        algorithm=run.algorithm,
        parameters=run.parameters,
        k=run.k,
        seed=run.seed,
        threads=run.threads,
    )
    path = run_folder(Path(folder), run.dataset, run.k) / run_name(run.algorithm, key)
    with replacing(path) as temporary, h5py.File(temporary, "w", libver=CHECKSUMMED) as file:
        write_run(file, run, key)
    return path


def load_run(path: Path | str) -> Run:
    """Read one run.

    Raises
    ------
    NewerSchemaError
        The file was written by a later version.
    ResultError
        The file is not a finished run, or is damaged. The message names it.
    """
    path = Path(path)
    try:
        with _open(path) as file:
            read_key(file)
            run = read_run(file)
        check_run(run)
    except ResultError as error:
        raise type(error)(f"{path}: {error}") from error
    return run


def check_results(folder: Path | str) -> None:
    """Raise unless everything below a folder can be counted later: only the heads of files are read.

    Raises
    ------
    NewerSchemaError
        A file was written by a later version.
    ResultError
        A folder below is a link to elsewhere: what lies there would be overwritten, and not be counted.
    """
    for path in _result_files(Path(folder)):
        _has_key(path, "")


def _result_files(folder: Path) -> list[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() and path.is_dir():
            raise ResultError(f"{path}: found a link to a folder elsewhere, expected the folder itself")
    return sorted(folder.rglob(f"*{SUFFIX}"))


def load_runs(folder: Path | str) -> list[Run]:
    """Read every run below a folder, in the order of their paths.

    Files that are not finished runs are skipped, each with one warning line in the log.

    Raises
    ------
    NewerSchemaError
        A file was written by a later version: leaving it out would silently change the tables.
    ResultError
        The folder does not exist, holds result files and not one that can be read, or a link to a folder elsewhere.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ResultError(f"{folder}: found no such folder, expected a folder of results")
    runs, refused = [], []
    for path in _result_files(folder):
        try:
            runs.append(load_run(path))
        except NewerSchemaError:
            raise
        except ResultError as error:
            refused.append(error)
    if refused and not runs:
        more = f" (and {len(refused) - 1} more like it)" if len(refused) > 1 else ""
        raise ResultError(f"{refused[0]}{more}")
    for refusal in refused:
        log.warning("skipped %s", refusal)
    return runs


def find_run(
    folder: Path | str,
    *,
    dataset: str,
    dataset_sha256: str,
    algorithm: str,
    parameters: Mapping[str, Any],
    k: int,
    seed: int,
    threads: int,
) -> Path | None:
    """Return the file of finished work, or None.

    Only the header is read. A file that was never finished, or belongs to another key, does not count;
    whether the run inside is "ok" or "failed" is for the caller to ask with `load_run`.

    Raises
    ------
    NewerSchemaError
        The file was written by a later version, and must not be overwritten.
    """
    key = run_key(
        dataset_sha256=dataset_sha256,
        algorithm=algorithm,
        parameters=parameters,
        k=k,
        seed=seed,
        threads=threads,
    )
    for path in sorted(run_folder(Path(folder), dataset, k).glob(f"*-{key[:SHORT]}{SUFFIX}")):
        if _has_key(path, key):
            return path
    return None


def _has_key(path: Path, key: str) -> bool:
    try:
        with _open(path) as file:
            return read_key(file) == key
    except NewerSchemaError as error:
        raise NewerSchemaError(f"{path}: {error}") from error
    except ResultError:
        return False


def _open(path: Path) -> h5py.File:
    try:
        check_heaps(path)
        return h5py.File(path, "r")
    except ResultError:
        raise
    except FAULTS as error:
        # One line for people; the library's own message is kept as the cause.
        found = "an unreadable file" if path.exists() else "no such file"
        raise ResultError(f"found {found}, expected a result file in HDF5") from error
