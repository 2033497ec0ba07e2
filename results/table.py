"""The tidy table: one row per sweep point, every column a pure function of the raw run.

A failed point, or a failed build, keeps its row with its status and no measures, and so does a build that was
skipped: what is left out of a table is soon left out of a conclusion. Work that an algorithm does not tell, as other
libraries do not, is missing rather than 0.
"""

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from .canonical import canonical_json
from .columns import BY_NAME, COLUMNS
from .conditions import cores_used
from .errors import ResultError
from .files import replacing
from .metrics import latency_percentiles_ms, lists_probed_percentiles, queries_per_second
from .probing import NO_PROBING, probing_name, recall_promised
from .recall import mean_recall_ann_benchmarks, recall
from .run import Point, Run

FILE_NAME = "results.parquet"
NO_MODE = "none"
SORTED_BY = ("dataset", "k", "mode", "algorithm", "seed", "probing", "points_scanned")
# Beyond the promised order, so that the rows do not depend on the order of the files.
_TIES = ("threads", "query_parameters", "parameters")


def table(runs: Iterable[Run]) -> pd.DataFrame:
    """Return the table of many runs.

    Parameters
    ----------
    runs
        As `load_runs` gives them.

    Returns
    -------
    DataFrame
        The columns of `COLUMNS` in order, sorted by dataset, k, mode, algorithm, seed, probing, points_scanned.
    """
    rows = [row for run in runs for row in _rows(run)]
    frame = _typed(pd.DataFrame(rows, columns=[column.name for column in COLUMNS]))
    return frame.sort_values([*SORTED_BY, *_TIES], kind="stable", ignore_index=True)


def save_table(folder: Path | str, frame: pd.DataFrame) -> Path:
    """Write ``<folder>/results.parquet``, whole or not at all; equal tables give equal bytes."""
    path = Path(folder) / FILE_NAME
    with replacing(path) as temporary:
        frame.to_parquet(temporary, index=False)
    return path


def load_table(path: Path | str) -> pd.DataFrame:
    """Read a table written by `save_table`; a folder stands for the file inside it.

    Raises
    ------
    ResultError
        No such file, not Parquet, or a column is missing.
    """
    path = Path(path)
    path = path / FILE_NAME if path.is_dir() else path
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        found = "an unreadable file" if path.exists() else "no such file"
        raise ResultError(f"{path}: found {found}, expected a table in Parquet") from error
    if "query_parameters" in frame.columns and "probing" not in frame.columns:
        frame = _as_before_policies(frame)
    if "n" not in frame.columns:
        frame = frame.assign(n=0, dimension=0, peak_memory_bytes=0)
        frame = frame[[name for name in BY_NAME if name in frame.columns]]
    if "cores_used" not in frame.columns and "status" in frame.columns:
        frame = frame.assign(cores_used=math.nan)
        frame = frame[[name for name in BY_NAME if name in frame.columns]]
    if "build_threads" not in frame.columns and "threads" in frame.columns:
        frame = frame.assign(build_threads=frame["threads"])
        frame = frame[[name for name in BY_NAME if name in frame.columns]]
    missing = [name for name in BY_NAME if name not in frame.columns]
    if missing:
        raise ResultError(f"{path}: found no column {missing[0]!r}, expected the columns of a results table")
    return frame


def _as_before_policies(frame: pd.DataFrame) -> pd.DataFrame:
    # A table of before there were probing policies: every query opened the same number of lists.
    asked = [json.loads(text) for text in frame["query_parameters"]]
    same = {f"lists_probed_p{percent}": frame["lists_probed"] for percent in (10, 50, 90) if "lists_probed" in frame}
    frame = frame.assign(probing=[probing_name(one) for one in asked], recall_promised=math.nan, **same)
    return frame[[name for name in BY_NAME if name in frame.columns]]


def dataset_name(run: Run) -> str:
    """Return the dataset's name as people must see it: "drift (synthetic)" where the vectors were made up."""
    return f"{run.dataset} (synthetic)" if run.synthetic else run.dataset


def _rows(run: Run) -> list[dict[str, Any]]:
    if not run.points and run.routing is not None:
        return []  # nothing was searched: what the router did stands in the reports
    if not run.points:
        nothing = {"query_parameters": "{}", "probing": NO_PROBING, "mode": NO_MODE, "threads": run.threads}
        return [{**_build_cells(run), **nothing, "status": run.status}]
    return [{**_build_cells(run), **_point_cells(point), **_measures(run, point)} for point in run.points]


def _build_cells(run: Run) -> dict[str, Any]:
    copied = (
        *("n", "dimension", "algorithm", "k", "seed"),
        *("build_seconds", "learn_seconds", "label_seconds", "compile_seconds"),
        *("index_bytes", "router_bytes", "peak_memory_bytes"),
    )
    cells = {name: getattr(run, name) for name in copied}
    if run.status != "ok":
        cells.update({name: math.nan for name in copied if name.endswith("_seconds")})
    return {
        **cells,
        "dataset": dataset_name(run),
        "build_threads": run.threads,
        "parameters": canonical_json(run.parameters, where="parameters"),
    }


def _point_cells(point: Point) -> dict[str, Any]:
    query_parameters = canonical_json(point.query_parameters, where="query_parameters")
    return {
        "query_parameters": query_parameters,
        "probing": probing_name(point.query_parameters),
        "recall_promised": recall_promised(point.query_parameters),
        "mode": point.mode,
        "threads": point.threads,
        "status": point.status,
    }


def _measures(run: Run, point: Point) -> dict[str, float]:
    if point.status != "ok":
        return {}
    found = recall(point.ids, point.distances, run.truth_ids, run.truth_distances, run.k, run.metric)
    rate = queries_per_second(point)
    p50, p95, p99 = latency_percentiles_ms(point)
    few, middle, many = (told(lists) for lists in lists_probed_percentiles(point))
    return {
        "recall": float(found.mean()),
        "recall_ann_benchmarks": mean_recall_ann_benchmarks(point.distances, run.stored_truth_distances, run.k),
        "qps": rate.median,
        "qps_low": rate.low,
        "qps_high": rate.high,
        "latency_p50_ms": p50,
        "latency_p95_ms": p95,
        "latency_p99_ms": p99,
        "lists_probed": told(float(point.lists_probed.mean())),
        "lists_probed_p10": few,
        "lists_probed_p50": middle,
        "lists_probed_p90": many,
        "points_scanned": told(float(point.points_scanned.mean())),
        "cores_used": cores_used(point),
    }


def told(work: float) -> float:
    """Return a count of work as it is, NaN where it is 0: who finds something has looked at something."""
    return work if work > 0 else math.nan


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype({column.name: column.dtype for column in COLUMNS})
