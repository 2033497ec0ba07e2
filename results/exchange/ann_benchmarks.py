"""Our results as ann-benchmarks writes its own: one HDF5 file per sweep point, which its tools read as they are.

::

    results/<dataset>/<k>/<algorithm>[-batch]/<parameters>.hdf5
    /               attributes: algo, name, dataset, distance, count, run_count, batch_mode, best_search_time, ...
    /times          (q,) float32, seconds
    /neighbors      (q, k) int32, packed to the left, -1 where there is none
    /distances      (q, k) float32, +inf where there is none

Its rules: the rate is that of the best repetition; sizes are in kB; a dataset's or algorithm's name goes into file
names and pages unescaped, and an underscore in it breaks the pages. Unlike there, the times stored are those of the
best repetition too, and no two settings share a file: its file names forget signs and dots, hence a hash in ours.

Source: ``ann_benchmarks/results.py`` and ``runner.py`` at f402b2c.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ..canonical import canonical_json
from ..errors import ResultError
from ..files import replacing
from ..key import SHORT, SUFFIX, run_key, slug
from ..labels import short_labels
from ..run import FloatArray32, IntArray32, Point, Run
from ..table import dataset_name

MARK = "ivfbench"
"""The attribute that tells our files from others; its value is the canonical text of the algorithm."""
PREFIX = "ivfbench-"  # of algorithms: a library that both suites measure keeps two curves
_LONGEST = 120  # characters of a file name before its hash


@dataclass(frozen=True, kw_only=True, eq=False)
class Exported:
    """One sweep point as ann-benchmarks holds it: the root's attributes and the three arrays of its file."""

    path: Path
    attributes: dict[str, Any]
    times: FloatArray32
    neighbors: IntArray32
    distances: FloatArray32


def export_points(runs: Iterable[Run]) -> list[tuple[Run, Exported]]:
    """Return every measured sweep point with its run; points that failed are left out.

    Parameters
    ----------
    runs
        As `load_runs` gives them.

    Returns
    -------
    list
        `Exported.path` is relative to the root of an ann-benchmarks checkout.
    """
    return [(run, _exported(run, point)) for run in runs for point in run.points if point.status == "ok"]


def write_ann_benchmarks(folder: Path, runs: Iterable[Run]) -> list[Path]:
    """Write result files below ``folder/results`` and return their paths.

    Parameters
    ----------
    folder
        A checkout of ann-benchmarks, or any folder; it is made where it is missing. Files that this function wrote
        before are replaced, each in one step.
    runs
        As `load_runs` gives them.

    Raises
    ------
    ResultError
        There is nothing to export, a file of somebody else is in the way, or the folder cannot be written; before
        anything is written where that can be known.
    """
    exported = [point for _, point in export_points(runs)]
    if not exported:
        raise ResultError("found no measured sweep point, expected some to export")
    for point in exported:
        if (folder / point.path).exists() and not _is_ours(folder / point.path):
            raise ResultError(f"{folder / point.path}: found a file that ivfbench did not write, expected none")
    try:
        for point in exported:
            with replacing(folder / point.path) as temporary:
                _write(temporary, point)
    except OSError as error:
        raise ResultError(f"{folder}: cannot be written to: {error.strerror or error}") from error
    return [folder / point.path for point in exported]


def dataset_label(run: Run) -> str:
    """Return the dataset's name as ann-benchmarks can bear it: no underscores, nothing that paths or pages read.

    Generated data are named so here too: "drift-synthetic".
    """
    return slug(dataset_name(run))


def curve_name(algorithm: str) -> str:
    """Return the name of the curve that an algorithm belongs to: one for all its builds, as is usual there.

    An inverted file is named after its router and codec, any other algorithm after its type.
    """
    label = short_labels([algorithm])[algorithm]
    return PREFIX + slug(label if label.startswith("IVF ") else algorithm.partition("(")[0])


def _exported(run: Run, point: Point) -> Exported:
    queries = len(point.ids)
    passes = point.seconds.sum(axis=1)
    best = int(np.argmin(passes))
    times = point.seconds[best] if point.mode == "single" else np.full(queries, passes[best] / queries)
    order = np.argsort(point.ids < 0, axis=1, kind="stable")
    ids = np.take_along_axis(point.ids, order, axis=1)
    distances = np.where(ids < 0, np.inf, np.take_along_axis(point.distances, order, axis=1))
    attributes = {
        "algo": curve_name(run.algorithm),
        "name": _name(run, point),
        "dataset": dataset_label(run),
        "distance": run.metric,
        "count": run.k,
        "run_count": len(point.seconds),
        "batch_mode": point.mode == "batch",
        "best_search_time": float(passes[best] / queries),
        "candidates": float((ids >= 0).sum(axis=1).mean()),
        # A learnt router is charged for its training and for its labels.
        "build_time": run.build_seconds + run.learn_seconds + run.label_seconds,
        "index_size": run.index_bytes / 1024,
        "expect_extra": False,
        MARK: run.algorithm,
        "seed": run.seed,
        "threads": point.threads,
        "query_parameters": canonical_json(point.query_parameters),
    }
    if point.points_scanned.sum() > 0:
        attributes["dist_comps"] = int(point.points_scanned.sum()) * len(point.seconds)
    return Exported(
        path=_path(run, point),
        attributes=attributes,
        times=times.astype(np.float32),
        neighbors=ids.astype(np.int32),
        distances=distances.astype(np.float32),
    )


def _path(run: Run, point: Point) -> Path:
    key = run_key(
        dataset_sha256=run.dataset_sha256,
        algorithm=run.algorithm,
        parameters=run.parameters,
        k=run.k,
        seed=run.seed,
        threads=run.threads,
    )
    asked = [point.mode, point.threads, point.query_parameters]
    short = hashlib.sha256((key + canonical_json(asked)).encode("ascii")).hexdigest()[:SHORT]
    spelled = re.sub(r"\W+", "_", json.dumps([run.algorithm, point.query_parameters], sort_keys=True)).strip("_")
    folder = curve_name(run.algorithm) + ("-batch" if point.mode == "batch" else "")
    file = f"{spelled[:_LONGEST].strip('_')}_{short}{SUFFIX}"
    return Path("results", dataset_label(run), str(run.k), folder, file)


def _name(run: Run, point: Point) -> str:
    """The label of a point, which tells every parameter; it goes into pages between quotation marks, unescaped."""
    asked = [f"{name}={canonical_json(value)}" for name, value in sorted(point.query_parameters.items())]
    more = [f"seed={run.seed}", *([f"threads={point.threads}"] if point.mode == "batch" else [])]
    return re.sub(r"[\"'\\<>&\n]", "", " ".join([run.algorithm, *asked, *more]))


def _write(path: Path, point: Exported) -> None:
    with h5py.File(path, "w") as file:
        file.attrs.update(point.attributes)
        for name in ("times", "neighbors", "distances"):
            file.create_dataset(name, data=getattr(point, name), track_times=False)


def _is_ours(path: Path) -> bool:
    try:
        with h5py.File(path, "r") as file:
            return MARK in file.attrs
    except OSError:
        return False
