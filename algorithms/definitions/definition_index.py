"""A fitted algorithm of ann-benchmarks, asked as that suite asks it and answering as every index here does.

The clock encloses the algorithm's own call and nothing else: queries are copied before, ids are checked after it. What
comes back is judged strictly but kindly: -1 is dropped and what exceeds k cut off; ids that do not exist or stand twice
in an answer are an error, since a count of right answers would be wrong.
"""

import copy
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ..base.module import BaseANN
from ..found import Found
from ..index import Built, Prepared


class DefinitionIndex:
    """An algorithm that was fitted.

    Parameters
    ----------
    algorithm : BaseANN or alike
    count : int
        n.

    Attributes
    ----------
    built : Built
    nbytes : int
        By how much its own figure grew when it was fitted; the figure of the process where it has none.
    """

    def __init__(self, algorithm: Any, count: int) -> None:
        self.built = Built(0.0)
        self.nbytes = 0
        self._algorithm = algorithm
        self._count = count
        self._arguments: list[Any] | None = None
        self._computed = 0
        supports = getattr(algorithm, "supports_prepared_queries", None)
        self._prepares = bool(supports is not None and supports())

    @property
    def router_nbytes(self) -> int:
        """Not told."""
        return 0

    def search(
        self,
        queries: npt.ArrayLike,
        k: int = 10,
        *,
        threads: int = 1,
        query_arguments: Sequence[Any] | None = None,
    ) -> Found:
        """Answer queries (q, d): see `prepare`."""
        prepared = self.prepare(queries, k, threads=threads, query_arguments=query_arguments)
        return prepared.found(prepared.run())

    def prepare(
        self,
        queries: npt.ArrayLike,
        k: int = 10,
        *,
        threads: int = 1,
        query_arguments: Sequence[Any] | None = None,
    ) -> Prepared:
        """Do all that comes before the clock.

        Parameters
        ----------
        queries : (q, d)
            Copied. One is asked by `query`, several by `batch_query`.
        k : int
        threads : int
            Of the pool of a class that answers batches query by query; who asks holds libraries to it.
        query_arguments : sequence, optional
            For `set_query_arguments`, which is called where they are not the last ones; None: it is not.

        Returns
        -------
        Prepared
            Of `found`: distances are zeros, and so is `probed`; `scanned` is what the algorithm reports as
            ``dist_comps``, 0 where it does not. It raises ValueError for an answer that is none.
        """
        rows = np.array(queries, dtype=np.float32, ndmin=2)
        self._hold_to(threads)
        wanted = None if query_arguments is None else list(query_arguments)
        if wanted is not None and wanted != self._arguments:
            self._arguments = None  # unless it succeeds
            self._algorithm.set_query_arguments(*copy.deepcopy(wanted))
            self._arguments = wanted
            with suppress(Exception):  # some have nothing to tell before the first query
                self._computed = self._distances_computed()
        return self._one(rows[0], k) if len(rows) == 1 else self._several(rows, k)

    def _one(self, row: npt.NDArray[np.float32], k: int) -> Prepared:
        algorithm = self._algorithm
        if not self._prepares:
            return Prepared(partial(algorithm.query, row, k), lambda answer: self._found([answer], 1, k))
        algorithm.prepare_query(row, k)
        return Prepared(
            algorithm.run_prepared_query,
            lambda _: self._found([algorithm.get_prepared_query_results()], 1, k),
        )

    def _several(self, rows: npt.NDArray[np.float32], k: int) -> Prepared:
        algorithm, count = self._algorithm, len(rows)
        if self._prepares:
            algorithm.prepare_batch_query(rows, k)
            run = algorithm.run_batch_query
        else:
            run = partial(algorithm.batch_query, rows, k)
        return Prepared(run, lambda _: self._found(algorithm.get_batch_results(), count, k))

    def _hold_to(self, threads: int) -> None:
        if isinstance(self._algorithm, BaseANN):
            self._algorithm.batch_threads = threads

    def _found(self, answers: Sequence[Iterable[int]], count: int, k: int) -> Found:
        if len(answers) != count:
            raise ValueError(f"found {len(answers)} answers, expected one for each of {count} queries")
        ids = np.full((count, k), -1, dtype=np.int32)
        for row, answer in zip(ids, answers, strict=True):
            kept = checked_ids(answer, self._count)[:k]
            row[: len(kept)] = kept
        total = self._distances_computed()
        each, rest = divmod(max(0, total - self._computed), count)
        self._computed = total
        scanned = np.full(count, each, dtype=np.int64)
        scanned[:rest] += 1  # the mean is exact, which query it was for is not known
        return Found(ids, np.zeros((count, k), dtype=np.float32), np.zeros(count, dtype=np.int64), scanned)

    def _distances_computed(self) -> int:
        return int(self._algorithm.get_additional().get("dist_comps", 0))


def checked_ids(answer: Iterable[int], count: int) -> npt.NDArray[Any]:
    """Return the ids of an answer without its -1.

    Raises
    ------
    ValueError
        No integers, ids that are none of `count` rows, or one that stands twice.
    """
    ids: npt.NDArray[Any] = np.asarray(answer if isinstance(answer, np.ndarray) else list(answer))
    if ids.ndim != 1 or (ids.size and ids.dtype.kind not in "iu"):
        raise ValueError(f"found an answer of {ids.dtype} and shape {ids.shape}, expected a sequence of integer ids")
    ids = ids[ids != -1]
    outside = ids[(ids < 0) | (ids >= count)]
    if len(outside):
        raise ValueError(f"found the id {outside[0]} in an answer, expected 0 to {count - 1}")
    distinct, times = np.unique(ids, return_counts=True)
    if len(distinct) < len(ids):
        raise ValueError(f"found the id {distinct[times > 1][0]} twice in an answer, expected distinct ids")
    return ids


def kilobytes(algorithm: Any) -> float:
    """Return what an algorithm says of its memory; 0 where it does not know."""
    return float(algorithm.get_memory_usage() or 0)
