"""The table that ann-benchmarks' ``data_export.py`` writes: the same columns, order and definitions.

Batch results, which it never exports, have ``-batch`` behind their algorithm, as on its pages. Two of its columns are
not what their names say and are kept so that tables can be joined: `rel` divides the distances of k answers by those of
all true neighbours that the dataset stores, and `qps` is that of the best repetition.

Source: ``ann_benchmarks/plotting/metrics.py`` at f402b2c.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import ResultError
from ..recall import mean_recall_ann_benchmarks
from ..run import Run
from .ann_benchmarks import Exported, export_points
from .texts import write_texts

COLUMNS = (
    *("algorithm", "parameters", "count", "k-nn", "epsilon", "largeepsilon", "rel", "qps"),
    *("p50", "p95", "p99", "p999", "distcomps", "build", "candidates", "indexsize", "queriessize", "dataset"),
)


def ann_benchmarks_table(runs: Iterable[Run]) -> pd.DataFrame:
    """Return one row per measured sweep point with the columns of `COLUMNS`; latencies in ms, sizes in kB.

    Parameters
    ----------
    runs
        As `load_runs` gives them.
    """
    return pd.DataFrame([_row(run, point) for run, point in export_points(runs)], columns=list(COLUMNS))


def write_ann_benchmarks_csv(path: Path, runs: Iterable[Run]) -> Path:
    """Write `ann_benchmarks_table` as CSV, and return its path.

    Raises
    ------
    ResultError
        There is nothing to export, another file has that name, or it cannot be written.
    """
    frame = ann_benchmarks_table(runs)
    if frame.empty:
        raise ResultError("found no measured sweep point, expected some to export")
    write_texts({path: frame.to_csv(index=False)})
    return path


def _row(run: Run, point: Exported) -> dict[str, Any]:
    told, k = point.attributes, run.k
    truth = run.stored_truth_distances[: len(point.distances)].astype(np.float64)
    rate = 1.0 / told["best_search_time"]
    return {
        "algorithm": told["algo"] + ("-batch" if told["batch_mode"] else ""),
        "parameters": told["name"],
        "count": k,
        "k-nn": mean_recall_ann_benchmarks(point.distances, run.stored_truth_distances, k),
        "epsilon": _within(point, truth[:, k - 1] * (1 + 0.01), k),
        "largeepsilon": _within(point, truth[:, k - 1] * (1 + 0.1), k),
        "rel": float(point.distances.sum(dtype=np.float64) / truth.sum()) if truth.sum() >= 0.01 else np.inf,
        "qps": rate,
        **{f"p{name}": 1000.0 * float(np.percentile(point.times, float(name))) for name in ("50", "95", "99")},
        "p999": 1000.0 * float(np.percentile(point.times, 99.9)),
        "distcomps": told.get("dist_comps", 0) / (told["run_count"] * len(point.times)),
        "build": told["build_time"],
        "candidates": told["candidates"],
        "indexsize": told["index_size"],
        "queriessize": told["index_size"] / rate,
        "dataset": told["dataset"],
    }


def _within(point: Exported, limit: np.ndarray[Any, np.dtype[np.float64]], k: int) -> float:
    return float(np.mean((point.distances[:, :k] <= limit[:, np.newaxis]).sum(axis=1)) / k)
