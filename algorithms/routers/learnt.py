"""The learnt router: one linear representative for each list, trained to rank the right lists first.

Routing is a ranking problem (Vecchiato, Lucchese, Nardini, Bruch: "A Learning-to-Rank Formulation of
Clustering-Based Approximate Nearest Neighbor Search", SIGIR 2024, arXiv 2404.11731; thesis arXiv 2412.05921).
For a training query q let y_i(q) be the share of its k exact neighbours that list i holds. The representatives W
minimise the cross-entropy

    -1/m Σ_q Σ_i y_i(q) log softmax(W q)_i

and then replace the centroids; nothing else in the index changes. With k = 1 this is the thesis' loss; `targets` has
the others. The problem is convex in W, so where it starts changes how soon it arrives, not where.

What each metric needs, so that the true order of the lists can be written as W q + b:

- ip, normalized: a list's relevance grows with ⟨q, x⟩ for its points x, linear in q; no constant, as in the paper.
- angular: the same on unit vectors. The length of q scales all scores alike and moves no rank.
- euclidean: a softmax over -β‖q - μ‖² is a softmax over ⟨q, 2βμ⟩ - β‖μ‖², since β‖q‖² is common to all lists: linear
  in q with one constant for each list, so W gets a bias b.
- manhattan: no linear score equals -‖q - μ‖₁, but within an orthant around μ, where the signs s of q - μ are fixed, it
  is ⟨q, -s⟩ + ⟨μ, s⟩: affine in q. W and b are learnt, a compromise over the orthants that queries come from; they
  start from euclidean scoring.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..kernels.space import DISTANCES
from .centroid import Centroid
from .linear import linear_routes
from .router import Fitting, Routes
from .training.descent import inverse_temperature
from .training.failure_signs import mean_cosine
from .training.lessons import Lessons
from .training.trained import Trained, centroid_start, first_offset, size_constants

STARTS = ("centroids", "scratch")
FITTED_ON = 4096  # training queries that set the temperature of the start


def linear_start(fitting: Fitting, lessons: Lessons, start: str) -> tuple[Any, Any]:
    """Return the first W (L, d) and b (L,), torch: the centroids as logits, or Glorot-uniform and zero.

    Centroid scores are multiplied by the inverse temperature that fits a sample of the labels best; no rank moves.
    """
    import torch

    if start == "scratch":
        weights = torch.empty(lessons.lists, lessons.queries.shape[1])
        torch.nn.init.xavier_uniform_(weights)
        return weights, torch.zeros(lessons.lists)
    representatives, offsets = (torch.from_numpy(part) for part in centroid_start(fitting, lessons))
    some = lessons.training[:FITTED_ON]
    logits = torch.from_numpy(lessons.queries[some]) @ representatives.T + offsets
    labels, weights = (torch.from_numpy(part[some]) for part in (lessons.targets.labels, lessons.targets.weights))
    factor = inverse_temperature(logits, labels, weights)
    return representatives * factor, offsets * factor


@dataclass(frozen=True, slots=True, repr=False)
class Learnt(Trained):
    """Route by one representative per list, learnt from training queries.

    Parameters
    ----------
    start : str
        ``centroids``: the routing centroids, scaled to fit the labels best; ``scratch``: Glorot-uniform, as
        in the paper.

    Notes
    -----
    The other fields are those of `Trained`.
    """

    start: str = "centroids"

    def __post_init__(self) -> None:
        Trained.__post_init__(self)
        if self.start not in STARTS:
            raise ValueError(f"Learnt.start: found {self.start!r}, expected one of {', '.join(STARTS)}")

    @property
    def linear(self) -> bool:
        """One representative for each list."""
        return True

    def module(self, fitting: Fitting, lessons: Lessons) -> Any:
        """Return W q, with constants under a distance."""
        from .training.modules import Linear

        weights, constants = linear_start(fitting, lessons, self.start)
        offset = first_offset(lessons) if lessons.targets.sigmoid else None
        return Linear(weights, constants if fitting.metric in DISTANCES else None, offset)

    def routes(self, module: Any, fitting: Fitting, lessons: Lessons) -> Routes:
        """Return linear routes."""
        weights = module.weights.detach().numpy() * lessons.scale
        constants = np.zeros(len(weights), dtype=np.float32)
        if module.constants is not None:
            constants = constants + module.constants.detach().numpy()
        return linear_routes(weights, constants + size_constants(fitting, self.size_exponent), fitting.space)

    def facts(self, module: Any, fitting: Fitting, lessons: Lessons) -> dict[str, Any]:
        """Return how far the representatives left the centroids."""
        representatives, _ = Centroid().representatives(fitting)
        return {"cosine_to_centroids": mean_cosine(module.weights.detach().numpy(), representatives)}
