"""Our results as cuVS-bench's tables, which its ``plot`` reads.

::

    <dataset>/result/build/<algorithm>,base.csv
    <dataset>/result/search/<algorithm>,base,k<k>,bs<batch>,{raw,throughput,latency}.csv

The batch is 1 for single queries, else all test queries. Recall is ours by ids, throughput in queries per second,
latency the seconds of one call, both medians over repetitions; ``throughput`` and ``latency`` hold the Pareto front of
``raw``. Its reader splits lines at every comma, so names hold none.

Source: ``python/cuvs_bench/cuvs_bench/run/data_export.py`` and ``plot/__main__.py``.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..canonical import canonical_json
from ..errors import ResultError
from ..metrics import queries_per_second
from ..recall import recall
from ..run import Point, Run
from .ann_benchmarks import curve_name, dataset_label
from .texts import write_texts


def write_cuvs(folder: Path, runs: Iterable[Run]) -> list[Path]:
    """Write build and search tables below a folder, and return their paths.

    Parameters
    ----------
    folder
        The data folder of cuVS-bench, or any folder; it is made where it is missing.
    runs
        As `load_runs` gives them.

    Raises
    ------
    ResultError
        There is nothing to export, another file has such a name, or the folder cannot be written.
    """
    measured = [(run, point) for run in runs for point in run.points if point.status == "ok"]
    if not measured:
        raise ResultError("found no measured sweep point, expected some to export")
    texts: dict[Path, str] = {}
    for (name, algorithm), builds in _grouped(measured, lambda run, _: (dataset_label(run), curve_name(run.algorithm))):
        result = folder / name / "result"
        texts[result / "build" / f"{algorithm},base.csv"] = _csv(_build_row(run) for run, _ in builds)
        for (k, batch), points in _grouped(builds, lambda run, point: (run.k, _batch(point))):
            raw = [_search_row(run, point) for run, point in points]
            stem = f"{algorithm},base,k{k},bs{batch}"
            fronts = {"raw": raw, "throughput": _front(raw, "throughput", -1), "latency": _front(raw, "latency", 1)}
            texts.update({result / "search" / f"{stem},{kind}.csv": _csv(rows) for kind, rows in fronts.items()})
    write_texts(texts)
    return list(texts)


def _grouped(measured: Iterable[tuple[Run, Point]], key: Any) -> list[tuple[Any, list[tuple[Run, Point]]]]:
    groups: dict[Any, list[tuple[Run, Point]]] = {}
    for run, point in measured:
        groups.setdefault(key(run, point), []).append((run, point))
    return list(groups.items())


def _csv(rows: Iterable[dict[str, Any]]) -> str:
    return pd.DataFrame(rows).drop_duplicates().to_csv(index=False)


def _index(run: Run) -> str:
    return f"{run.algorithm}.seed{run.seed}.threads{run.threads}".replace(", ", ";").replace(",", ";")


def _batch(point: Point) -> int:
    return 1 if point.mode == "single" else len(point.ids)


def _build_row(run: Run) -> dict[str, Any]:
    seconds = run.build_seconds + run.learn_seconds + run.label_seconds
    return {"algo_name": curve_name(run.algorithm), "index_name": _index(run), "time": seconds, "threads": run.threads}


def _search_row(run: Run, point: Point) -> dict[str, Any]:
    found = recall(point.ids, point.distances, run.truth_ids, run.truth_distances, run.k, run.metric)
    build = _build_row(run)
    return {
        "algo_name": build["algo_name"],
        "index_name": build["index_name"],
        "recall": float(found.mean()),
        "throughput": queries_per_second(point).median,
        "latency": float(np.median(point.seconds.mean(axis=1))),
        "threads": point.threads,
        "search_label": canonical_json(point.query_parameters),
        "build time": build["time"],
        "build threads": build["threads"],
    }


def _front(rows: list[dict[str, Any]], column: str, sign: int) -> list[dict[str, Any]]:
    """The rows that no other beats in recall and in this column, best first; `sign` is -1 where more is better."""
    front: list[dict[str, Any]] = []
    for row in sorted(rows, key=lambda row: (sign * row[column], -row["recall"])):
        if not front or row["recall"] > front[-1]["recall"]:
            front.append(row)
    return front
