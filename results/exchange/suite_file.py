"""Result files that other suites wrote, read as they are and never written to.

ann-benchmarks keeps one sweep point in a file, VIBE one in each group of a file; both hold ids, distances and one time
per query. big-ann-benchmarks holds ids alone, and the time of the whole batch. Attributes come and go with the year a
file was written in, so each has a fallback: the folder it lies in, ``<dataset>/<k>/<algorithm>[-batch]/<file>``.

Layouts read: ann-benchmarks ``results.py`` (f402b2c), VIBE ``vibe/results.py`` (b332c73), big-ann-benchmarks
``benchmark/results.py`` (k-NN tracks).
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ..errors import ResultError
from ..layout import FORMAT
from ..readable import mark
from ..run import FloatArray32, FloatArray64, IntArray64
from .ann_benchmarks import MARK

_FAULTS = (
    *(OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, NotImplementedError),
    MemoryError,  # a damaged file may declare any size
)
_BATCH = "-batch"


@dataclass(frozen=True, kw_only=True, eq=False)
class SuitePoint:
    """One sweep point of another suite.

    Parameters
    ----------
    suite
        "ann-benchmarks", "VIBE" or "big-ann-benchmarks".
    path, place
        The file; and its name, with the group where it holds several points.
    dataset, metric, algorithm, name
        As the suite spells them; `metric` is empty where it is not told. `name` tells the parameters of this point.
    query_parameters, seed
        Those of a point that ivfbench exported, whose `algorithm` is then the canonical text; else `name` alone, and 0.
    mode
        "single" or "batch".
    threads
        Threads used to answer; 0 where it is not told.
    build_seconds
        NaN where it is not told.
    index_bytes
        0 where it is not told.
    ids
        (q, k) int64, padded with -1.
    distances
        (q, k) float32 as stored, or None.
    seconds
        Single mode: (1, q) float64; batch mode: (r, 1) float64, one time per batch.
    """

    suite: str
    path: Path
    place: str
    dataset: str
    metric: str
    algorithm: str
    name: str
    query_parameters: Mapping[str, Any]
    seed: int
    mode: str
    threads: int
    build_seconds: float
    index_bytes: int
    ids: IntArray64
    distances: FloatArray32 | None
    seconds: FloatArray64


def kind_of_file(path: Path) -> str:
    """Return what an HDF5 file holds, without reading it: "ivfbench", "suite" or "other".

    Parameters
    ----------
    path
        Any file.
    """
    try:
        with h5py.File(path, "r") as file:
            if mark(file, "format") == FORMAT:
                return "ivfbench"
            return "suite" if _holders(file) else "other"
    except (ResultError, *_FAULTS):
        return "other"


def read_suite_file(path: Path) -> list[SuitePoint]:
    """Read the sweep points of a file.

    Parameters
    ----------
    path
        A file of ann-benchmarks, VIBE or big-ann-benchmarks.

    Returns
    -------
    list of SuitePoint
        In the order of the groups; none where the file is a dataset, which lies beside results in some folders.

    Raises
    ------
    ResultError
        The file is damaged, or holds answers that are not k nearest neighbours. The message names it.
    """
    try:
        with h5py.File(path, "r") as file:
            holders = _holders(file)
            if not holders and "train" not in file:
                raise ResultError("found no answers with their times, expected results of k nearest neighbours")
            return [_point(holder, path) for holder in holders]
    except ResultError as error:
        raise ResultError(f"{path}: {error}") from error
    except _FAULTS as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ResultError(f"{path}: found an unreadable file ({said}), expected results in HDF5") from error


def _holders(file: h5py.File) -> list[h5py.Group]:
    """The groups that hold the answers of one sweep point each: the root itself, or some of its children."""
    if _answers(file):
        return [file]
    # A link to another file is never followed.
    children = [file[key] for key in file if isinstance(file.get(key, getlink=True), h5py.HardLink)]
    return [child for child in children if isinstance(child, h5py.Group) and _answers(child)]


def _answers(group: h5py.Group) -> bool:
    # A dataset has neighbours too, but nobody took a time.
    return "neighbors" in group and ("times" in group or "best_search_time" in group.attrs)


def _point(group: h5py.Group, path: Path) -> SuitePoint:
    told = {key: _plain(value) for key, value in group.attrs.items()}
    if "lims" in group or told.get("type", "knn") != "knn":
        raise ResultError(f"found a search of type {told.get('type', 'range')!r}, expected k nearest neighbours")
    ids = _array(group, "neighbors", "iu", 2).astype(np.int64)
    if 0 in ids.shape:
        raise ResultError(f"neighbors: found the shape {ids.shape}, expected queries and neighbours")
    distances = _array(group, "distances", "f", 2).astype(np.float32) if "distances" in group else None
    if distances is not None and distances.shape != ids.shape:
        raise ResultError(f"distances: found the shape {distances.shape}, expected {ids.shape} as neighbors")
    folder = path.resolve().parent
    name = str(told.get("name", path.stem))
    suite = _suite(group)
    mode = _mode(told, suite, folder.name)
    size = _number(told, "index_size")
    return SuitePoint(
        suite=suite,
        path=path,
        place=path.stem + group.name.rstrip("/"),
        dataset=str(told.get("dataset", folder.parent.parent.name)),
        metric=str(told.get("distance", "")),
        algorithm=str(told.get(MARK, told.get("algo", folder.name.removesuffix(_BATCH)))),
        name=name,
        query_parameters=_asked(told) if MARK in told else {"name": name},
        seed=int(told["seed"]) if MARK in told else 0,
        mode=mode,
        threads=1 if mode == "single" else int(told["threads"]) if MARK in told else 0,
        build_seconds=_number(told, "build_time"),
        index_bytes=max(0, round(1024 * size)) if math.isfinite(size) else 0,
        ids=ids,
        distances=distances,
        seconds=_seconds(group, told, len(ids), mode),
    )


def _asked(told: Mapping[str, Any]) -> dict[str, Any]:
    asked = json.loads(told["query_parameters"])
    if not isinstance(asked, dict) or "NaN" in told["query_parameters"] or "Infinity" in told["query_parameters"]:
        raise ResultError(f"query_parameters: found {told['query_parameters']!r:.80}, expected a JSON object")
    return asked


def _suite(group: h5py.Group) -> str:
    if "times" not in group:
        return "big-ann-benchmarks"
    return "ann-benchmarks" if group.name == "/" else "VIBE"


def _mode(told: Mapping[str, Any], suite: str, folder: str) -> str:
    if suite == "big-ann-benchmarks":
        return "batch"
    batch = told.get("batch_mode", told.get("gpu_mode", folder.endswith(_BATCH)))
    return "batch" if batch else "single"


def _seconds(group: h5py.Group, told: Mapping[str, Any], queries: int, mode: str) -> FloatArray64:
    """The times of the best run. In all three suites the rate is that of the best run."""
    best = _number(told, "best_search_time")
    if "times" not in group:  # big-ann-benchmarks: the seconds of each batch
        every = np.atleast_1d(np.asarray(told.get("search_times", best), np.float64))
        return _checked(every, "search_times")[:, np.newaxis]
    each = _array(group, "times", "f", 1).astype(np.float64)
    if each.shape != (queries,):
        raise ResultError(f"times: found the shape {each.shape}, expected ({queries},) as neighbors")
    together = float(_checked(each, "times").sum())
    if not math.isnan(best):
        # What is stored are the times of the last run; scaled, they keep their shape and add up to the best one.
        each = each * (best * queries / together) if together > 0 else np.full(queries, best)
    if not _checked(each, "best_search_time").sum() > 0:
        raise ResultError("times: found nothing but 0, expected seconds")
    return each[np.newaxis] if mode == "single" else each.sum(keepdims=True)[np.newaxis]


def _checked(seconds: FloatArray64, name: str) -> FloatArray64:
    if not (np.isfinite(seconds).all() and (seconds >= 0).all()):
        raise ResultError(f"{name}: found times below 0 or not finite, expected seconds")
    return seconds


def _array(group: h5py.Group, key: str, kinds: str, dimensions: int) -> np.ndarray[Any, Any]:
    link, item = group.get(key, getlink=True), group.get(key)
    if isinstance(link, h5py.ExternalLink) or not isinstance(item, h5py.Dataset) or item.external or item.is_virtual:
        raise ResultError(f"{key}: found a link or a group, expected an array stored in this file")
    if item.dtype.kind not in kinds or len(item.shape) != dimensions:
        found = f"{item.dtype} of {len(item.shape)} dimensions"
        raise ResultError(
            f"{key}: found {found}, expected {'integers' if kinds == 'iu' else 'numbers'} of {dimensions}"
        )
    return np.asarray(item[()])


def _number(told: Mapping[str, Any], key: str) -> float:
    value = told.get(key, math.nan)
    return float(value) if isinstance(value, int | float) else math.nan


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic) and value.size == 1:
        value = value.item()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
