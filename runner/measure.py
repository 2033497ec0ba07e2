"""The clock: it encloses one call and nothing else.

Single mode asks one query per call on one thread, batch mode all queries in one call on T threads. Every repetition is
kept; the ids that are kept come from the first, and a repetition that answers otherwise fails the point. Whatever can
be done before or after the clock is done there.

Between two queries there is a loop, a copy of the ids, so that nobody fills them in later, and no garbage collection:
it comes between passes.
"""

import gc
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..algorithms.found import Found, stacked
from ..algorithms.index import Index, Prepared
from .answers import AnswerError, check_shapes
from .conditions import between, look

UNTIMED = 64  # queries that are asked before the clock runs


@dataclass(frozen=True, slots=True)
class Measured:
    """Raw answers and times of one sweep point.

    Attributes
    ----------
    found : Found
        For q queries.
    seconds : (repetitions, q) float64 in single mode, (repetitions, 1) in batch mode
    conditions : mapping
        As `conditions.between` tells them; wall and CPU seconds of the passes alone.
    """

    found: Found
    seconds: npt.NDArray[np.float64]
    conditions: Mapping[str, Any] = field(default_factory=dict)


class UnstableAnswersError(RuntimeError):
    """Two repetitions of one point returned different ids."""


@contextmanager
def _no_collection() -> Iterator[None]:
    # What is there already is set aside, so that collecting what a pass leaves behind takes no time.
    was = gc.isenabled()
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        if was:
            gc.enable()


def _taken(found: Found) -> Found:
    # What is copied now cannot be changed later, when the clock has stopped.
    try:
        return found._replace(ids=found.ids.copy())
    except AttributeError:
        raise AnswerError(f"found {type(found).__name__}, expected Found with an array of ids") from None


def _stack(answers: list[Found], k: int) -> Found:
    for query, answer in enumerate(answers):
        check_shapes(answer, 1, k, query)
    return stacked(answers)


def _single_pass(
    index: Index, rows: list[npt.NDArray[np.float32]], k: int, query_parameters: Mapping[str, Any]
) -> tuple[Found, npt.NDArray[np.float64]]:
    nanoseconds = np.empty(len(rows), dtype=np.int64)
    answers = []
    if hasattr(index, "prepare"):
        for i, row in enumerate(rows):
            found, nanoseconds[i] = _prepared_pass(index.prepare(row, k, threads=1, **query_parameters))
            answers.append(_taken(found))
        return _stack(answers, k), nanoseconds / 1e9
    clock = time.perf_counter_ns
    for i, row in enumerate(rows):
        started = clock()
        found = index.search(row, k, threads=1, **query_parameters)
        nanoseconds[i] = clock() - started
        answers.append(_taken(found))
    return _stack(answers, k), nanoseconds / 1e9


def _batch_pass(
    index: Index, queries: npt.NDArray[np.float32], k: int, query_parameters: Mapping[str, Any], threads: int
) -> tuple[Found, npt.NDArray[np.float64]]:
    if hasattr(index, "prepare"):
        found, nanoseconds = _prepared_pass(index.prepare(queries, k, threads=threads, **query_parameters))
    else:
        started = time.perf_counter_ns()
        found = index.search(queries, k, threads=threads, **query_parameters)
        nanoseconds = time.perf_counter_ns() - started
    found = _taken(found)
    check_shapes(found, len(queries), k)
    return found, np.array([nanoseconds / 1e9])


def _prepared_pass(prepared: Prepared) -> tuple[Found, int]:
    started = time.perf_counter_ns()
    answer = prepared.run()
    nanoseconds = time.perf_counter_ns() - started
    return prepared.found(answer), nanoseconds


def ask(
    index: Index,
    queries: npt.NDArray[np.float32],
    k: int,
    query_parameters: Mapping[str, Any],
    *,
    mode: str,
    threads: int,
) -> tuple[Found, npt.NDArray[np.float64]]:
    """Ask every query once, and return the answers and the seconds, (q,) in single mode, (1,) in batch mode.

    Raises
    ------
    AnswerError
        An answer of a wrong type or shape.
    """
    if mode == "batch":
        return _batch_pass(index, queries, k, query_parameters, threads)
    return _single_pass(index, [queries[i : i + 1] for i in range(len(queries))], k, query_parameters)


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
    AnswerError
        An answer of a wrong type or shape.
    UnstableAnswersError
        Repetitions differ in their ids.
    """
    asked: Mapping[str, Any] = {"mode": mode, "threads": threads}
    ask(index, queries[:UNTIMED], k, query_parameters, **asked)
    kept: Found | None = None
    seconds, wall, own = [], 0.0, 0.0
    before = look()
    with _no_collection():
        for repetition in range(repetitions):
            gc.collect()
            started, started_own = time.perf_counter(), time.process_time()
            found, taken = ask(index, queries, k, query_parameters, **asked)
            own += time.process_time() - started_own
            wall += time.perf_counter() - started
            seconds.append(taken)
            if kept is None:
                kept = found
            elif not np.array_equal(kept.ids, found.ids):
                query = int(np.flatnonzero((kept.ids != found.ids).any(axis=1))[0])
                said = f"repetition {repetition + 1} returned other ids than repetition 1"
                raise UnstableAnswersError(f"query {query}: {said}")
    if kept is None:
        raise ValueError(f"repetitions: found {repetitions}, expected at least 1")
    told = between(before, look())
    own += told["children_cpu_seconds"]
    passes = {"elapsed_seconds": told["wall_seconds"], "wall_seconds": wall, "cpu_seconds": own}
    return Measured(kept, np.stack(seconds), {**told, **passes})
