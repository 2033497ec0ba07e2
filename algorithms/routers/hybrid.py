"""The learnt router with the Optimist's evidence: how far a list spreads in the direction of the query.

The score of list i is

    ⟨q, w_i⟩ + b_i + a_i √(qᵀ Σ_i q)

with w, b and a learnt by the same cross-entropy as `Learnt`. Of the features ⟨q, μ_i⟩, √(qᵀ Σ_i q), log |C_i| and q
itself, the first is linear in q and the third a constant of the list: both are inside w_i and b_i already. The second
is what no linear router can express (Bruch, Krishnan, Nardini, arXiv 2405.12207, route by it with one fixed a). Σ_i is
sketched by its t largest eigenpairs and, for the rest, its mean remaining variance in every direction.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..kernels.groups import combine_groups
from ..kernels.panels import Panels, group_rows
from ..kernels.score import score_all
from ..kernels.space import Space, identity, prepare
from ..rows import positive
from .layers import dense
from .learnt import linear_start
from .router import Fitting, Routed, Routes
from .scored import BLOCK_BYTES, route_by_scores
from .training.lessons import Lessons
from .training.trained import Trained, first_offset, size_constants


@dataclass(frozen=True, slots=True)
class SpreadSketch:
    """√(qᵀ Σ_i q) of every list, approximately.

    Attributes
    ----------
    panels : Panels
        t rows for each list: eigenvectors times the root of what their eigenvalue exceeds the rest by.
    each : int
        t.
    rest : (L,) float32
        Mean variance of the remaining directions.
    """

    panels: Panels
    each: int
    rest: npt.NDArray[np.float32]

    @property
    def nbytes(self) -> int:
        """Bytes of the sketch."""
        return self.panels.values.nbytes + self.rest.nbytes

    def spreads(self, prepared: npt.NDArray[np.float32], threads: int = 1) -> npt.NDArray[np.float32]:
        """Return the spread of every list in the direction of prepared queries (q, d): (q, L) float32."""
        spreads = np.empty((len(prepared), len(self.rest)), dtype=np.float32)
        size = max(1, BLOCK_BYTES // (4 * len(self.rest) * self.each))
        for start in range(0, len(prepared), size):
            block = prepared[start : start + size]
            products = score_all(self.panels, block, identity(block.shape[1]), threads)
            within = combine_groups(products, self.each, "root-sum-square", threads)
            squares = np.einsum("ij,ij->i", block, block)[:, None]
            spreads[start : start + size] = np.sqrt(within * within + squares * self.rest)
        return spreads


def sketch_spreads(fitting: Fitting, rank: int) -> SpreadSketch:
    """Sketch the covariance of every list, one list in memory at a time."""
    lists = len(fitting.clusters.centroids)
    dimension = fitting.rows.shape[1]
    rank = min(rank, dimension)
    order, offsets = group_rows(fitting.clusters.assignment, lists)
    directions = np.zeros((lists, rank, dimension), dtype=np.float32)
    rest = np.zeros(lists, dtype=np.float32)
    for i in range(lists):
        rows = np.ascontiguousarray(fitting.rows[order[offsets[i] : offsets[i + 1]]])
        if len(rows) < 2:
            continue
        members = prepare(rows, fitting.space, fitting.threads, in_place=True).astype(np.float64)
        members -= members.mean(axis=0)
        values, vectors = np.linalg.eigh(members.T @ members / len(members))
        values = np.maximum(values, 0.0)
        rest[i] = values[:-rank].mean() if rank < dimension else 0.0
        directions[i] = (vectors[:, -rank:] * np.sqrt(np.maximum(values[-rank:] - rest[i], 0.0))).T
    return SpreadSketch(dense(directions.reshape(lists * rank, dimension)), rank, rest)


@dataclass(frozen=True, slots=True)
class HybridRoutes:
    """Linear scores plus a coefficient per list times its spread.

    Attributes
    ----------
    representatives : Panels
    sketch : SpreadSketch
    coefficients : (L,) float32
    space : Space
    """

    representatives: Panels
    sketch: SpreadSketch
    coefficients: npt.NDArray[np.float32]
    space: Space

    @property
    def nbytes(self) -> int:
        """Bytes of representatives, constants, sketch and coefficients."""
        panels = self.representatives
        return panels.values.nbytes + panels.bias.nbytes + self.sketch.nbytes + self.coefficients.nbytes

    def route(self, queries: npt.NDArray[np.float32], nprobe: int, threads: int = 1) -> Routed:
        """Return the nprobe best lists of each query."""

        def score(block: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
            prepared = prepare(block, self.space, threads)
            scores = score_all(self.representatives, prepared, identity(prepared.shape[1]), threads)
            scores += self.coefficients * self.sketch.spreads(prepared, threads)
            return scores

        return route_by_scores(score, queries, nprobe, int(self.sketch.panels.sizes.sum()), threads)


@dataclass(frozen=True, slots=True, repr=False)
class Hybrid(Trained):
    """Route by learnt representatives and the spread of each list.

    Parameters
    ----------
    rank : int
        t, eigenpairs kept of each list's covariance.

    Notes
    -----
    The other fields are those of `Trained`.
    """

    rank: int = 8

    def __post_init__(self) -> None:
        Trained.__post_init__(self)
        positive(self.rank, "Hybrid.rank")

    def lessons(self, fitting: Fitting) -> Lessons:
        """As of every trained router, the spread of every list beside each query."""
        lessons = Trained.lessons(self, fitting)
        sketch = sketch_spreads(fitting, self.rank)
        spreads = sketch.spreads(lessons.queries, fitting.threads)
        return replace(lessons, queries=np.concatenate([lessons.queries, spreads], axis=1), features=sketch)

    def module(self, fitting: Fitting, lessons: Lessons) -> Any:
        """Return linear logits from the centroids, and coefficients of 0."""
        from .training.modules import Spread

        weights, constants = linear_start(fitting, queries_alone(lessons), "centroids")
        return Spread(weights, constants, first_offset(lessons) if lessons.targets.sigmoid else None)

    def routes(self, module: Any, fitting: Fitting, lessons: Lessons) -> Routes:
        """Return the same scores for query time."""
        constants = module.base.constants.detach().numpy() + size_constants(fitting, self.size_exponent)
        return HybridRoutes(
            dense(module.base.weights.detach().numpy() * lessons.scale, constants),
            lessons.features,
            module.coefficients.detach().numpy() * lessons.scale,
            fitting.space,
        )

    def facts(self, module: Any, fitting: Fitting, lessons: Lessons) -> dict[str, Any]:
        """Return the mean coefficient: what the Optimist fixes, in the same unit as its inner products."""
        lengths = np.linalg.norm(module.base.weights.detach().numpy(), axis=1)
        relative = module.coefficients.detach().numpy() / np.maximum(lengths, 1e-12)
        return {"mean_spread_coefficient": float(relative.mean())}


def queries_alone(lessons: Lessons) -> Lessons:
    """Return lessons without the spreads beside the queries."""
    return replace(lessons, queries=np.ascontiguousarray(lessons.queries[:, : -lessons.lists]))
