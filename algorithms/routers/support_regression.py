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

import numpy as np

from ..kernels.space import prepare
from ..rows import positive
from ..value import Value
from .linear import linear_routes
from .ridge import choose_ridge
from .router import Fitted, Fitting, MissingTrainingQueries, held_out
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
        held-out training queries.
    queries : int
        At most this many training queries, the held-out ones among them: labelling one costs a scan of all rows.
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
    def linear(self) -> bool:
        """One representative for each list."""
        return True

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
        held, kept = held_out(len(training.queries), fitting.seed, self.validation)
        held = held[: max(1, round(self.validation * self.queries))]
        kept = kept[: max(1, self.queries - len(held))]
        asked = np.ascontiguousarray(training.queries[np.concatenate([held, kept])])
        started = time.perf_counter()
        values = support_values(fitting, asked)
        label_seconds = time.perf_counter() - started
        started = time.perf_counter()
        grid = GRID if self.ridge is None else (self.ridge,)
        prepared, places = prepare(asked, fitting.space, fitting.threads), np.arange(len(asked))
        solved, notes = choose_ridge(prepared, values, places[len(held) :], places[: len(held)], grid)
        fitting.progress("learn", 1, 1, f"ridge {solved.ridge:g}")
        routes = linear_routes(solved.weights.astype(np.float32), solved.constants.astype(np.float32), fitting.space)
        learn_seconds = time.perf_counter() - started
        notes = {"training_queries": len(asked), "training_source": training.source, **notes}
        return Fitted(routes, learn_seconds, label_seconds, notes)
