"""The class that algorithm modules of ann-benchmarks extend, for running them without ann-benchmarks.

Its place, ``base/module.py`` beside the folders of the algorithms, is the place that such modules import it from.
"""

from collections.abc import Sequence
from multiprocessing.pool import ThreadPool
from typing import Any

import numpy.typing as npt
import psutil


class BaseANN:
    """What ann-benchmarks expects of an algorithm, with its defaults: who only answers single queries extends `query`.

    Attributes
    ----------
    name : str
        What `str` gives; for subclasses to set.
    batch_threads : int or None
        Of the pool that answers batches by default; None: all cores. Set by whoever measures.
    res : sequence
        What the last batch found.
    """

    name: str
    batch_threads: int | None = None
    res: Any

    def fit(self, X: npt.NDArray[Any]) -> None:
        """Build the index over the rows (n, d)."""

    def query(self, q: npt.NDArray[Any], n: int) -> Sequence[int] | npt.NDArray[Any]:
        """Return the ids of up to n neighbours of the vector (d,)."""
        return []

    def batch_query(self, X: npt.NDArray[Any], n: int) -> None:
        """Answer the queries (q, d), one by one on a pool of threads; `get_batch_results` has the answers."""
        with ThreadPool(self.batch_threads) as pool:
            self.res = pool.map(lambda row: self.query(row, n), X)

    def get_batch_results(self) -> Any:
        """Return what the last batch found: one sequence of ids for each query."""
        return self.res

    def get_memory_usage(self) -> float | None:
        """Return kilobytes in use: by default those of the whole process."""
        return float(psutil.Process().memory_info().rss) / 1024

    def get_additional(self) -> dict[str, Any]:
        """Return facts for the results, such as ``dist_comps``, the distances computed so far."""
        return {}

    def done(self) -> None:
        """Clean up."""

    def __str__(self) -> str:
        return getattr(self, "name", type(self).__name__)
