"""The optimist: route by how large an inner product a list may well hold, not by how large it is on average.

Bruch, Krishnan, Nardini, "Optimistic Query Routing in Clustering-based Approximate Maximum Inner Product Search", arXiv
2405.12207. Over the rows X of a list with mean μ and covariance Σ, ⟨q, X⟩ has mean ⟨q, μ⟩ and variance qᵀΣq, whatever
its distribution. The one-sided Chebyshev inequality then bounds the part of the list above

    ⟨q, μ⟩ + √((1 + δ)/(1 - δ)) · √(qᵀΣq)

by (1 - δ)/2, and that threshold is the list's score. Σ has d² numbers a list; the paper's sketch keeps the diagonal
D of Σ and t eigenpairs (λ, v) of D^-½ (Σ - D) D^-½:

    Σ ≈ D + D^½ V Λ Vᵀ D^½.

No query is needed to fit it, and nothing depends on how queries are distributed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..clustering.clusters import prepared_blocks
from ..kernels.panels import Panels, make_panels
from ..kernels.score import score_all
from ..kernels.segments import optimistic_scores
from ..kernels.space import DISTANCES, Space, identity, prepare
from ..rows import positive
from ..value import Value
from .moments import Moments, moments
from .router import Fitted, Fitting, Routed
from .scored import route_by_scores

COVARIANCES = ("full", "diagonal", "low rank")
NEGLIGIBLE = 1e-10  # a variance below this part of a coordinate's own is rounding


@dataclass(frozen=True, slots=True)
class Sketch:
    """A list's covariance as diag(D) + Σ_j w_j v_j v_jᵀ.

    Attributes
    ----------
    diagonal : (d',) float64 or None
        D; None for 0.
    vectors : (r, d') float64
    weights : (r,) float64
        1 or -1.
    """

    diagonal: npt.NDArray[np.float64] | None
    vectors: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]


def _factor(correlations: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    # Vectors v (r, d') with Σ v vᵀ = the correlations. Cholesky's are the soonest found; a list with no more rows than
    # dimensions has fewer independent directions than that, and its eigenvectors are as few.
    try:
        factor = np.linalg.cholesky(correlations)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(correlations)
        kept = values > NEGLIGIBLE
        factor = vectors[:, kept] * np.sqrt(values[kept])
    return np.asarray(factor.T, dtype=np.float64)


def sketch(covariance: npt.NDArray[np.float64], kind: str, rank: int) -> Sketch:
    """Return what is kept of a covariance (d', d') float64.

    All kinds go through the correlations D^-½ Σ D^-½: the coordinates may differ in scale by many powers of ten, as a
    half squared length does from the others, and a factor of Σ itself would see the largest alone. ``full`` keeps one
    vector for each independent direction: at most the list's rows less one, so a short list costs little.
    """
    diagonal = np.diagonal(covariance).clip(min=0.0).copy()
    roots = np.sqrt(diagonal)
    if kind == "diagonal":
        return Sketch(diagonal, np.empty((0, len(roots))), np.empty(0))
    inverse = np.where(roots > 0, 1.0 / np.where(roots > 0, roots, 1.0), 0.0)
    correlations = covariance * inverse[:, None] * inverse
    if kind == "full":
        vectors = _factor(correlations)
        return Sketch(None, vectors * roots, np.ones(len(vectors)))
    correlations[np.diag_indices(len(roots))] = 0.0
    values, vectors = np.linalg.eigh(correlations)
    kept = np.argsort(-values, kind="stable")[:rank]
    kept = kept[np.abs(values[kept]) > NEGLIGIBLE]
    scaled = vectors[:, kept].T * np.sqrt(np.abs(values[kept]))[:, None] * roots
    return Sketch(diagonal, scaled, np.sign(values[kept]))


def _panels(vectors: npt.NDArray[np.float64], dimension: int) -> Panels:
    # Vectors (m, d'); the last of d + 1 coordinates meets the query's 1, so it is a constant.
    constants = vectors[:, dimension] if vectors.shape[1] > dimension else np.zeros(len(vectors))
    bias = (0.0 - constants).astype(np.float32)
    rows = np.ascontiguousarray(vectors[:, :dimension], dtype=np.float32)
    return make_panels(rows, identity(dimension), bias=bias)


@dataclass(frozen=True, slots=True)
class OptimistRoutes:
    """Means and covariance sketches, all in panels, for `kernels.score`.

    Attributes
    ----------
    means : Panels
        One of each list.
    diagonals : Panels or None
        D of each list, divided by `scale`; multiplied with squared queries.
    vectors : Panels or None
        The sketches' vectors, list after list.
    weights : (m,) float32
        Of those vectors.
    starts : (L + 1,) int64
        List i owns the vectors starts[i] to starts[i + 1] - 1.
    scale, deviations : float
    space : Space
    """

    means: Panels
    diagonals: Panels | None
    vectors: Panels | None
    weights: npt.NDArray[np.float32]
    starts: npt.NDArray[np.int64]
    scale: float
    deviations: float
    space: Space

    @property
    def nbytes(self) -> int:
        """Bytes of means, sketches and offsets."""
        layouts = [part for part in (self.means, self.diagonals, self.vectors) if part is not None]
        return sum(part.values.nbytes + part.bias.nbytes for part in layouts) + self.weights.nbytes + self.starts.nbytes

    def route(self, queries: npt.NDArray[np.float32], nprobe: int, threads: int = 1) -> Routed:
        """Return the nprobe best lists of each query."""
        empty = np.empty((len(queries), 0), dtype=np.float32)

        def score(block: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
            diagonal = products = empty[: len(block)]
            if self.diagonals is not None:
                squares = np.square(prepare(block, self.space, threads))
                diagonal = score_all(self.diagonals, squares, identity(block.shape[1]), threads)
            if self.vectors is not None:
                products = score_all(self.vectors, block, self.space, threads)
            means = score_all(self.means, block, self.space, threads)
            return optimistic_scores(
                means, diagonal, products, self.weights, self.starts, self.scale, self.deviations, threads
            )

        return route_by_scores(score, queries, nprobe, len(self.weights) + 3 * len(self.starts), threads)


@dataclass(frozen=True, slots=True, repr=False)
class Optimist(Value):
    """Route by ⟨q, μ⟩ + √((1 + δ)/(1 - δ)) · √(qᵀΣq).

    Parameters
    ----------
    covariance : str
        ``full``: all of Σ, up to d² numbers a list, L·d² in all (1 GB at L = 1,800 and d = 384); ``diagonal``: d
        numbers, no better than a centroid in the paper's experiments; ``low rank``: the paper's sketch, (rank + 2)·d
        numbers with the mean. Lists are sketched one after the other, so fitting holds one d² matrix beside the result.
    rank : int
        t, of ``low rank`` alone; the paper takes about d/50.
    delta : float
        δ in [0, 1): 0 adds one standard deviation, 0.8 three.

    Notes
    -----
    μ and Σ are those of the list's rows (all of them, not the centroid of a sample), in the prepared space: as they are
    for ip and normalized, of length 1 for angular. Under the euclidean metric rows are augmented to (x, -½‖x‖²) and
    queries to (q, 1) (`moments`): the score is then the same bound on ⟨q, x⟩ - ½‖x‖² = ½‖q‖² - ½‖q - x‖², the list's
    smallest distance up to what is common to all lists. Σ of the augmented rows has (d + 1)² numbers.
    """

    covariance: str = "full"
    rank: int = 8
    delta: float = 0.8

    def __post_init__(self) -> None:
        if self.covariance not in COVARIANCES:
            raise ValueError(
                f"Optimist.covariance: found {self.covariance!r}, expected one of {', '.join(COVARIANCES)}"
            )
        positive(self.rank, "Optimist.rank")
        if not 0.0 <= self.delta < 1.0:
            raise ValueError(f"Optimist.delta: found {self.delta!r}, expected a number from 0 to below 1")

    @property
    def linear(self) -> bool:
        """No single representative for each list."""
        return False

    @property
    def learns(self) -> bool:
        """No training queries needed."""
        return False

    @property
    def deviations(self) -> float:
        """How many standard deviations are added: √((1 + δ)/(1 - δ))."""
        return float(np.sqrt((1.0 + self.delta) / (1.0 - self.delta)))

    def resolve(self, metric: str) -> "Optimist":
        """Nothing depends on the metric."""
        return self

    def fit(self, fitting: Fitting) -> Fitted:
        """Take mean and covariance of each list and sketch them."""
        means, sketches = [], []
        clusters = fitting.clusters
        for i, members in enumerate(clusters.members()):
            found = self._moments(fitting, i, members)
            means.append(found.mean)
            sketches.append(sketch(found.covariance, self.covariance, self.rank))
            fitting.progress("router", i + 1, len(clusters.centroids), "covariances")
        routes = self._lay_out(fitting, np.stack(means), sketches)
        numbers = len(means) * len(means[0]) * (1 if self.covariance == "full" else 2)
        numbers += sum(part.vectors.size for part in sketches)
        return Fitted(routes, notes={"router_parameters": numbers, "deviations": self.deviations})

    def _moments(self, fitting: Fitting, i: int, members: npt.NDArray[np.int64]) -> Moments:
        blocks = prepared_blocks(fitting.rows, members, fitting.space)
        return moments(blocks, fitting.clusters.centroids[i], fitting.metric in DISTANCES)

    def _lay_out(self, fitting: Fitting, means: npt.NDArray[np.float64], sketches: list[Sketch]) -> OptimistRoutes:
        dimension = fitting.rows.shape[1]
        starts = np.zeros(len(sketches) + 1, dtype=np.int64)
        np.cumsum([len(part.weights) for part in sketches], out=starts[1:])
        weights = np.concatenate([part.weights for part in sketches]).astype(np.float32)
        diagonals: Any = None
        vectors: Any = None
        scale = 1.0
        if self.covariance != "full":
            stacked = np.stack([part.diagonal for part in sketches if part.diagonal is not None])
            scale = float(stacked.max()) or 1.0
            diagonals = _panels(stacked / scale, dimension)
        if self.covariance != "diagonal":
            vectors = _panels(np.concatenate([part.vectors for part in sketches]), dimension)
        return OptimistRoutes(
            _panels(means, dimension), diagonals, vectors, weights, starts, scale, self.deviations, fitting.space
        )
