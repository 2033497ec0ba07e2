"""Tables for people: numbers at the precision they deserve, words where there is no number.

Every rendering but CSV starts here. CSV and Parquet keep the numbers themselves.
"""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from .columns import BY_NAME
from .comparison import COMPARED
from .conditions import overused
from .labels import short_labels

NOTHING = "-"
NO_BASELINE = "no baseline"
_PLAIN_INTEGERS = {"k", "seed", "threads", "seeds"}
_BYTE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


@dataclass(frozen=True)
class Cells:
    """A table as text: `rows` has one text per header; `right` says which columns hold numbers."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[bool, ...]


def cells(frame: pd.DataFrame) -> Cells:
    """Return every cell of a frame as text for people.

    Algorithms get their short labels. In a comparison each cost takes its ratio and its state into its own
    cell, which makes it narrow enough to read: "34,056 (1.73x)", "not reached", "below the sweep".
    """
    folded = {f"{cost}_{part}" for cost in COMPARED if cost in frame for part in ("ratio", "state")}
    names = [str(name) for name in frame.columns if name not in folded]
    labels = short_labels(frame["algorithm"]) if "algorithm" in frame else {}
    records = frame.to_dict("records")
    rows = tuple(tuple(_cell(name, record, labels) for name in names) for record in records)
    right = tuple(bool(pd.api.types.is_numeric_dtype(frame[name])) for name in names)
    headers = tuple(f"{name} (ratio)" if f"{name}_ratio" in folded & set(frame) else name for name in names)
    return Cells(headers, rows, right)


def _cell(name: str, record: dict[Any, Any], labels: dict[str, str]) -> str:
    value = record[name]
    if name == "algorithm":
        return " ".join(labels[value].split())
    if name in COMPARED:
        return _cost(name, record)
    if name == "cores_used" and overused(value, record.get("threads", math.inf)):
        return f"{value:.3g}!"  # `remarks` say what the sign means
    if name == "recall" and "seeds" in record:
        return f"{value:g}"  # a level that was asked for, not a measure
    if _is_missing(value):
        return NOTHING
    return " ".join(value.split()) if isinstance(value, str) else number(name, value)


def _cost(name: str, record: dict[Any, Any]) -> str:
    """A cost, with its ratio to the baseline if there is one, or the words that say why there is no cost."""
    value, ratio = record[name], f"{name}_ratio"
    if _is_missing(value):
        return str(record.get(f"{name}_state", NOTHING))
    if ratio not in record:
        return number(name, value)
    against = NO_BASELINE if _is_missing(record[ratio]) else number(ratio, record[ratio])
    return f"{number(name, value)} ({against})"


def _is_missing(value: Any) -> bool:
    return value is None or bool(value != value)  # NaN alone differs from itself


def number(name: str, value: float) -> str:
    """Return a number as people read it, by the column it stands in.

    Recalls have four decimals, ratios two (the smallest one digit that counts), bytes their binary unit,
    everything else three significant digits and thousands separators.
    """
    if name in _PLAIN_INTEGERS or isinstance(value, bool):
        return str(value)
    if name.endswith("_ratio"):
        return f"{value:,.2f}x" if abs(value) >= 0.01 else f"{value:.1g}x"
    if name.startswith("recall"):
        return f"{value:.4f}"
    if name.endswith("_bytes") or (name in BY_NAME and BY_NAME[name].unit == "bytes"):
        return _bytes(value)
    return _significant(value)


def _significant(value: float) -> str:
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _bytes(value: float) -> str:
    for unit in _BYTE_UNITS:
        if abs(value) < 1024 or unit == _BYTE_UNITS[-1]:
            break
        value /= 1024
    return f"{value:.4g} {unit}"
