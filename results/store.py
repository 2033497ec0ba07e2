"""One file per run: save, load, find.

``<folder>/<dataset>/<k>/<readable slug>-<12 hexadecimal digits>.hdf5``. Readers never write: an archive on
read-only media can be tabulated and drawn. A sweep that is still going on lies beside its file (`unfinished`).
"""

import itertools
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from .check import check_run
from .errors import NewerSchemaError, ResultError
from .files import open_hdf5, write_hdf5
from .key import SHORT, SUFFIX, run_folder, run_key, run_name
from .layout import read_key, read_run, write_run
from .run import Run
from .unfinished import UNFINISHED, begin_sweep, is_unfinished, load_sweep, merged, remove_sweep, run_file, same_code

__all__ = ["begin", "check_results", "find_run", "fold", "load_run", "load_runs", "run_key", "run_path", "save_run"]

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
    path = run_path(folder, run)
    write_hdf5(path, lambda file: write_run(file, run, _key(run)))
    return path


def run_path(folder: Path | str, run: Run) -> Path:
    """Return the file that `save_run` writes a run to."""
    return run_folder(Path(folder), run.dataset, run.k) / run_name(run.algorithm, _key(run))


def _key(run: Run) -> str:
    return run_key(
        dataset_sha256=run.dataset_sha256,
        algorithm=run.algorithm,
        parameters=run.parameters,
        k=run.k,
        seed=run.seed,
        threads=run.threads,
    )


def begin(folder: Path | str, run: Run) -> Path:
    """Write a build whose sweep begins, and return the file that `fold` will write."""
    path = run_path(folder, run)
    begin_sweep(path, run, _key(run))
    return path


def fold(path: Path, notes: Mapping[str, Any] | None = None) -> Run | None:
    """Make an unfinished sweep part of its run file, and return that run; None where nothing was measured.

    What other code measured is not mixed with it and not lost: it is set aside as ``<run file>.old``. A process that
    is killed here leaves what the next call needs.

    Parameters
    ----------
    path
        The run file.
    notes
        To be added to those of the build.

    Raises
    ------
    ResultError
        The run cannot be written, and nothing is lost.
    """
    sweep = _measured(path)
    if sweep is not None:
        sweep = replace(sweep, notes={**sweep.notes, **(notes or {})})
        earlier = whole(path)
        run = merged(earlier, sweep)
        if earlier is not None and earlier.status == "ok" and not same_code(earlier, sweep):
            set_aside(path)
        write_hdf5(path, lambda file: write_run(file, run, _key(run)))
        sweep = run
    remove_sweep(path)
    return sweep


def with_unfinished(path: Path) -> Run | None:
    """Return a run as far as it got: its file, if it is whole, and the sweep beside it, if there is one.

    Raises
    ------
    NewerSchemaError
        It was written by a later version.
    """
    sweep = _measured(path)
    folded = not is_unfinished(path)  # meanwhile: then its file is there, whole, and read after this
    earlier = whole(path)
    return earlier if sweep is None or folded else merged(earlier, sweep)


def clear_leftovers(folder: Path | str) -> None:
    """Remove the temporary files of killed processes; nobody may be writing runs into the folder."""
    for temporary in Path(folder).glob("*/*/.*.part"):
        temporary.unlink(missing_ok=True)


def _measured(path: Path) -> Run | None:
    # A build that was not asked anything yet is no result.
    sweep = load_sweep(path)
    return sweep if sweep is not None and (sweep.points or sweep.routing) else None


def whole(path: Path) -> Run | None:
    """Return the run of a file; None where there is no file, or it is not finished or damaged.

    Raises
    ------
    NewerSchemaError
        It was written by a later version.
    """
    try:
        return load_run(path)
    except NewerSchemaError:
        raise
    except ResultError:
        return None


def set_aside(path: Path) -> None:
    """Rename a run file to ``<run file>.old``, or the first free name after that: what was set aside before stays."""
    names = (path.with_name(f"{path.name}.old{place or ''}") for place in itertools.count())
    path.replace(next(name for name in names if not name.exists()))


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
        with open_hdf5(path) as file:
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


def files_read(folder: Path) -> list[Path]:
    """Return all that `load_runs` reads: run files and the parts of unfinished sweeps, sorted."""
    parts = [path for path in paths_below(folder, f"*{UNFINISHED}/*.part") if not path.name.startswith(".")]
    return sorted([*paths_below(folder, f"*{SUFFIX}"), *parts])


def paths_below(folder: Path, pattern: str) -> list[Path]:
    """Return the paths below a folder that match a pattern, sorted; none where there is no folder.

    A runner may remove a folder that is just looked into: then all is looked for again.
    """
    while folder.is_dir():
        with suppress(FileNotFoundError):
            return sorted(folder.rglob(pattern))
    return []


def _result_files(folder: Path) -> list[Path]:
    for path in paths_below(folder, "*"):
        if path.is_symlink() and path.is_dir():
            raise ResultError(f"{path}: found a link to a folder elsewhere, expected the folder itself")
    return paths_below(folder, f"*{SUFFIX}")


def load_runs(folder: Path | str) -> list[Run]:
    """Read every run below a folder, in the order of their paths, and the unfinished ones as far as they got.

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
    growing = {run_file(sweep) for sweep in paths_below(folder, f"*{UNFINISHED}")}
    for path in sorted(growing.union(_result_files(folder))):
        try:
            if path not in growing:
                runs.append(load_run(path))
            elif run := with_unfinished(path):
                runs.append(run)
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
        with open_hdf5(path) as file:
            return read_key(file) == key
    except NewerSchemaError as error:
        raise NewerSchemaError(f"{path}: {error}") from error
    except ResultError:
        return False
