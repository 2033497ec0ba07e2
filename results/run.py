"""What one measurement leaves behind: raw answers, raw times and the counters of work.

A `Run` is one build and its whole sweep; a `Point` is one setting of that sweep in one mode. Both hold what
was observed and nothing that was computed from it: recall, rates and percentiles are pure functions applied
later (`recall`, `metrics`), so that a change of definition never asks for a new measurement.

A `Routing` is what a build's router does with every list, observed without any search.

Symbols: n database vectors, q queries, k neighbours asked for, K >= k neighbours in the ground truth,
r repetitions, L lists.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

MODES = ("single", "batch")
DEEPEST = 100  # true neighbours that a `Routing` follows
FAILURES = ("failed", "timeout", "killed", "memory")  # by itself, by the clock, by a signal, for want of memory
STATUSES = ("ok", *FAILURES, "skipped")

IntArray32 = npt.NDArray[np.int32]
IntArray64 = npt.NDArray[np.int64]
FloatArray32 = npt.NDArray[np.float32]
FloatArray64 = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Point:
    """One sweep point in one mode.

    The fields are given by keyword; equality is identity, because arrays have no single truth value.

    Parameters
    ----------
    mode
        "single": one query per call; "batch": all queries in one call. The two never share a curve.
    threads
        Threads used to answer; 1 in single mode.
    query_parameters
        The settings of the search, for example ``{"nprobe": 12}``; empty for exact search.
    status, message
        "ok", or one of `FAILURES` with the reason in one line.
    ids
        (q, k) int32, padded with -1. The q queries may be a prefix of the dataset's test queries.
    distances
        (q, k) float64, recomputed from pristine data after timing, +inf where the id is -1.
    lists_probed, points_scanned
        (q,) int64, the work done for each query.
    seconds
        Single mode: (r, q) float64, one time per query. Batch mode: (r, 1) float64, one time per batch.
    conditions
        What went on meanwhile, as far as it was told: ``wall_seconds`` and ``cpu_seconds`` of all timed passes,
        ``stolen_seconds``, ``load_average`` and more.
    """

    mode: str
    threads: int
    query_parameters: Mapping[str, Any]
    status: str = "ok"
    message: str = ""
    ids: IntArray32
    distances: FloatArray64
    lists_probed: IntArray64
    points_scanned: IntArray64
    seconds: FloatArray64
    conditions: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class Routing:
    """Where the router puts the lists of the true neighbours, for every test query; nothing was scanned.

    Every budget follows from these integers: a neighbour is found by ℓ lists when its rank is below ℓ, and by a
    number of points when the points before its list leave room for it.

    Parameters
    ----------
    rank
        (q, K) int32, position of the list of each of the first K <= `DEEPEST` true neighbours in the order of the
        router, 0 is first; L where the router did not rank that list.
    before
        (q, K) int32, points in the lists ranked before that list; n where it was not ranked.
    size
        (q, K) int32, points in that list, the neighbour included.
    scanned
        (L,) float64, points in the first ℓ lists, mean over queries; entry 0 is ℓ = 1.
    seconds
        (r, c) float64, time to route one query to `nprobe` lists on one thread, for the first c test queries.
    nprobe
        Lists asked for while the clock ran.
    """

    rank: IntArray32
    before: IntArray32
    size: IntArray32
    scanned: FloatArray64
    seconds: FloatArray64
    nprobe: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """One build, its whole sweep, one k.

    Parameters
    ----------
    dataset, dataset_sha256, metric, synthetic, n, dimension
        What was searched. A synthetic dataset is named as such in every table and figure.
    algorithm
        The canonical text of the algorithm, for example ``IVF(KMeans(lists=328), Learnt(), Float32())``.
    parameters
        The same as a JSON-able mapping with every field explicit.
    k, seed, threads
        Neighbours asked for, seed of the build, threads of the build.
    build_seconds, learn_seconds, label_seconds, compile_seconds
        Time to build the index, to train the router, to label its training queries, to compile the kernels.
    index_bytes, router_bytes, peak_memory_bytes, train_bytes
        Size of the index, of the router inside it, largest resident size, size of the database vectors.
    truth_ids, truth_distances, stored_truth_distances
        (q, K) int32 ids; (q, K) float64 distances recomputed; (q, K) float32 distances as the dataset stores
        them.
    notes, environment
        Free facts about the build, and about the machine and the software.
    status, message
        "ok", one of `FAILURES` or "skipped", with the reason in one line. Only a build that is ok has points. What was
        skipped could not be asked: a library that is not installed, or that does not know the metric.
    points
        The sweep.
    routing
        What the router alone does; None where it was not asked, or where there is no router.
    """

    dataset: str
    dataset_sha256: str
    metric: str
    synthetic: bool
    n: int
    dimension: int
    algorithm: str
    parameters: Mapping[str, Any]
    k: int
    seed: int
    threads: int
    build_seconds: float
    learn_seconds: float
    label_seconds: float
    compile_seconds: float
    index_bytes: int
    router_bytes: int
    peak_memory_bytes: int
    train_bytes: int
    truth_ids: IntArray32
    truth_distances: FloatArray64
    stored_truth_distances: FloatArray32
    notes: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    status: str = "ok"
    message: str = ""
    points: tuple[Point, ...] = ()
    routing: Routing | None = None


def failed_point(
    mode: str, threads: int, query_parameters: Mapping[str, Any], k: int, message: str, status: str = "failed"
) -> Point:
    """Return the point that stands for a setting that could not be measured.

    Parameters
    ----------
    mode, threads, query_parameters
        The setting.
    k
        Neighbours asked for.
    message
        The reason, one line.
    status
        One of `FAILURES`.

    Returns
    -------
    Point
        With arrays of zero queries.
    """
    return Point(
        mode=mode,
        threads=threads,
        query_parameters=query_parameters,
        status=status,
        message=message,
        ids=np.empty((0, k), np.int32),
        distances=np.empty((0, k), np.float64),
        lists_probed=np.empty(0, np.int64),
        points_scanned=np.empty(0, np.int64),
        seconds=np.empty((0, 0), np.float64),
    )
