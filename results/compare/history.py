"""The history: one line for each commit and curve, comparable only under one fingerprint of the environment.

Seconds of the search are divided by those of the frozen reference kernel, measured in the same passes: a slower
machine, or a busier one, slows both. What stays exact (points scanned at a recall) is stored as it is.
"""

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..canonical import canonical_json
from ..errors import ResultError
from ..files import replacing
from .comparison import Comparison, Judged
from .fronts import pareto, stretched
from .steps import steps

LEVEL = 0.9
"""The recall at which a front is read for the history; a front that does not reach it is read at its best."""
COLUMNS = {
    "commit": "str", "time": "float64", "fingerprint": "str", "curve": "str", "state": "str", "recall": "float64",
    "cost": "float64", "seconds_per_query": "float64", "reference_seconds": "float64", "points": "float64",
    "speed_up": "float64", "speed_up_low": "float64", "speed_up_high": "float64", "index_bytes": "int64",
    "rounds": "int64",
}  # fmt: skip
_IDENTITY = ("processor", "processor_name_of_llvm", "cores", "logical_cores", "python", "packages", "system")


def fingerprint(machine: Mapping[str, Any]) -> str:
    """Return 12 hexadecimal digits for what must be equal so that times may be compared: machine and software."""
    identity = canonical_json({name: machine.get(name) for name in _IDENTITY}, strict=False)
    return hashlib.sha256(identity.encode("ascii")).hexdigest()[:12]


def history_rows(comparison: Comparison, time: float) -> pd.DataFrame:
    """Return the lines of a comparison: head's, one for each curve that was timed.

    Parameters
    ----------
    comparison
        With a clock.
    time
        Seconds since 1970.
    """
    rows = [_row(one, comparison, time) for one in comparison.judged if one.times is not None]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _row(one: Judged, comparison: Comparison, time: float) -> dict[str, Any]:
    assert one.times is not None
    assert one.time is not None
    seconds = np.median(one.times.seconds[one.clock, "head"], axis=(0, 1)) / one.times.queries
    reference = float(np.median(one.times.reference))
    level = min(LEVEL, float(one.head.mean_recall.max()))
    low, high = one.time.speed_up.interval(0.95)
    at = math.exp(-_read(one.head.mean_recall, -np.log(seconds), level))
    frugality = one.head.log_frugality
    return {
        "commit": str(comparison.machine.get("head_commit") or comparison.head),
        "time": time,
        "fingerprint": fingerprint(comparison.machine),
        "curve": str(one.curve),
        "state": one.state,
        "recall": level,
        "cost": at / reference,
        "seconds_per_query": at,
        "reference_seconds": reference,
        "points": math.exp(-_read(one.head.mean_recall, frugality, level)) if np.isfinite(frugality).all() else np.nan,
        "speed_up": one.time.speed_up.ratio,
        "speed_up_low": low,
        "speed_up_high": high,
        "index_bytes": one.head.index_bytes,
        "rounds": comparison.rounds,
    }


def _read(recall: Any, log_rate: Any, level: float) -> float:
    front = pareto(recall, log_rate)
    return float(np.interp(stretched(np.array([level])), stretched(front[0]), front[1])[0])


def append_history(path: Path, rows: pd.DataFrame) -> pd.DataFrame:
    """Add lines to a history file, made where there is none; a commit's earlier lines of that fingerprint go."""
    if path.exists():
        before = load_history(path)
        key = ["commit", "fingerprint", "curve"]
        again = before.set_index(key).index.isin(rows.set_index(key).index)
        rows = pd.concat([before[~again], rows], ignore_index=True)
    with replacing(path) as temporary:
        rows.to_parquet(temporary, index=False)
    return rows


def load_history(path: Path) -> pd.DataFrame:
    """Read a history file.

    Raises
    ------
    ResultError
        No such file, not Parquet, or not a history.
    """
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        found = "an unreadable file" if path.exists() else "no such file"
        raise ResultError(f"{path}: found {found}, expected a history in Parquet") from error
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise ResultError(f"{path}: found no column {missing[0]!r}, expected a history")
    return frame


def news(found: pd.DataFrame, tolerance: float) -> pd.DataFrame:
    """Return the last step of each curve where it made it slower by more than tolerated and nobody accepted it."""
    last = found.groupby(["fingerprint", "curve"], sort=True).tail(1)
    return last[(last["slower"] > tolerance) & (last["accepted"] == "")]


def history_steps(frame: pd.DataFrame, accepted: Mapping[str, str]) -> pd.DataFrame:
    """Return where the cost of each curve stepped, under each fingerprint.

    Parameters
    ----------
    frame
        A history.
    accepted
        Reasons by commit (or the beginning of one): a step there is no news, and the level begins anew.

    Returns
    -------
    DataFrame
        ``fingerprint``, ``curve``, ``commit`` (the first of the new level), ``time``, ``slower`` (share by which the
        cost rose, negative where it fell), ``accepted`` (the reason, or empty).
    """
    rows = []
    for (machine, curve), lines in frame.sort_values("time").groupby(["fingerprint", "curve"], sort=True):
        known = lines[np.isfinite(lines["cost"])]
        for step in steps(np.log(known["cost"].to_numpy(np.float64))):
            line = known.iloc[step.place]
            reason = next((said for commit, said in accepted.items() if str(line["commit"]).startswith(commit)), "")
            slower = math.expm1(step.after - step.before)
            rows.append((machine, curve, line["commit"], line["time"], slower, reason))
    return pd.DataFrame(rows, columns=["fingerprint", "curve", "commit", "time", "slower", "accepted"])
