"""Results of ours or of another suite, from whatever folder: what comes out are runs, so that all the rest just works.

Other suites' files do not say which build a sweep point belongs to: points of one algorithm that took exactly the same
time to build are one build. Distances are computed anew from the ids, on the dataset: a result counts for what it
found, not for what it claims.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...datasets.dataset import Dataset
from ...datasets.distance import distances_to
from ...datasets.errors import DatasetError
from ...datasets.metric import canonical_metric
from ...results.errors import ResultError
from ...results.exchange.suite_file import SuitePoint, kind_of_file, read_suite_file
from ...results.key import SUFFIX
from ...results.run import FloatArray64, Point, Run
from ...results.store import load_runs, paths_below
from ..errors import RunError
from .find_dataset import find_dataset

_TOLERANCE = 1e-3  # between stored and recomputed distances: float32 arithmetic of long vectors

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Loaded:
    """Runs, and whether the folder is ours, where tables and figures are kept, or somebody else's: only read."""

    runs: list[Run]
    ours: bool


def load_results(folder: Path, datasets: Sequence[str] = ()) -> Loaded:
    """Read every result below a folder of ivfbench, ann-benchmarks, VIBE or big-ann-benchmarks.

    A folder that holds any result of ours is ours. Files that cannot be used are skipped, each with one warning line
    in the log, and so are all results on a dataset that cannot be had.

    Parameters
    ----------
    folder
        The root of the results, or a part of it.
    datasets
        Names or paths of datasets that other suites' results were measured on; see `find_dataset`.

    Raises
    ------
    ResultError
        The folder does not exist.
    RunError
        Results of another suite, none of which can be used.
    """
    kinds: dict[Path, str] = {}
    for path in paths_below(folder, f"*{SUFFIX}"):
        kinds[path] = kind_of_file(path)
        if kinds[path] == "ivfbench":
            break
    if "ivfbench" in kinds.values() or "suite" not in kinds.values():
        return Loaded(load_runs(folder), ours=True)
    by_dataset: dict[str, list[SuitePoint]] = {}
    for path in kinds:
        try:
            for point in read_suite_file(path):
                by_dataset.setdefault(point.dataset, []).append(point)
        except ResultError as error:
            log.warning("skipped %s", error)
    runs: list[Run] = []
    missing: list[RunError | DatasetError] = []
    for name, points in by_dataset.items():
        try:
            runs += _runs(find_dataset(name, datasets, [point.path for point in points]), name, points)
        except (RunError, DatasetError) as error:
            missing.append(error)
    if not runs:
        raise missing[0] if missing else RunError(f"{folder}: found no usable result, expected some")
    for reason in missing:
        log.warning("skipped results: %s", reason)
    return Loaded(runs, ours=False)


def _runs(dataset: Dataset, name: str, found: list[SuitePoint]) -> list[Run]:
    truth = distances_to(dataset.train, dataset.test, dataset.neighbors, dataset.metric)
    labels = Counter(_label(one) for one in found)
    builds: dict[Any, list[tuple[SuitePoint, Point]]] = {}
    for one in found:
        # Where two points have one name, as with query parameters that it leaves out, their files tell them apart.
        told = {**one.query_parameters, **({"file": one.place} if labels[_label(one)] > 1 else {})}
        try:
            point = _point(dataset, one, told)
        except (ResultError, DatasetError) as error:
            log.warning("skipped %s: %s", one.path, error)
            continue
        build = (one.ids.shape[1], one.algorithm, one.seed, one.build_seconds, one.index_bytes)
        builds.setdefault(build, []).append((one, point))
    return [_run(dataset, name, truth, points) for points in builds.values()]


def _label(point: SuitePoint) -> tuple[Any, ...]:
    return point.ids.shape[1], point.algorithm, point.mode, point.name


def _run(dataset: Dataset, name: str, truth_distances: FloatArray64, points: Sequence[tuple[SuitePoint, Point]]) -> Run:
    one = points[0][0]
    return Run(
        dataset=name,
        dataset_sha256=dataset.sha256,
        metric=dataset.metric,
        synthetic=dataset.synthetic,
        n=dataset.n,
        dimension=dataset.dimension,
        algorithm=one.algorithm,
        parameters={},
        k=one.ids.shape[1],
        seed=one.seed,
        threads=0,
        build_seconds=one.build_seconds,
        learn_seconds=0.0,
        label_seconds=0.0,
        compile_seconds=0.0,
        index_bytes=one.index_bytes,
        router_bytes=0,
        peak_memory_bytes=0,
        train_bytes=dataset.train.nbytes,
        truth_ids=dataset.neighbors,
        truth_distances=truth_distances,
        stored_truth_distances=dataset.distances,
        notes={"suite": one.suite},
        points=tuple(point for _, point in points),
    )


def _point(dataset: Dataset, one: SuitePoint, query_parameters: Mapping[str, Any]) -> Point:
    _check(dataset, one)
    queries = len(one.ids)
    distances = distances_to(dataset.train, dataset.test[:queries], one.ids, dataset.metric)
    if one.distances is not None:
        both = np.isfinite(one.distances) & np.isfinite(distances)  # others have no distance to a zero vector
        away = np.abs(one.distances[both] - distances[both]) > _TOLERANCE * (1 + np.abs(distances[both]))
        if away.any():
            said = f"{away.sum():,} of {away.size:,} stored distances are not those of their ids"
            log.warning("%s: %s: those of the ids count", one.path, said)
    return Point(
        mode=one.mode,
        threads=one.threads,
        query_parameters=query_parameters,
        ids=one.ids.astype(np.int32),
        distances=distances,
        lists_probed=np.zeros(queries, np.int64),
        points_scanned=np.zeros(queries, np.int64),
        seconds=one.seconds,
    )


def _check(dataset: Dataset, one: SuitePoint) -> None:
    queries, k = one.ids.shape
    if one.metric and canonical_metric(one.metric) != dataset.metric:
        raise ResultError(f"found distance {one.metric!r}, expected {dataset.metric!r} as in the dataset")
    if queries > dataset.queries or k > dataset.neighbors.shape[1]:
        most = f"{dataset.queries} queries and {dataset.neighbors.shape[1]} neighbours"
        raise ResultError(f"found answers to {queries} queries with {k} neighbours, expected at most {most}")
    if one.ids.min() < -1 or one.ids.max() >= dataset.n:
        raise ResultError(f"found ids from {one.ids.min()} to {one.ids.max()}, expected -1 to {dataset.n - 1}")
