"""Training queries made ready: chosen, labelled, prepared, scaled and split.

Queries are scaled to a mean square of 1 per coordinate, so that one learning rate serves bytes and unit vectors
(docs/decisions/0006).
"""

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...kernels.space import prepare
from ..router import Fitting, MissingTrainingQueries, TrainingQueries, held_out
from .targets import Targets, make_targets


@dataclass(frozen=True, slots=True)
class Lessons:
    """What there is to learn from.

    Attributes
    ----------
    queries : (m, d) float32
        Prepared, then multiplied by `scale`.
    targets : Targets
        Of the m queries.
    training, validation : int64
        Rows of `queries`; the two parts do not meet.
    scale : float32
    lists : int
        L.
    neighbors : int
        How many neighbours of each query count.
    label_seconds : float
        Time to find neighbours and their lists.
    features : object
        What a router computed to stand behind the d columns of `queries`, if anything; given back to it for its routes.
    """

    queries: npt.NDArray[np.float32]
    targets: Targets
    training: npt.NDArray[np.int64]
    validation: npt.NDArray[np.int64]
    scale: np.float32
    lists: int
    neighbors: int
    label_seconds: float
    features: Any = None


@dataclass(frozen=True, slots=True)
class Syllabus:
    """Which lessons are wanted; the fields of `Trained` of the same names."""

    loss: str
    k: int
    labels: str
    queries: int | None
    documents: int
    validation: float


def _split(count: int, syllabus: Syllabus, seed: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    # Validation and training rows, the same for every router of a seed. A smaller number of queries takes its parts
    # from the parts of a larger one: what is held out from all stays held out (probing policies are calibrated on it).
    held, kept = held_out(count, seed, syllabus.validation)
    if syllabus.queries is not None and syllabus.queries < count:
        held = held[: max(1, round(syllabus.validation * syllabus.queries))]
        kept = kept[: max(1, syllabus.queries - len(held))]
    return held, kept


def _taken(training: TrainingQueries, rows: npt.NDArray[np.int64]) -> TrainingQueries:
    # A copy of some training queries, in this order.
    neighbors = None if training.neighbors is None else training.neighbors[rows]
    return replace(training, queries=training.queries[rows], neighbors=neighbors)


def _neighbors(fitting: Fitting, training: TrainingQueries, syllabus: Syllabus) -> npt.NDArray[np.int32]:
    # The given neighbours where they are wide enough or cannot be searched for, else an exact search.
    given = training.neighbors
    wanted = 1 if syllabus.loss == "top-1" else min(syllabus.k, len(fitting.rows))
    if given is not None and training.from_train:
        return given
    if given is not None and syllabus.labels == "given" and given.shape[1] >= wanted:
        return given
    fitting.progress("labels", 0, 1, f"{wanted} exact neighbours of {len(training.queries)} training queries")
    found = fitting.nearest(training.queries, wanted)
    fitting.progress("labels", 1, 1, "")
    return found


def _documents(fitting: Fitting, count: int, k: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
    # Training rows that stand beside the queries, each without itself among its neighbours.
    chosen = np.random.default_rng([fitting.seed, 1]).permutation(len(fitting.rows))[:count]
    rows = np.ascontiguousarray(fitting.rows[chosen])
    fitting.progress("labels", 0, 1, f"{k} exact neighbours of {len(rows)} rows that stand in for queries")
    found = fitting.nearest(rows, min(k + 1, len(fitting.rows)))
    fitting.progress("labels", 1, 1, "")
    others = found != chosen[:, None].astype(np.int32)
    others[others.all(axis=1), -1] = False  # itself was not found, behind k + 1 duplicates: drop the last
    width = found.shape[1] - 1
    return rows, found[others].reshape(len(rows), width)


def _widened(neighbors: npt.NDArray[np.int32], width: int) -> npt.NDArray[np.int32]:
    return np.pad(neighbors[:, :width], ((0, 0), (0, max(0, width - neighbors.shape[1]))), constant_values=-1)


def make_lessons(fitting: Fitting, syllabus: Syllabus, name: str) -> Lessons:
    """Choose, label, prepare, scale and split the training queries.

    Parameters
    ----------
    fitting : Fitting
    syllabus : Syllabus
    name : str
        The router, for the message.

    Raises
    ------
    MissingTrainingQueries
        There are none, or fewer than two.
    """
    training = fitting.training
    if training is None or len(training.queries) < 2:
        raise MissingTrainingQueries(
            f"{name}: found no training queries, expected at least 2 (a dataset's `learn` set, or `training=` of build)"
        )
    validating, learning = _split(len(training.queries), syllabus, fitting.seed)
    training = _taken(training, np.concatenate([validating, learning]))
    count, held = len(training.queries), len(validating)
    started = time.perf_counter()
    queries, neighbors = training.queries, _neighbors(fitting, training, syllabus)
    neighbors = neighbors[:, : 1 if syllabus.loss == "top-1" else syllabus.k]
    if syllabus.documents and len(fitting.rows) > 1:
        rows, theirs = _documents(fitting, syllabus.documents, neighbors.shape[1])
        queries = np.concatenate([queries, rows])
        neighbors = np.concatenate([neighbors, _widened(theirs, neighbors.shape[1])])
    targets = make_targets(fitting.clusters.assignment, neighbors, syllabus.loss, syllabus.k)
    label_seconds = time.perf_counter() - started
    prepared = prepare(queries, fitting.space, fitting.threads, in_place=True)
    mean_square = float(np.einsum("ij,ij->", prepared[:count], prepared[:count], dtype=np.float64))
    mean_square /= prepared[:count].size
    scale = np.float32(1.0 / np.sqrt(mean_square)) if mean_square > 0 else np.float32(1.0)
    prepared *= scale
    return Lessons(  # documents stand behind the queries and never validate
        prepared, targets, np.arange(held, len(queries)), np.arange(held), scale, len(fitting.clusters.centroids),
        neighbors.shape[1], label_seconds,
    )  # fmt: skip
