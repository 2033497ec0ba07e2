"""LIRA's two-tower router: one tower reads how near each centroid is, the other the query itself.

Zeng et al., "LIRA: A Learning-based Query-aware Partition Framework for Large-scale ANN Search", WWW 2025, arXiv
2503.23409: both towers are ReLU layers of 128 and 64 units, their outputs meet in a layer of 128, and one output per
list is trained by default with one sigmoid each. Ours reads centroid scores instead of distances, and is trained on
training queries instead of database vectors, as every trained router here.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..kernels.panels import Panels
from ..kernels.space import Space, identity
from .layers import columns_of, dense, dense_from, through
from .router import Fitting, Routed, Routes
from .scored import route_by_scores
from .training.lessons import Lessons
from .training.trained import Trained, centroid_start, first_offset, size_constants


def _standardised(fitting: Fitting, lessons: Lessons) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    # Weights (L, d) and constants (L,) of centroid scores with mean 0 and variance 1 over the training queries.
    representatives, constants = centroid_start(fitting, lessons)
    some = lessons.queries[lessons.training[:8192]].astype(np.float64)  # their squares may exceed float32
    scores = some @ representatives.T.astype(np.float64) + constants
    spread = np.maximum(scores.std(axis=0), 1e-6 * max(1.0, float(np.abs(scores).max())))
    weights = representatives / spread[:, None]
    return weights.astype(np.float32), ((constants - scores.mean(axis=0)) / spread).astype(np.float32)


@dataclass(frozen=True, slots=True)
class TwoTowerRoutes:
    """The layers of `TwoTower` at query time.

    Attributes
    ----------
    centroids : Panels
        Standardised centroid scores.
    by_centroids, by_query, head : tuple of Panels
        The two towers, and the layers after they meet.
    space : Space
    """

    centroids: Panels
    by_centroids: tuple[Panels, ...]
    by_query: tuple[Panels, ...]
    head: tuple[Panels, ...]
    space: Space

    @property
    def nbytes(self) -> int:
        """Bytes of weights and constants."""
        layers = (self.centroids, *self.by_centroids, *self.by_query, *self.head)
        return sum(layer.values.nbytes + layer.bias.nbytes for layer in layers)

    def route(self, queries: npt.NDArray[np.float32], nprobe: int, threads: int = 1) -> Routed:
        """Return the nprobe best lists of each query."""

        def score(block: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
            near = through((self.centroids,), block, self.space, threads, rectified=False)
            towers = (
                through(self.by_centroids, near, identity(near.shape[1]), threads, rectified=True),
                through(self.by_query, block, self.space, threads, rectified=True),
            )
            met = np.maximum(np.concatenate(towers, axis=1), 0)
            return through(self.head, met, identity(met.shape[1]), threads, rectified=True)

        columns = columns_of((self.centroids, *self.by_centroids, *self.by_query, *self.head))
        return route_by_scores(score, queries, nprobe, columns, threads)


@dataclass(frozen=True, slots=True, repr=False)
class TwoTower(Trained):
    """Route by LIRA's network.

    Notes
    -----
    The fields are those of `Trained`; `loss` is multi-label by default, as there.
    """

    loss: str = "multi-label"

    def module(self, fitting: Fitting, lessons: Lessons) -> Any:
        """Return the two towers and the head."""
        from .training import modules

        weights, constants = _standardised(fitting, lessons)
        return modules.TwoTower(weights, constants, lessons.lists, lessons.queries.shape[1], first_offset(lessons))

    def routes(self, module: Any, fitting: Fitting, lessons: Lessons) -> Routes:
        """Return the same layers for query time."""
        from .training.modules import dense_layers

        by_centroids, by_query = (dense_layers(tower) for tower in module.towers)
        first, last = dense_layers(module.head)
        constants = last.bias.detach().numpy() + size_constants(fitting, self.size_exponent)
        return TwoTowerRoutes(
            dense(module.centroid_weights.numpy() * lessons.scale, module.centroid_constants.numpy()),
            tuple(dense_from(layer) for layer in by_centroids),
            (dense_from(by_query[0], lessons.scale), dense_from(by_query[1])),
            (dense_from(first), dense(last.weight.detach().numpy(), constants)),
            fitting.space,
        )

    def facts(self, module: Any, fitting: Fitting, lessons: Lessons) -> dict[str, Any]:
        """Return the number of parameters."""
        return {"router_parameters": sum(part.numel() for part in module.parameters())}
