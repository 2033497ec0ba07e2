"""A run inside an HDF5 file: what is where.

::

    /                        attributes: format, schema_version, key; complete is written last
    /facts                   canonical JSON text of every field that is not an array
    /truth_ids ...           the arrays of the run, compressed
    /points/0000/facts, ids, distances, lists_probed, points_scanned, seconds
    /routing/facts, rank, before, size, scanned, seconds     where the router alone was observed

A file of one point, which belongs to a sweep that is not finished, has the same marks and the group ``/point``.

The facts are a dataset, not attributes: attributes end at 64 kB, and a traceback or a machine description may
be longer. JSON keeps integers and floats exact, and any character a message may hold; its bytes stand in an
array. So all of the file has checksums, which the texts of HDF5 have not: HDF5 crashes or loops over many a
damaged file, and does not get that far here. (Files of before have neither, and are read.) No times are
tracked, so equal runs give equal bytes.
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
from .readable import damage, held_item, held_value, mark
from .run import Point, Routing, Run

FORMAT = "ivfbench run"
POINT_FORMAT = "ivfbench point"
SCHEMA_VERSION = 2  # 1 had no conditions
_PACKED = {"compression": "gzip", "shuffle": True, "fletcher32": True}


def write_run(file: h5py.File, run: Run, key: str) -> None:
    """Write a run into an empty HDF5 file open for writing; `key` is its identity."""
    file.attrs["format"] = np.bytes_(FORMAT)
    file.attrs["schema_version"] = SCHEMA_VERSION
    file.attrs["key"] = np.bytes_(key)
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
    with damage("run"):
        group = held_item(file, "points")
        names = sorted(group, key=int)
        points = tuple(Point(**_read_fields(held_item(group, name), POINT_ARRAYS)) for name in names)
        routing = Routing(**_read_fields(held_item(file, "routing"), ROUTING_ARRAYS)) if "routing" in file else None
        return Run(**_read_fields(file, RUN_ARRAYS), points=points, routing=routing)


def write_point(file: h5py.File, point: Point) -> None:
    """Write a point alone into an empty HDF5 file open for writing."""
    file.attrs["format"] = np.bytes_(POINT_FORMAT)
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
    with damage("point"):
        return Point(**_read_fields(held_item(file, "point"), POINT_ARRAYS))


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
    with damage("header"):
        return str(mark(file, "key"))


def _check_marks(file: h5py.File, name: str) -> None:
    with damage("header"):
        if mark(file, "format") != name:
            raise ResultError(f"found no mark {name!r}, expected a result file")
        found = int(mark(file, "schema_version", 0))
        if found > SCHEMA_VERSION:
            raise NewerSchemaError(f"found schema {found}, expected {SCHEMA_VERSION} or older: update ivfbench")
        if not mark(file, "complete", False):
            raise ResultError("found no completion mark, expected a finished run")


def _write_fields(
    group: h5py.Group, value: Run | Point | Routing, arrays: Iterable[str], left_out: tuple[str, ...] = ()
) -> None:
    names = [field.name for field in dataclasses.fields(value) if field.name not in left_out]
    facts = {name: getattr(value, name) for name in names if name not in arrays}
    text = canonical_json(facts, strict=False, where="run").encode("ascii")
    group.create_dataset("facts", data=np.frombuffer(text, np.uint8), **_PACKED, track_times=False)
    for name in arrays:
        _write_array(group, name, getattr(value, name))


def _write_array(group: h5py.Group, name: str, array: np.ndarray[Any, Any]) -> None:
    # HDF5 cannot chunk, hence not compress, an array of no elements.
    filters = _PACKED if array.size else {}
    group.create_dataset(name, data=array, track_times=False, **filters)


def _read_fields(group: h5py.Group, arrays: Iterable[str]) -> dict[str, Any]:
    facts = json.loads(bytes(held_value(group, "facts")))
    return {**facts, **{name: held_value(group, name) for name in arrays}}
