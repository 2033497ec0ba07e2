"""Is a difference in speed more than luck? The times of single queries, compared in pairs.

Both methods answer the same queries at the same mean recall, so that their times go up and down together; what is
resampled is the difference, over queries and seeds, as in the reports. Batches have one time for all queries, and
nothing to pair.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from .comparison import GROUP
from .paired import RESAMPLES, bootstrap_differences, holm
from .query_costs import query_costs
from .run import FloatArray64, Run

SIGNIFICANT = 0.05


def rate_p_values(runs: Iterable[Run], compared: pd.DataFrame, *, resamples: int = RESAMPLES) -> "pd.Series[float]":
    """Return for each row of a comparison the p-value of its difference in time per query to the baseline.

    Parameters
    ----------
    runs
        The comparison was made of them.
    compared
        As `comparison` returns it with a baseline.
    resamples
        Of each comparison.

    Returns
    -------
    Series of float
        Two-sided, corrected by Holm's method for all rows. NaN for the baseline, and where nothing can be paired:
        in mode batch, where either does not reach the recall, without a common seed.
    """
    runs = list(runs)
    times = {float(level): _times(query_costs(runs, float(level))) for level in sorted(set(compared["recall"]))}
    found = pd.Series(np.nan, compared.index)
    groups: Any = compared.groupby([*GROUP, "recall"], sort=True)
    for (*_, level), rows in groups:
        baselines = rows.index[rows["qps_ratio"] == 1.0]  # a number over itself is 1 exactly
        if len(baselines) != 1:
            continue
        theirs = times[level].get(_key(compared.loc[baselines[0]]), {})
        for index in rows.index.difference(baselines):
            pair = _pair(times[level].get(_key(compared.loc[index]), {}), theirs)
            if pair is not None:
                found[index] = bootstrap_differences(pair[np.newaxis], resamples=resamples)[0].tail_p
    return pd.Series(holm(found.tolist()), compared.index)


def _times(costs: pd.DataFrame) -> dict[tuple[Any, ...], dict[tuple[int, int], FloatArray64]]:
    """Seconds of each query by place, and by threads and seed of the build."""
    found: dict[tuple[Any, ...], dict[tuple[int, int], FloatArray64]] = {}
    curves: Any = costs.groupby([*GROUP, "algorithm", "probing", "build_threads", "seed"], sort=True)
    for (*place, threads, seed), rows in curves:
        seconds = rows.sort_values("query")["seconds"].to_numpy(np.float64)
        if np.isfinite(seconds).all():
            found.setdefault(tuple(place), {})[int(threads), int(seed)] = seconds
    return found


def _key(row: "pd.Series[Any]") -> tuple[Any, ...]:
    return tuple(row[name] for name in (*GROUP, "algorithm", "probing"))


def _pair(
    ours: Mapping[tuple[int, int], FloatArray64], theirs: Mapping[tuple[int, int], FloatArray64]
) -> FloatArray64 | None:
    """Differences by build and query, (s, q), None where there is nothing to pair."""
    builds = [build for build in ours if build in theirs and len(ours[build]) == len(theirs[build])]
    if not builds or len({len(ours[build]) for build in builds}) > 1:
        return None
    return np.stack([ours[build] - theirs[build] for build in builds])
