"""What each query gets and costs at one recall, so that methods can be compared query by query.

Methods are compared where their mean recall is the same, as `at_recall` does: between the two neighbouring points of
the front of queries per second. The time of each query is read off there on a logarithmic line, as the mean is, its
recall on a straight one: what it would get if the two settings were used in turns.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from .at_recall import REACHED, at_recall, front
from .canonical import canonical_json
from .columns import CURVE
from .recall import recall
from .run import FloatArray64, Point, Run
from .table import table

QUERY_COLUMNS = (*CURVE, "level", "query", "recall", "seconds")
_SAME = 1e-9


def query_costs(runs: Iterable[Run], level: float) -> pd.DataFrame:
    """Return one row for each query of each curve that reaches a mean recall.

    Parameters
    ----------
    runs
        As `load_runs` gives them.
    level
        Mean recall, above 0 and at most 1.

    Returns
    -------
    DataFrame
        The columns of `CURVE`, ``level``, ``query`` (its row among the test queries), ``recall`` and ``seconds``
        (median over repetitions; NaN in mode batch, where a query has no time of its own).

    Raises
    ------
    ResultError
        A level outside (0, 1].
    """
    parts = [part for run in runs for part in _of_run(run, level)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(QUERY_COLUMNS))


def _of_run(run: Run, level: float) -> Iterable[pd.DataFrame]:
    rows = table([run])
    read = at_recall(rows, (level,))
    points = {_place(point.mode, point.threads, point.query_parameters): point for point in run.points}
    fronts = dict(iter(front(rows).groupby(list(CURVE), sort=True)))
    for reading in read[read["state"] == REACHED].to_dict("records"):
        key = tuple(reading[name] for name in CURVE)
        below, above = (
            points[row["mode"], row["threads"], row["query_parameters"]]
            for row in (_row(fronts[key], reading[end]) for end in ("recall_below", "recall_above"))
        )
        share = _share(reading, level)
        both = min(len(below.ids), len(above.ids))  # runs may have asked different numbers of the same queries
        yield pd.DataFrame(
            {
                **{name: reading[name] for name in CURVE},
                "level": level,
                "query": np.arange(both),
                "recall": (1.0 - share) * _recalls(run, below)[:both] + share * _recalls(run, above)[:both],
                "seconds": _seconds(below, above, share, both),
            }
        )


def _place(mode: str, threads: int, query_parameters: Mapping[str, Any]) -> tuple[str, int, str]:
    return mode, threads, canonical_json(query_parameters, where="query_parameters")


def _row(curve: pd.DataFrame, recall_of_it: float) -> Mapping[Any, Any]:
    return curve[(curve["recall"] - recall_of_it).abs() <= _SAME].to_dict("records")[0]


def _share(reading: Mapping[Any, Any], level: float) -> float:
    width = reading["recall_above"] - reading["recall_below"]
    return 1.0 if width <= _SAME else (level - reading["recall_below"]) / width


def _recalls(run: Run, point: Point) -> FloatArray64:
    return recall(point.ids, point.distances, run.truth_ids, run.truth_distances, run.k, run.metric)


def _seconds(below: Point, above: Point, share: float, count: int) -> FloatArray64:
    if above.mode != "single":
        return np.full(count, math.nan)
    first, last = (np.log(np.median(point.seconds[:, :count], axis=0)) for point in (below, above))
    return np.asarray(np.exp((1.0 - share) * first + share * last), np.float64)
