"""What each build cost: one row per build, its notes beside it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from .canonical import canonical_json
from .run import Run
from .table import dataset_name

_COPIED = (
    *("algorithm", "k", "seed", "threads"),
    *("build_seconds", "learn_seconds", "label_seconds", "compile_seconds"),
    *("index_bytes", "router_bytes", "peak_memory_bytes"),
)
BUILD_COLUMNS = ("dataset", *_COPIED, "peak_over_train", "status", "message")
_SORTED_BY = ["dataset", "k", "algorithm", "seed", "threads"]


def builds(runs: Iterable[Run]) -> pd.DataFrame:
    """Return one row per build.

    Parameters
    ----------
    runs
        As `load_runs` gives them.

    Returns
    -------
    DataFrame
        `BUILD_COLUMNS` (seconds and bytes as in the table; `peak_over_train` is the largest resident size
        over the size of the database vectors), then one column ``notes.<path>`` per note found in any run,
        sorted by name. A note that is a number everywhere stays a number, any other becomes text; curves are left out.
    """
    rows = [_row(run) for run in runs]
    noted = sorted({name for row in rows for name in row} - set(BUILD_COLUMNS))
    frame = pd.DataFrame(rows, columns=[*BUILD_COLUMNS, *noted])
    for name in noted:
        frame[name] = _one_type([row.get(name) for row in rows])
    return frame.sort_values(_SORTED_BY, kind="stable", ignore_index=True)


def _row(run: Run) -> dict[str, Any]:
    return {
        "dataset": dataset_name(run),
        **{name: getattr(run, name) for name in _COPIED},
        "peak_over_train": run.peak_memory_bytes / run.train_bytes if run.train_bytes else math.nan,
        "status": run.status,
        "message": run.message,
        **_flat(run.notes, "notes"),
    }


def _flat(notes: Mapping[str, Any], path: str) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in notes.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{path}.{name}"))
        elif not _is_a_curve(value):
            flat[f"{path}.{name}"] = value
    return flat


def _is_a_curve(value: Any) -> bool:
    # Many numbers under one name, as those of each epoch are: they are drawn, not tabulated.
    return isinstance(value, Sequence) and len(value) > 0 and all(isinstance(one, float) for one in value)


def _one_type(values: list[Any]) -> "pd.Series[Any]":
    """A column of one type: numbers if all are, else text; what is absent stays absent."""
    present = [value for value in values if value is not None]
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in present):
        whole = len(present) == len(values) and all(isinstance(value, int) for value in present)
        return pd.Series(values, dtype="int64" if whole else "float64")
    return pd.Series([None if value is None else _text(value) for value in values], dtype="object").astype("str")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else canonical_json(value, strict=False, where="notes")
