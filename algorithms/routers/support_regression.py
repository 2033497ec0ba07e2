"""Regress what a list has to offer: its largest inner product with the query, by a linear function of the query.

Routing asks which list holds the largest of all inner products, hence for s_i(q) = max over the rows x of list i of
⟨q, x⟩, the list's support function. Olausson, Monteiro, Klein and Cuturi ("AMIPS", arXiv 2603.08001) fit it with convex
networks; this is the linear member of that family, with a solution in closed form. Let Q hold m training queries and
S their m × L values, both less their means:

    W = Sᵀ Q (Qᵀ Q + a I)⁻¹,    s(q) ≈ W q + b.

It is the regression beside the classification of `learnt`: the same shape at query time, another loss. Support
functions are convex and grow with ‖q‖; a linear function sees their slope where training queries lie, and no more.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..kernels.space import prepare
from ..rows import positive
from ..value import Value
from .linear import linear_routes
from .ridge import Ridge, choose_ridge
from .router import Fitted, Fitting, MissingTrainingQueries
from .support import support_values

# Ridges to choose from, in units of the mean eigenvalue of QᵀQ.
GRID: Sequence[float] = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)


@dataclass(frozen=True, slots=True, repr=False)
class SupportRegression(Value):
    """Route by a ridge regression of each list's largest inner product.

    Parameters
    ----------
    ridge : float, optional
        a, in units of the mean eigenvalue of QᵀQ; by default the one of a small grid with the smallest squared error on
        held-out training queries. The regression is then solved again over all of them.
    queries : int
        At most this many training queries, drawn by the seed: labelling one costs a scan of all rows.
    validation : float
        Part of them that is held out to choose the ridge.

    Notes
    -----
    Works in the prepared space: s_i is the largest inner product for ip and normalized, the largest cosine for angular.
    Under the euclidean metric it is the largest ⟨q, x⟩ - ½‖x‖², that is -½ times the smallest squared distance
    plus ½‖q‖²: what all lists have in common, and no linear function could follow, is left out. An empty list, which
    has no largest, gets the smallest value of all.
    """

    ridge: float | None = None
    queries: int = 20_000
    validation: float = 0.1

    def __post_init__(self) -> None:
        if self.ridge is not None and not 0.0 < self.ridge < float("inf"):
            raise ValueError(f"SupportRegression.ridge: found {self.ridge!r}, expected a positive number")
        positive(self.queries, "SupportRegression.queries")
        if not 0.0 < self.validation < 1.0:
            raise ValueError(
                f"SupportRegression.validation: found {self.validation!r}, expected a part between 0 and 1"
            )

    @property
    def learns(self) -> bool:
        """Training queries needed; their neighbours are not."""
        return True

    def resolve(self, metric: str) -> "SupportRegression":
        """Nothing depends on the metric."""
        return self

    def fit(self, fitting: Fitting) -> Fitted:
        """Find the support values of the training queries, solve, and lay the representatives out for routing.

        Raises
        ------
        MissingTrainingQueries
            There are none, or fewer than two.
        """
        training = fitting.training
        if training is None or len(training.queries) < 2:
            raise MissingTrainingQueries(
                "SupportRegression: found no training queries, expected at least 2 "
                "(a dataset's `learn` set, or `training=` of build)"
            )
        generator = np.random.default_rng(fitting.seed)
        count = min(len(training.queries), max(2, self.queries))
        chosen = np.sort(generator.choice(len(training.queries), size=count, replace=False))
        asked = np.ascontiguousarray(training.queries[chosen])
        started = time.perf_counter()
        values = support_values(fitting, asked)
        label_seconds = time.perf_counter() - started
        started = time.perf_counter()
        solved, notes = self._solve(prepare(asked, fitting.space, fitting.threads), values, generator)
        fitting.progress("learn", 1, 1, f"ridge {solved.ridge:g}")
        routes = linear_routes(solved.weights.astype(np.float32), solved.constants.astype(np.float32), fitting.space)
        learn_seconds = time.perf_counter() - started
        notes = {"training_queries": count, "training_source": training.source, **notes}
        return Fitted(routes, learn_seconds, label_seconds, notes)

    def _solve(
        self, queries: npt.NDArray[np.float32], values: npt.NDArray[np.float32], generator: np.random.Generator
    ) -> tuple[Ridge, dict[str, Any]]:
        order = generator.permutation(len(queries))
        held_out = min(len(queries) - 1, max(1, round(self.validation * len(queries))))
        grid = GRID if self.ridge is None else (self.ridge,)
        return choose_ridge(queries, values, order[held_out:], order[:held_out], grid)
