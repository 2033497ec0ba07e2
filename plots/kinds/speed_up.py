"""How many times as fast as a baseline, at several recalls."""

import logging
from dataclasses import replace
from fnmatch import fnmatchcase

import numpy as np
import pandas as pd

from ...results.comparison import BEST_PEER, CENTROID, comparison, has_baseline, names_one
from ...results.labels import short_labels
from ..errors import NothingToShowError
from ..figures import draw_panels
from ..globs import chosen
from ..kind import Axis, Kind, Options, Source
from ..trace import Trace, grouped

LEVELS = (0.8, 0.9, 0.95, 0.99)
FIGURE_BY = ("dataset", "k", "mode")

log = logging.getLogger(__name__)


def _rows(source: Source, options: Options) -> pd.DataFrame:
    """Return the ratios of all algorithms: who is shown must not decide what they are compared with."""
    table = chosen(source.table, replace(options, algorithms=()))
    measured = table[table["status"] == "ok"]
    if measured.empty:
        raise NothingToShowError("speed-up: found nothing that was measured, expected some queries per second")
    found, lacking = [], []
    for (dataset, k, mode), rows in grouped(measured, *FIGURE_BY):
        baseline = options.baseline or (CENTROID if names_one(rows, CENTROID) else BEST_PEER)
        if has_baseline(rows, baseline):
            compared = comparison(rows, options.levels or LEVELS, baseline)
            found.append(compared.assign(baseline=_named(rows, baseline)))
        else:
            lacking.append(f"{dataset}, k = {k}, mode {mode}")
    reason = "neither one centroid router nor another library as baseline, expected --relative-to GLOB"
    if options.baseline:
        known = ", ".join(sorted(set(measured["algorithm"])))
        reason = f"no algorithm {options.baseline!r} as baseline, expected --relative-to and a glob for one of: {known}"
    if not found:
        raise NothingToShowError(f"speed-up: found {reason}")
    for place in lacking:
        log.warning("no speed-up figure for %s: found %s", place, reason)
    names = measured[["dataset", "algorithm", "probing", "series"]].drop_duplicates()
    return pd.concat(found, ignore_index=True).merge(names)


def _named(rows: pd.DataFrame, baseline: str) -> str:
    # What the legend calls it; empty for the best of many, which is another one from recall to recall.
    labels = short_labels(rows["algorithm"])
    named = [label for text, label in labels.items() if fnmatchcase(text, baseline)]
    return "" if baseline == BEST_PEER else " or ".join(sorted(named))


def _speed_up(rows: pd.DataFrame, options: Options) -> list[Trace]:
    compared = rows[rows["qps_ratio"].notna()].sort_values("recall")
    found = []
    for (series, label, threads), some in grouped(compared, "series", "label", "threads"):
        x, y = (some[name].to_numpy(np.float64) for name in ("recall", "qps_ratio"))
        is_baseline = (some["baseline"] != "").all() and (y == 1.0).all()
        # The baseline has no bars: they would have no height.
        found.append(
            Trace(f"baseline: {label}", "", x, y, threads=threads) if is_baseline else
            Trace(label, series, x, y, threads=threads)
        )  # fmt: skip
    return found + _left_out(compared) if all(trace.algorithm for trace in found) else found


def _left_out(compared: pd.DataFrame) -> list[Trace]:
    """A guide that names the baseline where --algorithms leaves it out."""
    x = np.unique(compared["recall"].to_numpy(np.float64))
    return [Trace(f"baseline: {name}", "", x, np.ones(len(x))) for name in sorted(set(compared["baseline"])) if name]


SPEED_UP = Kind(
    "speed-up",
    "queries per second over those of a baseline (--relative-to) at several recalls",
    _rows,
    (*FIGURE_BY, "threads", "recall", "algorithm", "probing", "series", "qps_ratio", "baseline"),
    _speed_up,
    draw_panels,
    x=Axis("recall@{k}"),
    y=Axis("times the baseline's queries per second", "log"),
    mark="bars",
    figure_by=FIGURE_BY,
)
