"""What went on while a clock ran: processor time against wall time, and what else the machine did.

Two looks at the system enclose what is timed, and neither lies inside it. What a system does not tell is left out.
"""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from .processor import usable_cores

_IDLE = ("idle", "iowait", "guest", "guest_nice")  # guests' time is counted in user and nice already


@dataclass(frozen=True, slots=True)
class Moment:
    """One look at the system.

    Attributes
    ----------
    seconds : float
        Of a clock that nobody sets.
    own, children : float
        Processor seconds of this process, and of all that it started.
    machine : mapping
        Processor seconds of the machine since it was started: ``busy`` and ``stolen`` (by other virtual machines).
    counts : mapping
        Pages swapped, and how often this process had to leave a core to somebody else.
    """

    seconds: float
    own: float
    children: float
    machine: Mapping[str, float]
    counts: Mapping[str, int]


def look() -> Moment:
    """Look at the system."""
    times = psutil.cpu_times()._asdict()
    stolen = float(times.pop("steal", 0.0))
    busy = sum(value for name, value in times.items() if name not in _IDLE)
    counts = {}
    if (swapped := _swapped()) is not None:
        counts["swapped_pages"] = swapped
    with suppress(psutil.Error, AttributeError):
        counts["times_displaced"] = psutil.Process().num_ctx_switches().involuntary
    machine = {"busy": busy, "stolen": stolen}
    return Moment(time.perf_counter(), time.process_time(), _children_seconds(), machine, counts)


def between(before: Moment, after: Moment) -> dict[str, Any]:
    """Return what happened between two looks, as JSON data.

    Returns
    -------
    dict
        ``wall_seconds``; ``cpu_seconds`` of this process and all that it started, dead or alive, and of these
        ``children_cpu_seconds`` of the latter; ``other_cpu_seconds`` of everybody else on this machine;
        ``stolen_seconds``; ``swapped_pages``; ``times_displaced``; ``load_average`` of the last minute, at the end;
        ``cores``, those that this process might use. Except wall and own seconds all are counted in hundredths.
    """
    children = max(0.0, after.children - before.children)
    own = after.own - before.own + children
    machine = {name: max(0.0, after.machine[name] - value) for name, value in before.machine.items()}
    return {
        "wall_seconds": after.seconds - before.seconds,
        "cpu_seconds": own,
        "children_cpu_seconds": children,
        "other_cpu_seconds": max(0.0, machine["busy"] - own),
        "stolen_seconds": machine["stolen"],
        **{name: after.counts[name] - count for name, count in before.counts.items() if name in after.counts},
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "cores": usable_cores(),
    }


def _children_seconds() -> float:
    # Of the living by their own clocks, of the dead by ours.
    dead = os.times()
    total = dead.children_user + dead.children_system
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            times = child.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def _swapped() -> int | None:
    with suppress(OSError, ValueError):
        lines = (line.split() for line in Path("/proc/vmstat").read_text().splitlines())
        told = {name: int(value) for name, value in lines if name in ("pswpin", "pswpout")}
        return sum(told.values()) if told else None
    return None
