"""A run inside an HDF5 file: what is where.

::

    /                        attributes: format, schema_version, key; complete is written last
    /facts                   canonical JSON text of every field that is not an array
    /truth_ids ...           the arrays of the run, compressed
    /points/0000/facts, ids, distances, lists_probed, points_scanned, seconds
    /routing/facts, rank, before, size, scanned, seconds     where the router alone was observed

A file of one point, which belongs to a sweep that is not finished, has the same marks and the group ``/point``.

The facts are a text dataset, not attributes: attributes end at 64 kB, and a traceback or a machine
description may be longer. JSON keeps integers and floats exact, and any character a message may hold. No
times are tracked, so equal runs give equal bytes.
"""

import dataclasses
import json
from collections.abc import Iterable
from typing import Any

import h5py
import numpy as np

from .canonical import canonical_json
from .check import POINT_ARRAYS, ROUTING_ARRAYS, RUN_ARRAYS
from .errors import NewerSchemaError, ResultError
from .run import Point, Routing, Run

FORMAT = "ivfbench run"
POINT_FORMAT = "ivfbench point"
SCHEMA_VERSION = 2  # 1 had no conditions


def write_run(file: h5py.File, run: Run, key: str) -> None:
    """Write a run into an empty HDF5 file open for writing; `key` is its identity."""
    file.attrs["format"] = FORMAT
    file.attrs["schema_version"] = SCHEMA_VERSION
    file.attrs["key"] = key
    _write_fields(file, run, RUN_ARRAYS, left_out=("points", "routing"))
    points = file.create_group("points")
    for position, point in enumerate(run.points):
        _write_fields(points.create_group(f"{position:04d}"), point, POINT_ARRAYS)
    if run.routing is not None:
        _write_fields(file.create_group("routing"), run.routing, ROUTING_ARRAYS)
    file.attrs["complete"] = True


def read_run(file: h5py.File) -> Run:
    """Read the run of a file whose header was checked with `read_key`.

    Raises
    ------
    ResultError
        A field is missing, unknown or unreadable.
    """
    try:
        groups = sorted(file["points"].items(), key=lambda item: int(item[0]))
        points = tuple(Point(**_read_fields(group, POINT_ARRAYS)) for _, group in groups)
        routing = Routing(**_read_fields(file["routing"], ROUTING_ARRAYS)) if "routing" in file else None
        return Run(**_read_fields(file, RUN_ARRAYS), points=points, routing=routing)
    except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        raise ResultError(f"found a damaged run ({error}), expected schema {SCHEMA_VERSION}") from error


def write_point(file: h5py.File, point: Point) -> None:
    """Write a point alone into an empty HDF5 file open for writing."""
    file.attrs["format"] = POINT_FORMAT
    file.attrs["schema_version"] = SCHEMA_VERSION
    _write_fields(file.create_group("point"), point, POINT_ARRAYS)
    file.attrs["complete"] = True


def read_point(file: h5py.File) -> Point:
    """Read the file of one point.

    Raises
    ------
    NewerSchemaError, ResultError
        As `read_key` and `read_run`.
    """
    _check_marks(file, POINT_FORMAT)
    try:
        return Point(**_read_fields(file["point"], POINT_ARRAYS))
    except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        raise ResultError(f"found a damaged point ({error}), expected schema {SCHEMA_VERSION}") from error


def read_key(file: h5py.File) -> str:
    """Check that the file is a complete run of a known schema, and return its key.

    Raises
    ------
    NewerSchemaError
        The file was written by a later version.
    ResultError
        The file is something else, or was never finished.
    """
    _check_marks(file, FORMAT)
    return str(file.attrs["key"])


def _check_marks(file: h5py.File, name: str) -> None:
    if file.attrs.get("format") != name:
        raise ResultError(f"found no mark {name!r}, expected a result file")
    found = int(file.attrs.get("schema_version", 0))
    if found > SCHEMA_VERSION:
        raise NewerSchemaError(f"found schema {found}, expected {SCHEMA_VERSION} or older: update ivfbench")
    if not file.attrs.get("complete", False):
        raise ResultError("found no completion mark, expected a finished run")


def _write_fields(
    group: h5py.Group, value: Run | Point | Routing, arrays: Iterable[str], left_out: tuple[str, ...] = ()
) -> None:
    names = [field.name for field in dataclasses.fields(value) if field.name not in left_out]
    facts = {name: getattr(value, name) for name in names if name not in arrays}
    group.create_dataset("facts", data=canonical_json(facts, strict=False, where="run"), track_times=False)
    for name in arrays:
        _write_array(group, name, getattr(value, name))


def _write_array(group: h5py.Group, name: str, array: np.ndarray[Any, Any]) -> None:
    # HDF5 cannot chunk, hence not compress, an array of no elements.
    filters = {"compression": "gzip", "shuffle": True} if array.size else {}
    group.create_dataset(name, data=array, track_times=False, **filters)


def _read_fields(group: h5py.Group, arrays: Iterable[str]) -> dict[str, Any]:
    facts = json.loads(group["facts"][()])
    return {**facts, **{name: group[name][()] for name in arrays}}
