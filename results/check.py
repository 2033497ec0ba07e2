"""Is this a run? Shapes, types and words, checked at the door of the store in both directions.

A result that is wrong in shape would surface much later as a wrong number; here it is one line at once.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from .errors import ResultError
from .run import DEEPEST, MODES, STATUSES, Point, Routing, Run

RUN_ARRAYS: dict[str, tuple[str, int]] = {
    "truth_ids": ("int32", 2),
    "truth_distances": ("float64", 2),
    "stored_truth_distances": ("float32", 2),
}
POINT_ARRAYS: dict[str, tuple[str, int]] = {
    "ids": ("int32", 2),
    "distances": ("float64", 2),
    "lists_probed": ("int64", 1),
    "points_scanned": ("int64", 1),
    "seconds": ("float64", 2),
}
ROUTING_ARRAYS: dict[str, tuple[str, int]] = {
    "rank": ("int32", 2),
    "before": ("int32", 2),
    "size": ("int32", 2),
    "scanned": ("float64", 1),
    "seconds": ("float64", 2),
}
_KINDS: dict[Any, tuple[type, ...]] = {
    str: (str,),
    bool: (bool, np.bool_),
    int: (int, np.integer),
    float: (int, float, np.integer, np.floating),
    Mapping: (Mapping,),
}


def check_run(run: Run) -> None:
    """Raise unless the run and all its points are well formed.

    Raises
    ------
    ResultError
        One line: which field, what was found, what was expected.
    """
    where = f"run {str(run.algorithm)[:200]!r} on {str(run.dataset)[:200]!r}"
    _facts(where, run)
    _one_of(where, "status", run.status, STATUSES)
    _arrays(where, run, RUN_ARRAYS)
    if run.k < 1:
        raise ResultError(f"{where}: found k = {run.k}, expected at least 1")
    if run.status != "ok":
        if run.points:
            raise ResultError(f"{where}: found {len(run.points)} points, expected none in a {run.status} run")
        if run.routing is not None:
            raise ResultError(f"{where}: found routing, expected none in a {run.status} run")
        return
    _truth(where, run)
    for position, point in enumerate(run.points):
        check_point(point, run, f"{where}, point {position}")
    if run.routing is not None:
        check_routing(run.routing, run, f"{where}, routing")


def check_point(point: Point, run: Run, where: str = "point") -> None:
    """Raise unless the point is well formed and fits its run.

    Raises
    ------
    ResultError
        One line: which field, what was found, what was expected.
    """
    _facts(where, point)
    _one_of(where, "mode", point.mode, MODES)
    _one_of(where, "status", point.status, STATUSES)
    _arrays(where, point, POINT_ARRAYS)
    if point.mode == "single" and point.threads != 1:
        raise ResultError(f"{where}: found {point.threads} threads in single mode, expected 1")
    if point.status != "ok":
        return
    queries, truths = len(point.ids), len(run.truth_ids)
    if not 1 <= queries <= truths:
        raise ResultError(f"{where}: found {queries} queries, expected 1 to {truths}, the rows of the truth")
    for name in ("ids", "distances"):
        _shape(where, name, getattr(point, name), (queries, run.k))
    for name in ("lists_probed", "points_scanned"):
        _shape(where, name, getattr(point, name), (queries,))
    repetitions = len(point.seconds)
    if repetitions < 1:
        raise ResultError(f"{where}: found no repetitions in seconds, expected at least 1")
    _shape(where, "seconds", point.seconds, (repetitions, queries if point.mode == "single" else 1))


def check_routing(routing: Routing, run: Run, where: str = "routing") -> None:
    """Raise unless the routing is well formed and fits its run.

    Raises
    ------
    ResultError
        One line: which field, what was found, what was expected.
    """
    _facts(where, routing)
    _arrays(where, routing, ROUTING_ARRAYS)
    queries, stored = run.truth_ids.shape
    for name in ("rank", "before", "size"):
        _shape(where, name, getattr(routing, name), (queries, min(stored, DEEPEST)))
        _between(where, name, getattr(routing, name), len(routing.scanned) if name == "rank" else run.n)
    if not len(routing.scanned):
        raise ResultError(f"{where}: found no lists in scanned, expected at least 1")
    if not routing.seconds.size or routing.seconds.shape[1] > queries:
        found = f"seconds of the shape {routing.seconds.shape}"
        raise ResultError(f"{where}: found {found}, expected repetitions of 1 to {queries} queries")


def _facts(where: str, owner: Run | Point | Routing) -> None:
    # What is no array has the type that its class says.
    for field in dataclasses.fields(owner):
        kinds = _KINDS.get(getattr(field.type, "__origin__", field.type))
        value: Any = getattr(owner, field.name)
        if kinds is None:
            continue
        fits = isinstance(value, kinds) and isinstance(value, bool | np.bool_) == (field.type is bool)
        if not fits:
            expected = getattr(field.type, "__name__", "mapping").lower()
            raise ResultError(f"{where}: {field.name}: found {str(value)[:80]!r}, expected {expected}")
        if field.type is int and not -(2**63) <= value < 2**63:
            raise ResultError(f"{where}: {field.name}: found {str(value)[:80]}, expected 64 bits at most")


def _between(where: str, name: str, array: np.ndarray[Any, Any], highest: int) -> None:
    if array.size and (array.min() < 0 or array.max() > highest):
        raise ResultError(f"{where}: {name}: found {array.min()} to {array.max()}, expected 0 to {highest}")


def _truth(where: str, run: Run) -> None:
    if run.truth_ids.shape[1] < run.k:
        raise ResultError(f"{where}: found a truth of {run.truth_ids.shape[1]} neighbours, expected {run.k} or more")
    _shape(where, "truth_distances", run.truth_distances, run.truth_ids.shape)
    _shape(where, "stored_truth_distances", run.stored_truth_distances, run.truth_ids.shape)


def _arrays(where: str, owner: Run | Point | Routing, expected: dict[str, tuple[str, int]]) -> None:
    for name, (dtype, dimensions) in expected.items():
        array: Any = getattr(owner, name)
        found = f"{array.dtype} of {array.ndim} dimensions" if isinstance(array, np.ndarray) else type(array)
        if found != f"{dtype} of {dimensions} dimensions":
            raise ResultError(f"{where}: {name}: found {found}, expected {dtype} of {dimensions} dimensions")


def _shape(where: str, name: str, array: np.ndarray[Any, Any], expected: tuple[int, ...]) -> None:
    if array.shape != expected:
        raise ResultError(f"{where}: {name}: found the shape {array.shape}, expected {expected}")


def _one_of(where: str, name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ResultError(f"{where}: {name}: found {value!r}, expected one of {', '.join(allowed)}")
