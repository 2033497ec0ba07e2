"""The roofline: what a kernel does per second, beside what the machine allows.

A kernel that reads so many bytes and does so many operations takes at least as long as the machine needs for the bytes
alone, and at least as long as it needs for the operations alone. The longer of the two is its limit (Williams, Waterman
and Patterson, "Roofline: an insightful visual performance model for multicore architectures", CACM 52(4), 2009).

What is counted is what has to be done: padding, a second look at a byte, and the search for the best count against the
kernel. Everything is of one thread.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from .errors import ResultError
from .files import replacing
from .render import render

SHOWN = {
    "kernel": "kernel",
    "data": "data",
    "gigabytes_per_second": "GB/s",
    "gigaoperations_per_second": "Gop/s",
    "limited_by": "limited by",
    "fraction": "of limit",
}
"""The columns of the table in a terminal, and their headings."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one thread of a machine can do at most.

    Attributes
    ----------
    bandwidths : mapping
        Bytes per second, by the size in bytes of the array that was read over and over.
    peaks : mapping
        Operations per second, by kind.
    """

    bandwidths: Mapping[int, float]
    peaks: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Measurement:
    """A kernel, and how long it took.

    Attributes
    ----------
    kernel : str
    data : str
        "cold" (read from memory) or "warm" (in a cache).
    bytes : int
        That a call has to read.
    operations : mapping
        How many a call has to do, by kind.
    working_set : int
        Bytes that calls go through before one of them is read again: decides which bandwidth is the limit.
    seconds : float
        Of a call.
    """

    kernel: str
    data: str
    bytes: int
    operations: Mapping[str, int]
    working_set: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Bound:
    """The least time that a kernel can take, and what demands it: a kind of operation, or `reading(size)`."""

    seconds: float
    by: str


def reading(size: int) -> str:
    """Return the name of the bandwidth of an array of `size` bytes, such as "reading 512 MiB"."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit:
            return f"reading {size / unit:.4g} {name}"
    return f"reading {size} B"


def nearest_size(limits: Limits, working_set: int) -> int:
    """Return the measured size that is nearest to a working set, as a ratio."""
    return min(limits.bandwidths, key=lambda size: abs(math.log(size / max(1, working_set))))


def bound(measurement: Measurement, limits: Limits) -> Bound:
    """Return the tighter limit of a kernel.

    Raises
    ------
    ResultError
        An operation whose peak was not measured.
    """
    unknown = [kind for kind in measurement.operations if kind not in limits.peaks]
    if unknown:
        raise ResultError(
            f"operations of {measurement.kernel}: found {unknown[0]!r}, expected some of {', '.join(limits.peaks)}"
        )
    size = nearest_size(limits, measurement.working_set)
    bounds = [Bound(measurement.bytes / limits.bandwidths[size], reading(size))]
    bounds += [Bound(count / limits.peaks[kind], kind) for kind, count in measurement.operations.items()]
    return max(bounds, key=lambda each: each.seconds)


def _binding_kind(measurement: Measurement, limits: Limits) -> str:
    # The kind that needs the most time, whose operations the figure shows.
    return max(measurement.operations, key=lambda kind: measurement.operations[kind] / limits.peaks[kind])


def roofline_table(measurements: Sequence[Measurement], limits: Limits) -> pd.DataFrame:
    """Return one row per kernel, in the order given.

    Returns
    -------
    DataFrame
        kernel, data, bytes, operations (of the kind that takes longest), operation (that kind), working_set_bytes,
        seconds, gigabytes_per_second, gigaoperations_per_second, operations_per_byte, limit_seconds, limited_by and
        fraction (limit_seconds / seconds: 1 is as fast as the machine can).
    """
    rows = []
    for each in measurements:
        limit, kind = bound(each, limits), _binding_kind(each, limits)
        rows.append(
            {
                "kernel": each.kernel,
                "data": each.data,
                "bytes": each.bytes,
                "operations": each.operations[kind],
                "operation": kind,
                "working_set_bytes": each.working_set,
                "seconds": each.seconds,
                "gigabytes_per_second": each.bytes / each.seconds / 1e9,
                "gigaoperations_per_second": each.operations[kind] / each.seconds / 1e9,
                "operations_per_byte": each.operations[kind] / each.bytes,
                "limit_seconds": limit.seconds,
                "limited_by": limit.by,
                "fraction": limit.seconds / each.seconds,
            }
        )
    return pd.DataFrame(rows)


def limits_table(limits: Limits) -> pd.DataFrame:
    """Return one row per limit: limit (its name), per_second (in 10⁹), unit ("bytes" or "operations"), array_bytes."""
    rows = [(reading(size), limits.bandwidths[size] / 1e9, "bytes", size) for size in sorted(limits.bandwidths)]
    rows += [(kind, peak / 1e9, "operations", 0) for kind, peak in limits.peaks.items()]
    return pd.DataFrame(rows, columns=["limit", "giga_per_second", "unit", "array_bytes"])


def render_roofline(table: pd.DataFrame, limits: pd.DataFrame, format: str = "text", width: int | None = None) -> str:
    """Return both tables for people, the limits first, as "text" or "markdown"."""
    machine = limits[["limit", "giga_per_second", "unit"]].rename(columns={"giga_per_second": "10⁹ per second"})
    kernels = table[list(SHOWN)].rename(columns=SHOWN)
    return f"{render(machine, format, width)}\n{render(kernels, format, width)}"


def write_roofline(table: pd.DataFrame, limits: pd.DataFrame, folder: Path, remark: str) -> list[Path]:
    """Write roofline.csv, roofline-limits.csv and roofline.md into a folder, and return their paths.

    `remark` says what was measured on what, and stands above the tables of the Markdown file.
    """
    texts = {
        "roofline.csv": render(table, "csv"),
        "roofline-limits.csv": render(limits, "csv"),
        "roofline.md": f"# Roofline of one thread\n\n{remark}\n\n{render_roofline(table, limits, 'markdown')}",
    }
    for name, text in texts.items():
        with replacing(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def read_roofline(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the two tables that `write_roofline` wrote into a folder.

    Raises
    ------
    ResultError
        They are not there, or no such tables.
    """
    found = []
    for name, column in (("roofline.csv", "kernel"), ("roofline-limits.csv", "limit")):
        path = folder / name
        try:
            frame = pd.read_csv(path)
        except (OSError, ValueError) as error:
            state = "an unreadable file" if path.exists() else "no such file"
            raise ResultError(
                f"{path}: found {state}, expected what `ivfbench roofline --out {folder}` writes"
            ) from error
        if column not in frame:
            raise ResultError(f"{path}: found no column {column!r}, expected a table of `ivfbench roofline`")
        found.append(frame)
    return found[0], found[1]
