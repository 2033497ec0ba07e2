"""The laboratory's table: one row for each dataset, clustering, router, k and budget.

Accuracy under budgets of lists and of points, its difference to the baseline with an interval, and a p-value that
is corrected for every comparison in the table, because whoever reads a table picks from it. Beside them what the
router costs: bytes, training, labelling, latency, and the work at fixed recall.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from .at_recall import at_recall
from .competition import BASELINE, Contest, contests, parameters_text
from .errors import ResultError
from .paired import RESAMPLES, Paired, bootstrap_differences, holm
from .ratios import RESAMPLES as MOST_OF_A_RATIO
from .ratios import Ratio, ratio_of, resampled_points
from .routing import (
    accuracy_at_lists,
    accuracy_at_points,
    lists_at_recall,
    lists_of_share,
    opened_size,
    points_at_recall,
    routing_latency,
)
from .run import FloatArray64, Run
from .table import table

SHARES = (0.001, 0.01, 0.05, 0.1)
BUDGETS: tuple[tuple[str, float], ...] = tuple((kind, share) for kind in ("lists", "points") for share in SHARES)
LEVELS = (0.9, 0.95)
OPENED = 0.01  # of the lists: whose size is compared with the mean
NEIGHBOURS = (1, 10, 100)
TOGETHER = 8  # routers resampled at once: some 20 MB each
Reading = dict[tuple[Any, ...], FloatArray64]
_NOTHING = Paired(math.nan, math.nan, math.nan, math.nan, math.nan)


def laboratory(runs: Iterable[Run], baseline: str = BASELINE, *, resamples: int = RESAMPLES) -> pd.DataFrame:
    """Return the table of all routers that were observed alone.

    Parameters
    ----------
    runs
        As `load_runs` gives them; those without routing count only for their queries per second.
    baseline
        See `contests`.
    resamples
        Of each comparison; of the ratio of points, which takes longer, 2,000 at most.

    Returns
    -------
    DataFrame
        ``dataset``, ``clustering``, ``router`` (labels), ``algorithm``, ``parameters``, ``dimension``, ``metric``,
        ``k``, ``budget`` ("lists" or "points"), ``share`` (of L or of n); ``accuracy`` (mean over queries and seeds);
        ``baseline`` (whether this is it); ``difference``, ``low``, ``high`` (95 %), ``p`` (Holm-corrected over the
        table; NaN where there is nothing to compare); ``seeds``, ``queries``; ``router_bytes``, ``build_seconds``,
        ``learn_seconds``, ``label_seconds``, ``latency_us`` (medians over seeds), ``opened_size`` (mean size of the
        first 1 % of the lists opened over that of a list); for each level of `LEVELS`
        ``points_at_…`` and ``lists_at_…`` (means over seeds, NaN unless all reach it), ``points_ratio_at_…`` with
        ``…_low``, ``…_high``, and ``qps_at_…`` (of mode single, NaN where it was not measured); ``warnings``.

    Raises
    ------
    ResultError
        No run has routing.
    """
    runs = list(runs)
    found = contests(runs, baseline)
    if not found:
        raise ResultError("laboratory: found no run with routing, expected some (ivfbench run --mode routing)")
    rates = _rates(runs)
    rows = [row for contest in found for row in _rows(contest, rates, resamples)]
    frame = pd.DataFrame(rows)
    frame["p"] = holm(frame["p"].tolist())
    return frame


def neighbours(contest: Contest) -> list[int]:
    """Return the k of 1, 10 and 100 that the truth holds."""
    return [k for k in NEIGHBOURS if k <= contest.depth]


def _rows(contest: Contest, rates: dict[tuple[Any, ...], float], resamples: int) -> list[dict[str, Any]]:
    settings = [(k, kind, share) for k in neighbours(contest) for kind, share in BUDGETS]
    accuracies = {router: _accuracies(contest.of(router), settings) for router in contest.runs}
    compared = _compare(contest, settings, resamples)
    rows = []
    read: Reading = {}
    for router in contest.runs:
        facts = _facts(contest, router)
        for place, (k, kind, share) in enumerate(settings):
            if place % len(BUDGETS) == 0:
                work = _work(contest, router, k, rates, read, min(resamples, MOST_OF_A_RATIO))
            told = compared.get(router, [_NOTHING] * len(settings))[place]
            rows.append(
                {
                    **{name: facts[name] for name in _FIRST},
                    "k": k,
                    "budget": kind,
                    "share": share,
                    "accuracy": float(accuracies[router][:, :, place].mean()),
                    "baseline": facts["baseline"],
                    "difference": told.difference,
                    "low": told.low,
                    "high": told.high,
                    "p": told.tail_p,
                    **{name: value for name, value in facts.items() if name not in (*_FIRST, "baseline", "warnings")},
                    **work,
                    "warnings": facts["warnings"],
                }
            )
    return rows


def _accuracies(runs: Sequence[Run], settings: Sequence[tuple[int, str, float]]) -> FloatArray64:
    """(s, q, c): by seed, query and setting."""
    return np.stack([np.stack([accuracy(run, *setting) for setting in settings], axis=1) for run in runs])


def accuracy(run: Run, k: int, budget: str, share: float) -> FloatArray64:
    """Return the accuracy of each query under a share of the "lists" or of the "points", (q,) float64."""
    if budget == "points":
        return accuracy_at_points(run, k, share * run.n)
    assert run.routing is not None
    return accuracy_at_lists(run, k, lists_of_share(share, len(run.routing.scanned)))


def _compare(contest: Contest, settings: Sequence[tuple[int, str, float]], resamples: int) -> dict[str, list[Paired]]:
    compared: dict[str, list[Paired]] = {}
    rivals = [router for router in contest.runs if router != contest.baseline and contest.pairs(router)[0]]
    # Drawing the resamples costs more than using them: routers of equally many seeds share them.
    by_seeds: dict[int, list[str]] = {}
    for router in rivals:
        by_seeds.setdefault(len(contest.pairs(router)[0]), []).append(router)
    for alike in by_seeds.values():
        for start in range(0, len(alike), TOGETHER):
            routers = alike[start : start + TOGETHER]
            stacked = np.concatenate([_differences(contest, router, settings) for router in routers])
            told = bootstrap_differences(stacked, resamples=resamples)
            for place, router in enumerate(routers):
                compared[router] = told[place * len(settings) : (place + 1) * len(settings)]
    return compared


def _differences(contest: Contest, router: str, settings: Sequence[tuple[int, str, float]]) -> FloatArray64:
    """(c, s, q): the router minus the baseline, by setting, seed and query."""
    ours, theirs = contest.pairs(router)
    return (_accuracies(ours, settings) - _accuracies(theirs, settings)).transpose(2, 0, 1)


_FIRST = ("dataset", "clustering", "router", "algorithm", "parameters", "dimension", "metric")


def _facts(contest: Contest, router: str) -> dict[str, Any]:
    runs = contest.of(router)
    noted = [str(text) for run in runs for text in run.notes.get("warnings", ())]
    return {
        "dataset": contest.dataset,
        "clustering": contest.clustering,
        "router": contest.labels[router],
        "algorithm": runs[0].algorithm,
        "parameters": parameters_text(runs[0]),
        "dimension": runs[0].dimension,
        "metric": runs[0].metric,
        "baseline": router == contest.baseline,
        "seeds": len(runs),
        "queries": contest.queries,
        "router_bytes": int(np.median([run.router_bytes for run in runs])),
        **{name: float(np.median([getattr(run, name) for run in runs])) for name in _SECONDS},
        "opened_size": float(np.mean([opened_size(run, OPENED) for run in runs])),
        "latency_us": 1e6 * float(np.median([routing_latency(run) for run in runs])),
        "warnings": "; ".join(dict.fromkeys(noted)),
    }


_SECONDS = ("build_seconds", "learn_seconds", "label_seconds")


def _work(
    contest: Contest, router: str, k: int, rates: dict[tuple[Any, ...], float], read: Reading, resamples: int
) -> dict[str, float]:
    runs, work = contest.of(router), {}
    for level in LEVELS:
        ratio = _ratio(contest, router, k, level, read, resamples)
        work[f"points_at_{level:g}"] = float(np.mean([points_at_recall(run, k, level) for run in runs]))
        work[f"points_ratio_at_{level:g}"] = ratio.ratio
        work[f"points_ratio_at_{level:g}_low"] = ratio.low
        work[f"points_ratio_at_{level:g}_high"] = ratio.high
        work[f"lists_at_{level:g}"] = float(np.mean([lists_at_recall(run, k, level) for run in runs]))
        work[f"qps_at_{level:g}"] = rates.get((contest.dataset, runs[0].algorithm, k, level), math.nan)
    return work


def _ratio(contest: Contest, router: str, k: int, level: float, read: Reading, resamples: int) -> Ratio:
    ours, theirs = contest.pairs(router)
    if router == contest.baseline:
        return Ratio(1.0, 1.0, 1.0)
    if not ours:
        return Ratio(math.nan, math.nan, math.nan)
    place = (*(run.seed for run in theirs), k, level)  # the baseline is read once for all its rivals
    if place not in read:
        read[place] = resampled_points(theirs, k, level, resamples=resamples)
    return ratio_of(resampled_points(ours, k, level, resamples=resamples), read[place])


def _rates(runs: Sequence[Run]) -> dict[tuple[Any, ...], float]:
    """Queries per second of mode single by dataset, algorithm, k and level: median over seeds, fixed ℓ only."""
    frame = table(runs)
    fixed = ~frame["query_parameters"].str.contains('"probing"', regex=False)
    read = at_recall(frame[(frame["mode"] == "single") & fixed], LEVELS, "qps")
    grouped = read.groupby(["dataset", "algorithm", "k", "level"])["value"]
    # Of all seeds, or of none: those that reach a recall are the lucky ones.
    return {key: float(np.median(seeds)) for key, seeds in grouped} if len(read) else {}
