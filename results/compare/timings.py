"""pytest-benchmark's JSON, judged like fronts: pairs of fresh processes, medians of their rounds, and a tolerance.

One file is one process of one side; several files of a side, taken in turns with the other's, are pairs. With fewer
than three pairs nothing is judged: rounds of one process say nothing of the luck of that process. There is no arm of
base against itself in such files; where base has twice as many files, the second half is that control.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import ResultError
from ..run import FloatArray64
from .intervals import FEWEST, Estimate
from .states import NOT_JUDGED
from .verdict import TimeVerdict, judge_times

COLUMNS = ("benchmark", "state", "speed_up", "low", "high", "control", "pairs", "reason")


def compare_timings(base: Path, head: Path, tolerance: float) -> pd.DataFrame:
    """Compare what pytest-benchmark measured.

    Parameters
    ----------
    base, head
        A file, or a folder of them; the i-th of base is paired with the i-th of head, by the time of writing.
    tolerance
        δ, the share of speed that may be lost.

    Returns
    -------
    DataFrame
        One row for each benchmark that both have: ``benchmark``, ``state``, ``speed_up``, ``low``, ``high`` (95 %),
        ``control``, ``pairs``, ``reason``.

    Raises
    ------
    ResultError
        No such files, files of another kind, or no benchmark in common.
    """
    ours, theirs = _series(base), _series(head)
    names = sorted(ours.keys() & theirs.keys())
    if not names:
        raise ResultError(f"{head}: found no benchmark that {base} has too, expected at least one")
    estimates = [_estimates(ours[name], theirs[name]) for name in names]
    verdicts = judge_times(estimates, tolerance, 1) if estimates[0][0].known else [_told(one) for one, _ in estimates]
    return pd.DataFrame([_row(name, one) for name, one in zip(names, verdicts, strict=True)], columns=COLUMNS)


def _estimates(ours: FloatArray64, theirs: FloatArray64) -> tuple[Estimate, Estimate]:
    # Logarithms of the medians of processes: head against base, and base's second half against its first.
    pairs = len(theirs)
    again = ours[pairs : 2 * pairs]
    control = _estimate(ours[:pairs], again) if len(again) == pairs else Estimate(math.nan, math.nan, 0)
    return _estimate(ours[:pairs], theirs[: len(ours)]), control


def _estimate(ours: FloatArray64, theirs: FloatArray64) -> Estimate:
    quicker = ours - theirs
    count = len(quicker)
    error = float(quicker.std(ddof=1)) / math.sqrt(count) if count >= FEWEST else math.nan
    return Estimate(float(quicker.mean()), error, count)


def _told(estimate: Estimate) -> TimeVerdict:
    reason = f"{estimate.pairs} process of each side: told, not judged; at least {FEWEST} are, taken in turns"
    return TimeVerdict(estimate, Estimate(math.nan, math.nan, 0), math.nan, NOT_JUDGED, reason)


def _row(name: str, verdict: TimeVerdict) -> dict[str, Any]:
    low, high = verdict.speed_up.interval(0.95)
    numbers = {"speed_up": verdict.speed_up.ratio, "low": low, "high": high, "control": verdict.control.ratio}
    return {
        "benchmark": name,
        "state": verdict.state,
        **numbers,
        "pairs": verdict.speed_up.pairs,
        "reason": verdict.reason,
    }


def _series(path: Path) -> dict[str, FloatArray64]:
    # Logarithm of the median of every process, (p,), by benchmark; only what every file has.
    documents: Sequence[dict[str, Any]] = sorted(
        (_document(file) for file in _files(path)), key=lambda document: str(document.get("datetime", ""))
    )
    if not documents:
        raise ResultError(f"{path}: found no JSON, expected what pytest-benchmark writes")
    medians = []
    for document in documents:
        try:
            medians.append({one["fullname"]: float(one["stats"]["median"]) for one in document["benchmarks"]})
        except (KeyError, TypeError, ValueError) as error:
            raise ResultError(f"{path}: found JSON without {error}, expected what pytest-benchmark writes") from None
    common = set.intersection(*(set(one) for one in medians))
    return {name: np.log([one[name] for one in medians]) for name in common}


def _files(path: Path) -> list[Path]:
    return sorted(path.rglob("*.json")) if path.is_dir() else [path] if path.suffix == ".json" else []


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        found = "an unreadable file" if path.exists() else "no such file"
        raise ResultError(f"{path}: found {found}, expected JSON") from error
    return document if isinstance(document, dict) else {}
