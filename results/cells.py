"""Tables for people: numbers at the precision they deserve, words where there is no number.

Every rendering but CSV starts here. CSV and Parquet keep the numbers themselves.
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from .columns import BY_NAME
from .comparison import NO_BASELINE
from .labels import short_labels

NOTHING = "-"
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

    Algorithms get their short labels; in a comparison the state columns are folded into the cells they
    explain, so that a missing number reads "not reached" or "below the sweep".
    """
    headers = tuple(str(name) for name in frame.columns if "_state@" not in str(name))
    labels = short_labels(frame["algorithm"]) if "algorithm" in frame else {}
    records = frame.to_dict("records")
    rows = tuple(tuple(_cell(name, record, labels) for name in headers) for record in records)
    right = tuple(bool(pd.api.types.is_numeric_dtype(frame[name])) for name in headers)
    return Cells(headers, rows, right)


def _cell(name: str, record: dict[Any, Any], labels: dict[str, str]) -> str:
    value = record[name]
    if name == "algorithm":
        return " ".join(labels[value].split())
    if value is None or value != value:  # NaN alone differs from itself
        return _missing(name, record)
    if isinstance(value, str):
        return " ".join(value.split())
    return number(name, value)


def _missing(name: str, record: dict[Any, Any]) -> str:
    cost, _, level = name.partition("@")
    state = record.get(f"{cost.removesuffix('_ratio')}_state@{level}", NOTHING)
    return NO_BASELINE if state == "reached" else str(state)


def number(name: str, value: float) -> str:
    """Return a number as people read it, by the column it stands in.

    Recalls have four decimals, ratios three digits and a sign, bytes their binary unit, everything else three
    significant digits and thousands separators.
    """
    base = name.partition("@")[0]
    if base in _PLAIN_INTEGERS or isinstance(value, bool):
        return str(value)
    if base.endswith("_ratio"):
        return f"{value:,.0f}×" if abs(value) >= 100 else f"{value:#.3g}×"
    if base.startswith("recall"):
        return f"{value:.4f}"
    if base.endswith("_bytes") or (base in BY_NAME and BY_NAME[base].unit == "bytes"):
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
