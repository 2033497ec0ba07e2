"""A report that grows with its results, and what they say so far for the terminal."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from ...results.comparison import comparison
from ...results.competition import BASELINE
from ...results.render import render
from ...results.run import Run
from ...results.store import files_read, load_runs
from ...results.table import table
from .provenance import failures
from .write import write_site

LEVELS = (0.9, 0.95)
MOST_FAILURES = 8


def watch(folder: Path, report: Path, seconds: float, baseline: str = BASELINE) -> Iterator[str]:
    """Write the report of a folder of results again whenever they have changed, and yield what they say each time.

    Never ends by itself.

    Parameters
    ----------
    folder
        Results, which somebody else adds to.
    report
        Where the pages go.
    seconds
        Between two looks.
    baseline
        What routers are compared with, see `contests`.

    Raises
    ------
    ResultError
        The folder does not exist.
    """
    last = None
    while True:
        version = state(folder)
        if version != last:
            runs = load_runs(folder)
            if runs:
                write_site(runs, report, baseline, version)
            yield summary(runs)
            last = version
        time.sleep(seconds)


def state(folder: Path) -> str:
    """Return a name for what a folder of results holds now: another name once a file is added, replaced or gone.

    A point that an unfinished sweep gains is such a file.
    """
    held = [(path.relative_to(folder).as_posix(), *_size_and_time(path)) for path in files_read(folder)]
    return hashlib.sha256(repr(held).encode()).hexdigest()[:16]


def _size_and_time(path: Path) -> tuple[int, int]:
    with suppress(FileNotFoundError):
        told = path.stat()
        return told.st_size, told.st_mtime_ns
    return -1, -1  # it went just now: the next look finds another state


def summary(runs: Sequence[Run]) -> str:
    """Return what results say, for a terminal: how many there are, the fastest at two recalls, what failed."""
    if not runs:
        return "no finished run yet\n"
    frame, lost = table(runs), failures(runs)
    measured = frame[frame["status"] == "ok"]
    parts = [f"{len(runs)} builds, {len(measured)} points measured, {len(lost)} failed or skipped\n"]
    if len(measured):
        names = ["dataset", "k", "mode", "threads", "recall"]
        reached = comparison(measured, LEVELS).dropna(subset=["qps"])
        parts.append(render(reached.sort_values([*names, "qps"], ascending=[True] * 5 + [False]), "text"))
    parts += [
        f"{one['status']}: {one['algorithm']}, {one['dataset']}: {one['reason']}\n" for one in lost[-MOST_FAILURES:]
    ]
    return "\n".join(parts)
