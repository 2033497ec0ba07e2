"""Recall over work, as the reports draw it: one curve for each router of a contest."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from .competition import BASELINE, ORACLE, Contest, contests
from .laboratory import neighbours
from .routing import recall_curve
from .run import FloatArray64, Run

KEPT = 80  # list counts of a curve that are kept, evenly spaced on a logarithmic axis


def curves(runs: Iterable[Run], baseline: str = BASELINE) -> pd.DataFrame:
    """Return recall over the lists opened and the points scanned, mean over seeds at each list count.

    Parameters
    ----------
    runs, baseline
        As for `laboratory`.

    Returns
    -------
    DataFrame
        ``dataset``, ``clustering``, ``router``, ``algorithm``, ``family`` (the router's type), ``role`` ("baseline",
        "oracle" or "router"), ``k``, ``lists`` (ℓ), ``lists_percent``, ``points_percent``, ``recall``.
    """
    rows = [_curve(contest, router, k) for contest in contests(runs, baseline) for k in neighbours(contest)
            for router in contest.runs]  # fmt: skip
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()


def _curve(contest: Contest, router: str, k: int) -> pd.DataFrame:
    runs = contest.of(router)
    count = min(len(run.routing.scanned) for run in runs if run.routing is not None)
    kept = np.unique(np.geomspace(1, count, KEPT).round().astype(np.int64))
    points = np.mean([_scanned(run)[kept - 1] for run in runs], axis=0)
    return pd.DataFrame(
        {
            "dataset": contest.dataset,
            "clustering": contest.clustering,
            "router": contest.labels[router],
            "algorithm": runs[0].algorithm,
            "family": router.partition("(")[0],
            "role": role(contest, router),
            "k": k,
            "lists": kept,
            "lists_percent": 100.0 * kept / count,
            "points_percent": 100.0 * points / contest.n,
            "recall": np.mean([recall_curve(run, k)[kept - 1] for run in runs], axis=0),
        }
    )


def role(contest: Contest, router: str) -> str:
    """Return what a router is in its contest: "baseline", "oracle" (a bound that knows the answers) or "router"."""
    if router == contest.baseline:
        return "baseline"
    return "oracle" if router.startswith(ORACLE) else "router"


def _scanned(run: Run) -> FloatArray64:
    assert run.routing is not None
    return run.routing.scanned
