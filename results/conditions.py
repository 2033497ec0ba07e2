"""What the conditions of a measurement say about its times."""

import math
from collections.abc import Iterable, Iterator

from .run import Point, Run

_MORE = 1.25  # times the threads given, and a quarter of a core: what rounding and a pool that winds down may take
_SHORTEST = 0.05  # seconds: shorter passes tell nothing of processor time
_LONG = 0.5  # seconds: others' time is told in hundredths
_BUSY = 0.25  # cores that others may use
_STOLEN = 0.02  # cores
_SLOWER = 10.0  # times as long for queries that stand in no file


def cores_used(point: Point) -> float:
    """Return CPU time over wall time while the clock ran; NaN where it is not told or was too short to say."""
    wall = point.conditions.get("wall_seconds", 0.0)
    return float(point.conditions["cpu_seconds"] / wall) if wall >= _SHORTEST else math.nan


def overused(cores: float, threads: int) -> bool:
    """Return whether so many cores are clearly more than the threads that were given."""
    return cores > _MORE * threads + 0.25


def disturbances(runs: Iterable[Run]) -> Iterator[str]:
    """Yield in sentences what makes times incomparable, in whichever of these runs."""
    measured = [(run, point) for run in runs for point in run.points if point.status == "ok" and point.conditions]
    for run in dict.fromkeys(run for run, point in measured if overused(cores_used(point), point.threads)):
        points = [point for point in run.points if overused(cores_used(point), point.threads)]
        worst = max(points, key=lambda point: cores_used(point) / point.threads)
        used = f"used {cores_used(worst):.1f} cores in mode {worst.mode}, given {worst.threads}"
        yield f"Marked ! in cores_used: {run.algorithm} on {run.dataset} {used}."
    for run in dict.fromkeys(run for run, point in measured if _slower(point) > _SLOWER):
        took = f"took {max(map(_slower, run.points)):.0f} times as long for queries that stand in no file"
        yield f"{run.algorithm} on {run.dataset} {took}: does it know the others?"
    long = [point for _, point in measured if point.conditions.get("elapsed_seconds", 0.0) >= _LONG]
    yield from _meanwhile("other processes used", "other_cpu_seconds", _BUSY, long)
    yield from _meanwhile("other virtual machines stole", "stolen_seconds", _STOLEN, long)
    swapped = sum(bool(point.conditions.get("swapped_pages")) for _, point in measured)
    if swapped:
        yield f"Memory was swapped while {swapped} of {len(measured)} points were timed."


def _slower(point: Point) -> float:
    return point.conditions.get("unseen_queries_slower") or 0.0


def _meanwhile(what: str, name: str, most: float, points: list[Point]) -> Iterator[str]:
    cores = [point.conditions.get(name, 0.0) / point.conditions["elapsed_seconds"] for point in points]
    above = sum(used > most for used in cores)
    if above:
        yield f"While {above} of {len(points)} points were timed, {what} up to {max(cores):.2g} cores."
