"""The clock: it encloses one call and nothing else.

Single mode asks one query per call on one thread, batch mode all queries in one call on T threads. Every repetition is
kept; the ids that are kept come from the first, and a repetition that answers otherwise fails the point. Whatever can
be done before or after the clock is done there.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..algorithms.found import Found
from ..algorithms.index import Index, Prepared


@dataclass(frozen=True, slots=True)
class Measured:
    """Raw answers and times of one sweep point.

    Attributes
    ----------
    found : Found
        For q queries.
    seconds : (repetitions, q) float64 in single mode, (repetitions, 1) in batch mode
    """

    found: Found
    seconds: npt.NDArray[np.float64]


class UnstableAnswersError(RuntimeError):
    """Two repetitions of one point returned different ids."""


def _stack(answers: list[Found]) -> Found:
    return Found(
        np.concatenate([answer.ids for answer in answers]),
        np.concatenate([answer.distances for answer in answers]),
        np.concatenate([answer.probed for answer in answers]),
        np.concatenate([answer.scanned for answer in answers]),
    )


def _single_pass(
    index: Index, rows: list[npt.NDArray[np.float32]], k: int, query_parameters: Mapping[str, Any]
) -> tuple[Found, npt.NDArray[np.float64]]:
    nanoseconds = np.empty(len(rows), dtype=np.int64)
    answers = []
    if hasattr(index, "prepare"):
        for i, row in enumerate(rows):
            found, nanoseconds[i] = _prepared_pass(index.prepare(row, k, threads=1, **query_parameters))
            answers.append(found)
        return _stack(answers), nanoseconds / 1e9
    clock = time.perf_counter_ns
    for i, row in enumerate(rows):
        started = clock()
        found = index.search(row, k, threads=1, **query_parameters)
        nanoseconds[i] = clock() - started
        answers.append(found)
    return _stack(answers), nanoseconds / 1e9


def _batch_pass(
    index: Index, queries: npt.NDArray[np.float32], k: int, query_parameters: Mapping[str, Any], threads: int
) -> tuple[Found, npt.NDArray[np.float64]]:
    if hasattr(index, "prepare"):
        found, nanoseconds = _prepared_pass(index.prepare(queries, k, threads=threads, **query_parameters))
        return found, np.array([nanoseconds / 1e9])
    started = time.perf_counter_ns()
    found = index.search(queries, k, threads=threads, **query_parameters)
    return found, np.array([(time.perf_counter_ns() - started) / 1e9])


def _prepared_pass(prepared: Prepared) -> tuple[Found, int]:
    started = time.perf_counter_ns()
    answer = prepared.run()
    nanoseconds = time.perf_counter_ns() - started
    return prepared.found(answer), nanoseconds


def measure(
    index: Index,
    queries: npt.NDArray[np.float32],
    k: int,
    query_parameters: Mapping[str, Any],
    *,
    mode: str,
    threads: int,
    repetitions: int,
) -> Measured:
    """Time one sweep point.

    Parameters
    ----------
    index : Index
    queries : (q, d) float32
    k : int
    query_parameters : mapping
    mode : str
        ``single`` or ``batch``.
    threads : int
        Of a batch.
    repetitions : int
        After one untimed pass over some of the queries.

    Raises
    ------
    UnstableAnswersError
        Repetitions differ in their ids.
    """
    rows = [queries[i : i + 1] for i in range(len(queries))]
    some = queries[: min(len(queries), 64)]
    if mode == "single":
        _single_pass(index, rows[: len(some)], k, query_parameters)
    else:
        _batch_pass(index, some, k, query_parameters, threads)
    kept: Found | None = None
    seconds = []
    for repetition in range(repetitions):
        if mode == "single":
            found, taken = _single_pass(index, rows, k, query_parameters)
        else:
            found, taken = _batch_pass(index, queries, k, query_parameters, threads)
        seconds.append(taken)
        if kept is None:
            kept = found
        elif not np.array_equal(kept.ids, found.ids):
            query = int(np.flatnonzero((kept.ids != found.ids).any(axis=1))[0])
            said = f"repetition {repetition + 1} returned other ids than repetition 1"
            raise UnstableAnswersError(f"query {query}: {said}")
    if kept is None:
        raise ValueError(f"repetitions: found {repetitions}, expected at least 1")
    return Measured(kept, np.stack(seconds))
