"""The inverted-file index: four independent choices.

::

    clustering   which vectors share a list?      KMeans, SphericalKMeans, Shallow
    router       which lists for this query?      Centroid, Learnt, Optimist, ...
    codec        how are vectors stored, scored?  Float32, Int8, ProductQuantiser
    probing      how many lists, this time?       Fixed, SoftmaxMass, Patience, ...

The first three are fixed when the index is built, the fourth is chosen at each search. A router never touches
the codec, nor the codec the router: any combination works, with three exceptions that are refused in one line.
Compressed codecs do not serve manhattan, nor the policies that watch exact distances (`Patience`, `BallCap`), and
routing by bytes or on two levels (`IVF.routing`) needs a linear router.

Symbols: n vectors, d dimension, L lists, q queries, k neighbours, ℓ probes.
"""

import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .clustering.clusters import Clustering, Clusters, number_of_lists
from .clustering.kmeans import KMeans
from .codecs.codec import Codec, Encoding, Lists
from .codecs.float32 import Float32, Float32Lists
from .found import Found
from .index import Built
from .kernels.space import Space, make_space
from .one_query import one_query
from .probing.calibration import Calibration, hold_out
from .probing.fixed import probe_fixed
from .probing.policy import Computed, Probing
from .progress import Progress, silent
from .routers.byte_routes import byte_routes
from .routers.centroid import Centroid
from .routers.router import Fitting, MissingTrainingQueries, Router, Routes, TrainingQueries
from .routers.two_level_routes import two_level_routes
from .rows import as_rows, positive, training_rows
from .value import Value

ROUTINGS = ("float32", "int8", "two levels")


@dataclass(frozen=True, slots=True)
class IVFIndex:
    """A built index.

    Attributes
    ----------
    lists : Lists
    routes : Routes
    count : int
        L.
    built : Built
    centroids : (L, d) float32
        Of the lists, prepared: some probing policies measure distances to them.
    calibration : Calibration or None
        Training queries that no router was trained on, for policies that need them.
    algorithm : Value or None
        What built it, every choice spelled out.
    memory : dict
        What policies computed once for this index.
    """

    lists: Lists
    routes: Routes
    count: int
    built: Built
    centroids: npt.NDArray[np.float32]
    calibration: Calibration | None = None
    algorithm: Value | None = None
    memory: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def nbytes(self) -> int:
        """Bytes of vectors, ids, offsets and routing; what only some probing policies read is not counted."""
        return self.lists.nbytes + self.routes.nbytes

    @property
    def router_nbytes(self) -> int:
        """Bytes of routing."""
        return self.routes.nbytes

    def remembered(self, key: Hashable, compute: Callable[[], Computed]) -> Computed:
        """Return what was computed under this key before, or compute it now."""
        if key not in self.memory:
            self.memory[key] = compute()
        return self.memory[key]  # type: ignore[no-any-return]

    def assignment(self) -> npt.NDArray[np.int32]:
        """Return the list of each vector, (n,) int32, worked out from the lists: nothing is kept for it."""
        return self.lists.list_of_each_row()

    def search(
        self,
        queries: npt.ArrayLike,
        k: int = 10,
        *,
        nprobe: int | None = None,
        probing: Probing | None = None,
        rerank: int | None = None,
        threads: int = 1,
    ) -> Found:
        """Return the nearest of the vectors in the probed lists.

        One query runs on the calling thread; more are a batch, run on `threads` threads, each of which reads
        a list once for all of its queries that probe it. Both give identical ids.

        Parameters
        ----------
        queries : (q, d) or (d,)
        k : int
            More than were scanned gives -1 at the end.
        nprobe : int
            ℓ: shorthand for ``probing=Fixed(nprobe)``. More than L means all lists, which is exact search.
        probing : Probing
            How many lists to open; by default one.
        rerank : int, optional
            Of a compressed codec: candidates whose exact distances decide, at least k; by default the codec's own
            choice. Float32 lists know exact distances only and do not read it.
        threads : int

        Raises
        ------
        ValueError
            Queries of another dimension; k, nprobe, rerank or threads below 1; both nprobe and probing; a policy that
            does not know the index's metric.
        MissingTrainingQueries
            A policy that calibrates, and an index that was built without training queries.
        """
        short = self.remembered("one query", lambda: one_query(self.routes, self.lists)) if probing is None else None
        if short is not None and short.takes(queries):
            rows = queries
        else:
            rows = as_rows(queries, "queries", self.lists.space.center.shape[0])
        if nprobe is not None and probing is not None:
            raise ValueError("search: found both nprobe and probing, expected one of them")
        positive(k, "k")
        positive(threads, "threads")
        if rerank is not None:
            positive(rerank, "rerank")
        if probing is not None:
            return probing.search(self, rows, k, threads, rerank)
        probes = 1 if nprobe is None else positive(nprobe, "nprobe")
        if short is not None and len(rows) == 1:
            return short.search(rows, k, min(probes, self.count), rerank)
        return probe_fixed(self, rows, probes, k, threads, rerank)

    def save(self, path: str | Path) -> None:
        """Write the index into one file (`docs/index-file.md`), whole or not at all.

        The vectors are saved whatever their storage; what policies computed while searching is not.

        Raises
        ------
        ValueError
            A part that cannot be saved (the oracle's routes).
        OSError
            The file cannot be written; what was there before still is.
        """
        from .saving.index_file import save_index

        save_index(self, path)


def _nearest(lists: Lists, encoding: Encoding) -> Any:
    # Exact search over finished lists: probe them all. Compressed lists are laid out once more, uncompressed, when
    # somebody first asks.
    @cache
    def exact() -> Lists:
        return lists if isinstance(lists, Float32Lists) else Float32().encode(encoding)

    def search(queries: npt.NDArray[np.float32], k: int) -> npt.NDArray[np.int32]:
        probes = np.broadcast_to(np.arange(len(lists.sizes), dtype=np.int32), (len(queries), len(lists.sizes)))
        return exact().search(queries, np.ascontiguousarray(probes), k, encoding.threads).ids

    return search


@dataclass(frozen=True, slots=True, repr=False)
class IVF(Value):
    """An inverted-file index before it has seen data.

    Parameters
    ----------
    clustering : Clustering
    router : Router
    codec : Codec
    routing : str
        How representatives are stored: ``float32``, or (linear routers only) ``int8``: faster, with the order of lists
        changed where scores are nearly equal; or ``two levels``: as bytes and in groups, the best of which are looked
        at. That misses some lists, and pays from some 16,000 of them on.
    seed : int
        Of clustering and training.

    Examples
    --------
    >>> IVF(KMeans(lists=328), Centroid("normalised"))
    IVF(KMeans(lists=328), Centroid(scoring='normalised'), Float32())
    """

    clustering: Clustering = KMeans()  # noqa: RUF009 - frozen values
    router: Router = Centroid()  # noqa: RUF009
    codec: Codec = Float32()  # noqa: RUF009
    routing: str = "float32"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, method in (("clustering", "cluster"), ("router", "fit"), ("codec", "encode")):
            part = getattr(self, name)
            if not isinstance(part, Value) or not hasattr(part, method):
                raise ValueError(f"IVF.{name}: found {part!r}, expected a {name} of `algorithms.registry`")
        if self.routing not in ROUTINGS:
            raise ValueError(f"IVF.routing: found {self.routing!r}, expected one of {', '.join(ROUTINGS)}")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise ValueError(f"IVF.seed: found {self.seed!r}, expected an integer of at least 0")

    @property
    def learns(self) -> bool:
        """Whether the router needs training queries."""
        return self.router.learns

    @property
    def reads_queries(self) -> bool:
        """Whether the codec is better for knowing where queries lie, without any labels, whatever the router does."""
        return bool(getattr(self.codec, "reads_queries", False))

    def resolve(self, metric: str, count: int) -> "IVF":
        """Return the algorithm with L and the router's choices spelled out for `count` rows."""
        lists = number_of_lists(self.clustering.lists, count)
        return replace(self, clustering=replace(self.clustering, lists=lists), router=self.router.resolve(metric))

    def unavailable(self, metric: str, dimension: int) -> str:
        """Return in one line why no rows of this metric can be stored; empty where they can."""
        return self.codec.refusal(metric)

    def query_grid(self) -> tuple[Mapping[str, Any], ...]:
        """Return nprobe from 1 to L, each about 1.5 times the one before."""
        lists = self.clustering.lists if isinstance(self.clustering.lists, int) else 1
        steps = {min(lists, max(1, round(1.5**power))) for power in range(64)}
        return tuple({"nprobe": nprobe} for nprobe in sorted(steps))

    def build(
        self,
        train: npt.ArrayLike,
        metric: str,
        training: TrainingQueries | None = None,
        *,
        threads: int = 1,
        progress: Progress = silent,
    ) -> IVFIndex:
        """Cluster, lay the lists out, fit the router.

        Parameters
        ----------
        train : (n, d)
            Read, never written.
        metric : str
            One of `kernels.space.METRICS`.
        training : TrainingQueries, optional
            For a learnt router, and for probing policies that calibrate, with any router.
        threads : int
            The index does not depend on it (a learnt router's float sums may, in the last bits).
        progress : callable

        Raises
        ------
        ValueError
            No rows, NaN or infinity in them, an unknown metric, or one that the codec does not serve, a routing that
            the router does not allow, threads below 1, or training queries that do not fit
            (`TrainingQueries.checked`).
        MissingTrainingQueries
            The router learns and there is nothing to learn from.
        """
        rows = training_rows(train)
        if self.learns and training is None:
            raise MissingTrainingQueries(f"{self.router!r}: found no training queries, expected `training=`")
        if training is not None:
            training = training.checked(rows.shape[1], len(rows))
        positive(threads, "threads")
        started = time.perf_counter()
        space = make_space(rows, metric)
        why = self.unavailable(metric, rows.shape[1])
        if why:
            raise ValueError(why)
        if self.routing != "float32" and not self.router.resolve(metric).linear:
            router = type(self.router).__name__
            raise ValueError(f"IVF.routing: found {self.routing!r} for {router}, expected a linear router")
        resolved = self.resolve(metric, len(rows))
        clusters = resolved.clustering.cluster(rows, space, seed=self.seed, threads=threads, progress=progress)
        return resolved._finish(rows, space, metric, clusters, training, threads, progress, started)

    def _finish(
        self,
        rows: npt.NDArray[np.float32],
        space: Space,
        metric: str,
        clusters: Clusters,
        training: TrainingQueries | None,
        threads: int,
        progress: Progress,
        started: float,
    ) -> IVFIndex:
        count = len(clusters.centroids)
        progress("layout", 0, 1, "")
        # Training rows say no more than the rows themselves, which stand in for queries in any case.
        asked = None if training is None or training.from_train else training.queries
        encoding = Encoding(
            rows, space, metric, clusters.assignment, clusters.centroids, asked, self.seed, threads, progress
        )
        lists = self.codec.encode(encoding)
        progress("layout", 1, 1, "")
        nearest = _nearest(lists, encoding)
        fitted = self.router.fit(
            Fitting(metric, rows, space, clusters, training, nearest, self.seed, threads, progress)
        )
        routes = self._stored(fitted.routes, threads)
        total = time.perf_counter() - started
        built = Built(
            total - fitted.learn_seconds - fitted.label_seconds,
            fitted.learn_seconds,
            fitted.label_seconds,
            {
                **clusters.statistics(),
                "objective": clusters.objective[-1],
                "sampled": clusters.sampled,
                **fitted.notes,
            },
        )
        # No more than the router itself holds out: what is left of its validation queries it was trained on.
        part = min(0.1, getattr(self.router, "validation", 0.1))
        calibration = hold_out(training, clusters.assignment, self.seed, part)
        return IVFIndex(lists, routes, count, built, clusters.centroids, calibration, self)

    def _stored(self, routes: Routes, threads: int) -> Routes:
        if self.routing == "int8":
            return byte_routes(routes)
        return two_level_routes(routes, self.seed, threads) if self.routing == "two levels" else routes

    @staticmethod
    def load(path: str | Path, *, mmap: bool = True, verify: bool | None = None) -> IVFIndex:
        """Open an index that `IVFIndex.save` wrote.

        Parameters
        ----------
        path : str or Path
        mmap : bool
            Map the file: it opens in milliseconds, is read page by page when searches need it, and processes that open
            the same file share its memory. It must not be written to meanwhile; replacing it (`save`) is safe.
        verify : bool, optional
            Compare the checksums of all arrays, or of none. By default of all where the file is read into memory, and
            of arrays up to 1 MiB where it is mapped.

        Raises
        ------
        IndexFileError
            A `ValueError`: not an index file, written by a newer version, truncated, or damaged.
        """
        from .saving.index_file import load_index

        return load_index(path, mapped=mmap, verify=verify)
