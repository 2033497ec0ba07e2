"""What a router is: `fit` looks at the finished lists and returns routes; `route` sends queries to lists.

A new router is one new file in this folder and its name in `algorithms/registry.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from ..clustering.clusters import Clusters
from ..kernels.space import Space
from ..progress import Progress
from ..rows import as_rows, finite


class MissingTrainingQueries(ValueError):  # noqa: N818 - it reads as what happened
    """A learnt router was built without training queries."""


@dataclass(frozen=True, slots=True)
class TrainingQueries:
    """Queries to learn from; never the test queries.

    Attributes
    ----------
    queries : (m, d) float32
    neighbors : (m, K) int32 or None
        Exact nearest training rows of each query, nearest first; None: the build finds them by exact search.
    source : str
        Where they come from, for the results.
    from_train : bool
        They are training rows themselves. Then neighbours must be given, each query left out of its own: a search
        would find every query next to itself.
    """

    queries: npt.NDArray[np.float32]
    neighbors: npt.NDArray[np.int32] | None = None
    source: str = "given"
    from_train: bool = False

    def checked(self, dimension: int, count: int) -> "TrainingQueries":
        """Return them with queries that kernels may read.

        Raises
        ------
        ValueError
            Queries of another dimension than `dimension`, NaN or infinity in them, neighbours of another
            shape than (m, K), one that is none of the `count` training rows, or no neighbours for
            queries from train.
        """
        queries = finite(as_rows(self.queries, "training queries", dimension), "training queries")
        if self.neighbors is None and self.from_train:
            raise ValueError("training neighbours: found none, expected them given for queries taken from train")
        if self.neighbors is not None:
            _check_neighbors(np.asarray(self.neighbors), len(queries), count)
        return replace(self, queries=queries)


def _check_neighbors(neighbors: npt.NDArray[np.int32], queries: int, count: int) -> None:
    name = "training neighbours"
    if neighbors.dtype.kind not in "iu" or neighbors.ndim != 2 or len(neighbors) != queries or not neighbors.shape[1]:
        found = f"{neighbors.dtype} of shape {neighbors.shape}"
        raise ValueError(f"{name}: found {found}, expected integers ({queries}, K) with K at least 1")
    nearest = neighbors[:, 0]
    if queries and (nearest.min() < 0 or nearest.max() >= count):
        raise ValueError(f"{name}: found rows {nearest.min()} to {nearest.max()}, expected 0 to {count - 1}")
    if queries and neighbors.max() >= count:
        raise ValueError(f"{name}: found row {neighbors.max()}, expected 0 to {count - 1}, or -1 for none")


def held_out(
    count: int, seed: int, part: float = 0.1
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:  # fmt: skip
    """Divide training queries into those held out and those that a router trains on.

    One place decides, so that what is calibrated afterwards uses queries that no router was trained on.

    Parameters
    ----------
    count : int
        m.
    seed : int
        Of the index.
    part : float
        To hold out: at least one query, at most all but one. A smaller part is always the beginning of a larger one.

    Returns
    -------
    held, kept : int64
        Places among the training queries, both in random order.
    """
    order = np.random.default_rng(seed).permutation(count)
    size = max(0, min(count - 1, max(1, round(part * count))))
    return order[:size], order[size:]


@dataclass(frozen=True, slots=True)
class Fitting:
    """All that a router may look at.

    Attributes
    ----------
    metric : str
        One of `kernels.space.METRICS`.
    rows : (n, d) float32
        The training rows as given; read, never kept.
    space : Space
        How vectors and queries are prepared.
    clusters : Clusters
        Centroids (prepared) and the list of each row.
    training : TrainingQueries or None
    nearest : callable
        Exact search: queries (m, d) and k to ids (m, k) int32.
    seed, threads : int
    progress : callable
    """

    metric: str
    rows: npt.NDArray[np.float32]
    space: Space
    clusters: Clusters
    training: TrainingQueries | None
    nearest: Callable[[npt.NDArray[np.float32], int], npt.NDArray[np.int32]]
    seed: int
    threads: int
    progress: Progress


class Routed(NamedTuple):
    """Where queries are sent.

    Attributes
    ----------
    lists : (q, nprobe) int32
        Best first, equal scores by list; -1 where a score is no number.
    scores : (q, nprobe) float32
        Their scores, higher is better, in the router's own unit; -inf at -1. Of routers trained by cross-entropy these
        are logits over the lists.
    """

    lists: npt.NDArray[np.int32]
    scores: npt.NDArray[np.float32]


def routed(lists: npt.NDArray[np.int32], penalties: npt.NDArray[np.float32]) -> Routed:
    """Return where queries are sent, from kernels that rank by penalties, lower is better.

    Parameters
    ----------
    lists : (q, nprobe) int32
        -1 at the end of a row where there are fewer.
    penalties : (q, nprobe) float32
        Overwritten.
    """
    np.negative(penalties, out=penalties)
    if lists.size and lists[:, -1].min() < 0:
        penalties[lists < 0] = -np.inf
    return Routed(lists, penalties)


class Routes(Protocol):
    """A fitted router."""

    @property
    def nbytes(self) -> int:
        """Bytes that a query reads to be routed."""

    def route(self, queries: npt.NDArray[np.float32], nprobe: int, threads: int = 1) -> Routed:
        """Return the nprobe best lists of each query.

        Parameters
        ----------
        queries : (q, d) float32, as given
        nprobe : int
            Between 1 and L.
        threads : int
            Of a batch; one query runs on the calling thread alone. The result depends on neither.
        """


@dataclass(frozen=True, slots=True)
class Fitted:
    """What `fit` returns.

    Attributes
    ----------
    routes : Routes
    learn_seconds : float
        Training, without labelling.
    label_seconds : float
        Finding the list of each training query's nearest neighbour.
    notes : mapping
        Facts about the training for the results.
    """

    routes: Routes
    learn_seconds: float = 0.0
    label_seconds: float = 0.0
    notes: Mapping[str, Any] = field(default_factory=dict)


class Router(Protocol):
    """A way to route, before it has seen any lists."""

    @property
    def linear(self) -> bool:
        """Whether `fit` returns one representative for each list: `LinearRoutes`, which can be stored in fewer bits."""

    @property
    def learns(self) -> bool:
        """Whether `fit` needs training queries."""

    def resolve(self, metric: str) -> "Router":
        """Return the router with every choice made that depends on the metric."""

    def fit(self, fitting: Fitting) -> Fitted:
        """Look at the lists, return the routes."""
