"""A sweep that is still going on: every point is a file of its own, written when the point is done.

::

    <run file>.unfinished/build.part     the build: a run without points
    <run file>.unfinished/0007.part      the point at place 7 of the sweep

A process may die at any moment: what lies here is whole, and `store.fold` makes the run file of it.
"""

import dataclasses
import json
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .check import check_point, check_run
from .errors import NewerSchemaError, ResultError
from .files import open_hdf5, write_hdf5
from .key import SUFFIX
from .layout import read_key, read_point, read_run, write_point, write_run
from .run import Point, Run

UNFINISHED = f"{SUFFIX}.unfinished"

log = logging.getLogger(__name__)


def sweep_folder(path: Path) -> Path:
    """Return the folder in which the sweep of a run file grows."""
    return path.with_name(f"{path.name.removesuffix(SUFFIX)}{UNFINISHED}")


def run_file(folder: Path) -> Path:
    """Return the run file that a folder of an unfinished sweep belongs to."""
    return folder.with_name(f"{folder.name.removesuffix(UNFINISHED)}{SUFFIX}")


def begin_sweep(path: Path, run: Run, key: str) -> None:
    """Write the build of a sweep, a run without points, where `path` is the run file to be.

    Points that are there already stay if they belong to a build: the index was built again to go on.

    Raises
    ------
    ResultError
        The run is malformed, or cannot be written.
    """
    check_run(run)
    folder = sweep_folder(path)
    earlier = _build(folder)
    if earlier is None:
        shutil.rmtree(folder, ignore_errors=True)  # what a fold left behind when it was killed
    else:
        run = dataclasses.replace(run, routing=run.routing or earlier.routing, notes=built_again(run, earlier))
    write_hdf5(folder / "build.part", lambda file: write_run(file, run, key))


def add_point(path: Path, run: Run, place: int, point: Point) -> None:
    """Write a point of the sweep of a build that `begin_sweep` wrote.

    Raises
    ------
    ResultError
        The point is malformed, or cannot be written.
    """
    check_point(point, run)
    write_hdf5(sweep_folder(path) / f"{place:04d}.part", lambda file: write_point(file, point))


def is_unfinished(path: Path) -> bool:
    """Return whether a sweep of a run file is there: its build is the first to be written and to be removed."""
    return (sweep_folder(path) / "build.part").is_file()


def load_sweep(path: Path) -> Run | None:
    """Return the build and the points so far of an unfinished sweep, None where there is no build.

    Raises
    ------
    NewerSchemaError
        It was written by a later version.
    """
    run = _build(sweep_folder(path))
    if run is None:
        return None
    points = []
    for part in sorted(sweep_folder(path).glob("[0-9]*.part")):
        try:
            with open_hdf5(part) as file:
                point = read_point(file)
            check_point(point, run)
        except NewerSchemaError as error:
            raise NewerSchemaError(f"{part}: {error}") from error
        except ResultError as error:
            if part.exists():  # else it was folded just now
                log.warning("skipped %s: %s", part, error)
        else:
            points.append(point)
    return dataclasses.replace(run, points=tuple(points))


def remove_sweep(path: Path) -> None:
    """Remove an unfinished sweep, the build first: without it the points count for nothing."""
    folder = sweep_folder(path)
    (folder / "build.part").unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def setting(mode: str, query_parameters: Mapping[str, Any]) -> tuple[str, str]:
    """Return what tells the points of a sweep apart."""
    return mode, json.dumps(dict(query_parameters), sort_keys=True)


def merged(earlier: Run | None, sweep: Run) -> Run:
    """Return a sweep together with what the same code measured earlier on the same index.

    Points of the sweep replace earlier ones of their setting, but a failure never replaces a measurement.
    """
    if not same_code(earlier, sweep):
        return sweep
    assert earlier is not None
    old = {setting(point.mode, point.query_parameters): point for point in earlier.points}
    new = {setting(point.mode, point.query_parameters): point for point in sweep.points}
    points = {name: point for name, point in new.items() if point.status == "ok" or name not in old}
    kept = {name: point for name, point in old.items() if name not in points}
    notes = built_again(sweep, earlier) if kept else sweep.notes
    routing = sweep.routing or earlier.routing
    return dataclasses.replace(sweep, points=(*points.values(), *kept.values()), routing=routing, notes=notes)


def same_code(earlier: Run | None, sweep: Run) -> bool:
    """Return whether an earlier measurement is there that the same code made, with the same versions of libraries."""
    if earlier is None or earlier.status != "ok":
        return False
    before, now = (run.environment.get("libraries", {}) for run in (earlier, sweep))
    same_libraries = all(now.get(package, version) == version for package, version in before.items())
    return bool(earlier.environment.get("code") == sweep.environment.get("code")) and same_libraries


def built_again(run: Run, earlier: Run) -> dict[str, Any]:
    """Return the notes of a run whose points stem from more than one build of its index: they count them."""
    return {**run.notes, "builds": run.notes.get("builds", 1) + earlier.notes.get("builds", 1)}


def _build(folder: Path) -> Run | None:
    part = folder / "build.part"
    try:
        with open_hdf5(part) as file:
            read_key(file)
            return read_run(file)
    except NewerSchemaError as error:
        raise NewerSchemaError(f"{part}: {error}") from error
    except ResultError:
        return None
