"""Several learnt representatives for each list.

A list may hold neighbours of several kinds of queries, and one direction cannot point at all of them. Here each list
has r representatives w_ij, and its logit is log Σ_j exp(⟨q, w_ij⟩ + b_ij): the softmax over lists is then that of a
softmax over all L·r representatives, summed by list, so training is the same cross-entropy. No publication that we know
of trains this; sub-centroids without learning are the router `MultiCentroid`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..kernels.groups import combine_groups
from ..kernels.panels import Panels
from ..kernels.score import score_all
from ..kernels.space import Space
from ..rows import positive
from .layers import dense
from .learnt import linear_start
from .router import Fitting, Routed, Routes
from .scored import route_by_scores
from .training.lessons import Lessons
from .training.trained import Trained, first_offset, size_constants

PERTURBATION = 0.3  # of the copies that a list's representatives start as, relative to their spread


@dataclass(frozen=True, slots=True)
class GroupedRoutes:
    """The score of a list is the log-sum-exp, or the best, of the scores of its representatives.

    Attributes
    ----------
    panels : Panels
        List after list, r rows each.
    each : int
        r.
    combination : str
        As in `kernels.groups`.
    space : Space
    """

    panels: Panels
    each: int
    combination: str
    space: Space

    @property
    def nbytes(self) -> int:
        """Bytes of representatives and constants."""
        return self.panels.values.nbytes + self.panels.bias.nbytes

    def route(self, queries: npt.NDArray[np.float32], nprobe: int, threads: int = 1) -> Routed:
        """Return the nprobe best lists of each query."""

        def score(block: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
            products = score_all(self.panels, block, self.space, threads)
            return combine_groups(products, self.each, self.combination, threads)

        return route_by_scores(score, queries, nprobe, int(self.panels.sizes.sum()), threads)


@dataclass(frozen=True, slots=True, repr=False)
class MultiLearnt(Trained):
    """Route by several learnt representatives per list.

    Parameters
    ----------
    representatives : int
        r.

    Notes
    -----
    The other fields are those of `Trained`.
    """

    representatives: int = 4

    def __post_init__(self) -> None:
        Trained.__post_init__(self)
        positive(self.representatives, "MultiLearnt.representatives")

    def module(self, fitting: Fitting, lessons: Lessons) -> Any:
        """Return r perturbed copies of each centroid."""
        import torch

        from .training.modules import Grouped

        weights, constants = linear_start(fitting, lessons, "centroids")
        copies = weights.repeat_interleave(self.representatives, dim=0)
        if self.representatives > 1:
            copies = copies + PERTURBATION * weights.std(correction=0) * torch.randn(copies.shape)
        offset = first_offset(lessons) if lessons.targets.sigmoid else None
        shared = constants.repeat_interleave(self.representatives) - float(np.log(self.representatives))
        return Grouped(copies, shared, offset, self.representatives)

    def routes(self, module: Any, fitting: Fitting, lessons: Lessons) -> Routes:
        """Return the representatives laid out list after list."""
        sizes = np.repeat(size_constants(fitting, self.size_exponent), self.representatives)
        weights = module.parts.weights.detach().numpy() * lessons.scale
        constants = module.parts.constants.detach().numpy() + sizes
        return GroupedRoutes(dense(weights, constants), self.representatives, "log-sum-exp", fitting.space)
