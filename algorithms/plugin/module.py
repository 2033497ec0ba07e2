"""The inverted file as an algorithm of ann-benchmarks; `docs/ann-benchmarks.md` says how to drop it in there.

This file is a guest: copied to ``ann_benchmarks/algorithms/ivfbench/``, it finds ``..base.module`` there, and knows
ivfbench as an installed package only.

What is no part of the work stays off the clocks: kernels are compiled in the constructor, which ann-benchmarks does not
time. Labelling and training of a learnt router are part of the build, and happen in `fit`.
"""

from typing import Any, cast

import numpy as np
import numpy.typing as npt
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.codecs.codec import Codec
from ivfbench.algorithms.codecs.float32 import Float32
from ivfbench.algorithms.codecs.product_quantiser import ProductQuantiser
from ivfbench.algorithms.index import Algorithm
from ivfbench.algorithms.ivf import IVF, IVFIndex
from ivfbench.algorithms.kernels.compile import available_threads
from ivfbench.algorithms.routers.centroid import Centroid
from ivfbench.algorithms.routers.learnt import Learnt
from ivfbench.algorithms.routers.router import Router, TrainingQueries
from ivfbench.datasets.truth import exact_neighbors
from ivfbench.runner.warm_up import warm_up

from ..base.module import BaseANN

ROUTERS: dict[str, Router] = {"centroid": Centroid(), "learnt": Learnt()}
CODECS: dict[str, Codec] = {"float32": Float32(), "compressed": ProductQuantiser(storage="float16")}
LESSONS = 20_000  # rows that a learnt router trains on: there are no other queries to learn from
LABELS = 10  # neighbours of each
WARM_DIMENSION = 16  # kernels are compiled once for all dimensions


class IVFBench(BaseANN):
    """An inverted file.

    Parameters
    ----------
    metric : str
        ``angular`` (by cosine) or ``euclidean``.
    lists : int
        L, at most the number of rows.
    router : str
        ``centroid`` or ``learnt``.
    codec : str
        ``float32``, or ``compressed``: codes of 4 bits, the best candidates ranked again by exact distances to vectors
        of 16 bits, and representatives of 8 bits.

    Raises
    ------
    ValueError
        Another metric, router or codec.
    """

    def __init__(self, metric: str, lists: int, router: str = "centroid", codec: str = "float32") -> None:
        for name, found, known in (("router", router, ROUTERS), ("codec", codec, CODECS)):
            if found not in known:
                raise ValueError(f"{name}: found {found!r}, expected one of {', '.join(known)}")
        routing = "int8" if codec == "compressed" else "float32"
        self._algorithm = IVF(KMeans(lists=lists), ROUTERS[router], CODECS[codec], routing)
        self._metric = metric
        self._search: dict[str, Any] = {}
        self._scanned: list[npt.NDArray[np.int64]] = []
        self._index: IVFIndex | None = None
        warm_up(cast(Algorithm, self._algorithm), metric, WARM_DIMENSION, LABELS, available_threads())

    def fit(self, X: npt.NDArray[Any]) -> None:
        """Build the index over the rows (n, d), on all threads that Numba may use."""
        rows = np.ascontiguousarray(X, dtype=np.float32)
        lessons = self._lessons(rows) if self._algorithm.learns else None
        self._index = self._algorithm.build(rows, self._metric, lessons, threads=available_threads())

    def _lessons(self, rows: npt.NDArray[np.float32]) -> TrainingQueries:
        # A sample of the rows, each with its true neighbours but itself, which would teach only where it lies.
        count = len(rows)
        own = np.sort(np.random.default_rng(0).choice(count, min(LESSONS, count), replace=False))
        neighbors, _ = exact_neighbors(rows, rows[own], min(LABELS, count - 1), self._metric, own_ids=own)
        return TrainingQueries(rows[own], neighbors, "train sample, self excluded", from_train=True)

    def set_query_arguments(self, nprobe: int, rerank: int | None = None) -> None:
        """Open `nprobe` lists, and rank `rerank` candidates of a compressed index exactly."""
        self._search = {"nprobe": nprobe} if rerank is None else {"nprobe": nprobe, "rerank": rerank}
        self._scanned = []

    def query(self, q: npt.NDArray[Any], n: int) -> npt.NDArray[np.int32]:
        """Return the ids of up to n neighbours of the vector (d,), on the calling thread."""
        found = self._built().search(q, n, threads=1, **self._search)
        self._scanned.append(found.scanned)
        return _without_padding(found.ids[0])

    def batch_query(self, X: npt.NDArray[Any], n: int) -> None:
        """Answer the queries (q, d) on all threads that Numba may use."""
        found = self._built().search(X, n, threads=available_threads(), **self._search)
        self._scanned.append(found.scanned)
        self.res = found.ids

    def get_batch_results(self) -> list[npt.NDArray[np.int32]]:
        """Return the ids for each query of the last batch."""
        return [_without_padding(ids) for ids in self.res]

    def get_memory_usage(self) -> float:
        """Return kilobytes of everything that a search reads; 0 before `fit`."""
        return 0.0 if self._index is None else self._index.nbytes / 1024

    def get_additional(self) -> dict[str, int]:
        """Return ``dist_comps`` since the query arguments were set: vectors scanned, and the lists' representatives."""
        queries = sum(map(len, self._scanned))
        routed = queries * (0 if self._index is None else self._index.count)
        return {"dist_comps": routed + sum(int(scanned.sum()) for scanned in self._scanned)}

    def done(self) -> None:
        """Let go of the index."""
        self._index = None

    def __str__(self) -> str:
        search = "".join(f", {name}={value}" for name, value in self._search.items())
        return f"ivfbench {self._algorithm!r}{search}"

    def _built(self) -> IVFIndex:
        if self._index is None:
            raise RuntimeError("query: found no index, expected fit before it")
        return self._index


def _without_padding(ids: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    return ids if ids[-1] >= 0 else ids[ids >= 0]
