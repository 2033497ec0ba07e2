"""What the wrappers of other libraries share: who can serve what, the clock around a build, the form of an answer.

A wrapper stands between the clock and the library, so it does next to nothing at search time: no copy of queries that
are float32 already, thread counts and search settings handed on only when they changed, and distances, which the
runner computes from the ids, left at zero. The library is imported where it is used.

Angular distance becomes the inner product with rows brought to unit length, in a copy: the length of a query then
changes every product by one factor and no order, so queries are handed on as they are. A zero row keeps the product 0,
hence its distance of 1.
"""

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ..found import Found
from ..index import Built, Unavailable
from ..kernels.space import make_space, prepare
from ..progress import Progress, silent
from ..routers.router import TrainingQueries
from ..rows import positive, training_rows
from ..value import Value

Rows = npt.NDArray[np.float32]
Ids = npt.NDArray[Any]

LINEAR = ("euclidean", "angular", "normalized", "ip")  # what squared distances and inner products serve


class PeerIndex:
    """An index of another library.

    Attributes
    ----------
    built : Built
    """

    def __init__(self) -> None:
        self.built = Built(0.0)
        self._constant: dict[tuple[int, int, int], tuple[Any, Any, Any]] = {}

    @property
    def nbytes(self) -> int:
        """Bytes of the index by the library's own figure, or as it is saved; 0 where neither can be had."""
        raise NotImplementedError

    @property
    def router_nbytes(self) -> int:
        """Not told by any library."""
        return 0

    def search(self, queries: npt.ArrayLike, k: int = 10, *, threads: int = 1, **query_parameters: Any) -> Found:
        """Answer queries (q, d); how far is up to the library's own search parameters.

        One query is asked through the library's way for one, several through its way for batches.

        Returns
        -------
        Found
            Distances are zeros, and so is `scanned`; `probed` is the number of lists asked for, 0 where there are none.
        """
        rows = np.asarray(queries, dtype=np.float32)
        return self._found(self._ids(rows, k, threads, **query_parameters), query_parameters.get("nprobe", 0))

    def _ids(self, rows: Rows, k: int, threads: int, **query_parameters: Any) -> Ids:
        # (q, k) integers, -1 where the library found none.
        raise NotImplementedError

    def _found(self, ids: Ids, probed: int) -> Found:
        key = (*ids.shape, probed)
        constant = self._constant.get(key)
        if constant is None:  # the same for every answer of this form: made once
            count = len(ids)
            constant = (
                np.zeros(ids.shape, dtype=np.float32),
                np.full(count, probed, dtype=np.int64),
                np.zeros(count, dtype=np.int64),
            )
            self._constant[key] = constant
        return Found(ids.astype(np.int32, copy=False), *constant)


class Peer(Value):
    """Base of every algorithm of another library; subclasses are frozen dataclasses."""

    __slots__ = ()

    package: ClassVar[str]  # to install
    module: ClassVar[str]  # to import

    @property
    def learns(self) -> bool:
        """No training queries needed."""
        return False

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that the library serves."""
        return LINEAR

    @property
    def least_dimension(self) -> int:
        """The smallest d that the library takes."""
        return 1

    def resolve(self, metric: str, count: int) -> "Peer":
        """Nothing to decide."""
        return self

    def query_grid(self) -> tuple[Mapping[str, Any], ...]:
        """Return a sweep that ends near recall 0.99 on ordinary data."""
        raise NotImplementedError

    def unavailable(self, metric: str, dimension: int) -> str:
        """Return in one line why this cannot be measured here; empty where it can. Nothing is imported for it."""
        if find_spec(self.module.partition(".")[0]) is None:
            return f"{self.package} is not installed, expected `pip install {self.package}`"
        name = type(self).__name__
        if metric not in self.metrics:
            return f"metric: found {metric}, {name} serves {', '.join(self.metrics)}"
        if dimension < self.least_dimension:
            return f"dimension: found {dimension}, {name} takes {self.least_dimension} and more"
        return ""

    def build(
        self,
        train: npt.ArrayLike,
        metric: str,
        training: TrainingQueries | None = None,
        *,
        threads: int = 1,
        progress: Progress = silent,
    ) -> PeerIndex:
        """Build the library's index.

        Parameters
        ----------
        train : (n, d)
            Read, never written.
        metric : str
            One of `metrics`.
        training : ignored
        threads : int
        progress : callable

        Raises
        ------
        Unavailable
            The library is not installed, or does not serve this metric or dimension.
        ValueError
            No rows, NaN or infinity in them, or threads below 1.
        """
        rows = training_rows(train)
        positive(threads, "threads")
        why = self.unavailable(metric, rows.shape[1])
        if why:
            raise Unavailable(why)
        progress(self.package, 0, 1, "")
        started = time.perf_counter()
        if metric == "angular":
            rows = prepare(rows, make_space(rows, metric), threads)
        index = self._index(rows, metric, threads)
        seconds = time.perf_counter() - started
        index.built = Built(seconds, notes={"library": f"{self.package} {metadata.version(self.package)}"})
        progress(self.package, 1, 1, "")
        return index

    def _index(self, rows: Rows, metric: str, threads: int) -> PeerIndex:
        # Rows are of unit length under `angular`, which is to be served as an inner product.
        raise NotImplementedError


def steps(first: int, last: int, count: int) -> list[int]:
    """Return at most `count` rising integers from `first` to `last`, each about the same factor above the one before.

    Examples
    --------
    >>> steps(1, 100, 5)
    [1, 3, 10, 32, 100]
    """
    last = max(first, last)
    powers = np.linspace(0.0, 1.0, count)
    return sorted({round(first * (last / first) ** power) for power in powers.tolist()})


def probe_steps(lists: int | str | None, count: int) -> list[int]:
    """Return at most `count` numbers of lists to open, from 1 to half of them; `lists` is spelled out by then."""
    return steps(1, lists // 2 if isinstance(lists, int) else 1, count)


def refined_grid(lists: int | str | None, refinements: Sequence[Sequence[int]]) -> tuple[Mapping[str, Any], ...]:
    """Return as many numbers of lists as there are `refinements`, each with those that are worth trying there."""
    probes = probe_steps(lists, len(refinements))
    pairs = zip(probes, refinements[len(refinements) - len(probes) :], strict=True)
    return tuple({"nprobe": nprobe, "refine": refine} for nprobe, several in pairs for refine in several)


def ef_grid() -> tuple[Mapping[str, Any], ...]:
    """Return ef, the candidates that a search in a graph keeps, from 10 to 1000."""
    return tuple({"ef": ef} for ef in steps(10, 1000, 12))


def saved_bytes(save: Callable[[str], Any]) -> int:
    """Return how large an index is on disk, having it saved under a path in a folder that vanishes at once."""
    with tempfile.TemporaryDirectory() as folder:
        save(str(Path(folder) / "index"))
        return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
