"""Exact search: every query against every vector. The floor of every comparison, and its oracle."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .codecs.codec import Encoding
from .codecs.float32 import Float32, Float32Lists
from .found import Found
from .index import Built
from .kernels.space import make_space
from .progress import Progress, silent
from .routers.router import TrainingQueries
from .rows import as_rows, positive, training_rows
from .value import Value


@dataclass(frozen=True, slots=True)
class ExactIndex:
    """All vectors as one list."""

    lists: Float32Lists
    built: Built

    @property
    def nbytes(self) -> int:
        """Bytes of the vectors."""
        return self.lists.nbytes

    @property
    def router_nbytes(self) -> int:
        """There is no router."""
        return 0

    def search(self, queries: npt.ArrayLike, k: int = 10, *, threads: int = 1) -> Found:
        """Return the k nearest rows of each query.

        Parameters
        ----------
        queries : (q, d)
        k : int
            More than n gives -1 at the end.
        threads : int

        Raises
        ------
        ValueError
            Queries of another dimension, or k below 1.
        """
        rows = as_rows(queries, "queries", self.lists.space.center.shape[0])
        probes = np.zeros((len(rows), 1), dtype=np.int32)
        return self.lists.search(rows, probes, positive(k, "k"), positive(threads, "threads"))


@dataclass(frozen=True, slots=True, repr=False)
class Exact(Value):
    """Brute force in float32, with float64 distances for the winners."""

    @property
    def learns(self) -> bool:
        """No training queries needed."""
        return False

    def resolve(self, metric: str, count: int) -> "Exact":
        """Nothing to decide."""
        return self

    def query_grid(self) -> tuple[Mapping[str, Any], ...]:
        """One point: there is nothing to sweep."""
        return ({},)

    def build(
        self,
        train: npt.ArrayLike,
        metric: str,
        training: TrainingQueries | None = None,
        *,
        threads: int = 1,
        progress: Progress = silent,
    ) -> ExactIndex:
        """Lay the vectors out.

        Parameters
        ----------
        train : (n, d)
        metric : str
            One of `kernels.space.METRICS`.
        training : ignored
        threads : int
        progress : callable

        Raises
        ------
        ValueError
            No rows, NaN or infinity in them, an unknown metric, or threads below 1.
        """
        rows = training_rows(train)
        started = time.perf_counter()
        space = make_space(rows, metric)
        everything = np.zeros(len(rows), dtype=np.int32)
        lists = Float32().encode(
            Encoding(rows, space, metric, everything, space.center[None], threads=positive(threads, "threads"))
        )
        progress("layout", 1, 1, "")
        return ExactIndex(lists, Built(time.perf_counter() - started))
