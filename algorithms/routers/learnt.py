"""The learnt router: one linear representative for each list, trained to rank the right list first.

Routing is a ranking problem (Vecchiato, Lucchese, Nardini, Bruch: "A Learning-to-Rank Formulation of
Clustering-Based Approximate Nearest Neighbor Search", SIGIR 2024, arXiv 2404.11731; thesis arXiv 2412.05921).
For a training query q let c(q) be the list that holds its exact nearest neighbour. The representatives W
minimise the cross-entropy

    -1/m Σ_q log softmax(W q)_{c(q)}

and then replace the centroids; nothing else in the index changes. The problem is convex in W, so where it
starts changes how soon it arrives, not where.

Under the euclidean metric a softmax over -β‖q - μ‖² is a softmax over ⟨q, 2βμ⟩ - β‖μ‖²: linear in q with one
constant for each list. There W gets a bias, b; for inner products and cosines it has none, as in the paper.

Under the manhattan metric no linear score equals -‖q - μ‖₁. But within an orthant around μ, where the signs s of q - μ
are all fixed, it is ⟨q, -s⟩ + ⟨μ, s⟩: affine in q. A score that is linear with a constant is thus right about any one
orthant, a compromise over several, and its W and b are learnt. They start from euclidean scoring, not from manhattan.
"""

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..kernels.space import prepare
from ..rows import positive
from ..value import Value
from .centroid import Centroid
from .linear import linear_routes
from .router import Fitted, Fitting, MissingTrainingQueries, TrainingQueries
from .softmax_training import Recipe, SoftmaxTask, device_for, train

STARTS = ("centroids", "scratch")
LABELS = ("given", "search")


@dataclass(frozen=True, slots=True, repr=False)
class Learnt(Value):
    """Route by representatives learnt from training queries.

    Parameters
    ----------
    epochs : int
        At most this many passes; 0 keeps the start.
    patience : int
        Stop after this many epochs without a lower validation loss; the best weights are kept.
    validation : float
        Part of the training queries that is held out to decide when to stop.
    batch : int
        Queries in a step.
    learning_rate : float
        Of Adam.
    start : str
        ``centroids``: the routing centroids, scaled to fit the labels best; ``scratch``: Glorot-uniform, as
        in the paper.
    labels : str
        ``given``: use the neighbours that come with the training queries, where they do; ``search``: find
        them again, so that labelling is charged in full (training rows that stand in for queries keep theirs).
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    """

    epochs: int = 100
    patience: int = 5
    validation: float = 0.1
    batch: int = 512
    learning_rate: float = 1e-3
    start: str = "centroids"
    labels: str = "given"
    device: str = "auto"

    def __post_init__(self) -> None:
        if isinstance(self.epochs, bool) or not isinstance(self.epochs, int) or self.epochs < 0:
            raise ValueError(f"Learnt.epochs: found {self.epochs!r}, expected an integer of at least 0")
        positive(self.patience, "Learnt.patience")
        positive(self.batch, "Learnt.batch")
        if not 0.0 < self.validation < 1.0:
            raise ValueError(f"Learnt.validation: found {self.validation!r}, expected a part between 0 and 1")
        if not 0.0 < self.learning_rate < float("inf"):
            raise ValueError(f"Learnt.learning_rate: found {self.learning_rate!r}, expected a positive number")
        for name, allowed in (("start", STARTS), ("labels", LABELS), ("device", ("auto", "cpu", "cuda"))):
            if getattr(self, name) not in allowed:
                raise ValueError(f"Learnt.{name}: found {getattr(self, name)!r}, expected one of {', '.join(allowed)}")

    @property
    def learns(self) -> bool:
        """Training queries needed."""
        return True

    def resolve(self, metric: str) -> "Learnt":
        """Nothing depends on the metric."""
        return self

    def fit(self, fitting: Fitting) -> Fitted:
        """Label the training queries, train, and lay the representatives out for routing.

        Raises
        ------
        MissingTrainingQueries
            There are none, or fewer than two.
        """
        training = fitting.training
        if training is None or len(training.queries) < 2:
            raise MissingTrainingQueries(
                "Learnt: found no training queries, expected at least 2 "
                "(a dataset's `learn` set, or `training=` of build)"
            )
        started = time.perf_counter()
        labels = self._labels(fitting, training)
        label_seconds = time.perf_counter() - started
        task, scale = self._task(fitting, training, labels)
        started = time.perf_counter()
        recipe = Recipe(self.epochs, self.patience, self.batch, self.learning_rate, device_for(self.device))
        weights, bias, notes = train(
            task, recipe, seed=fitting.seed, threads=fitting.threads, progress=fitting.progress
        )
        learn_seconds = time.perf_counter() - started
        constants = np.zeros(len(weights), dtype=np.float32) if bias is None else bias
        routes = linear_routes(weights * scale, constants, fitting.space)
        notes = {"training_queries": len(training.queries), "training_source": training.source, **notes}
        return Fitted(routes, learn_seconds, label_seconds, notes)

    def _labels(self, fitting: Fitting, training: TrainingQueries) -> npt.NDArray[np.int64]:
        # The list that holds the nearest neighbour of each training query.
        nearest = training.neighbors
        if nearest is None or (self.labels == "search" and not training.from_train):
            fitting.progress("labels", 0, 1, f"exact neighbours of {len(training.queries)} training queries")
            nearest = fitting.nearest(training.queries, 1)
            fitting.progress("labels", 1, 1, "")
        return fitting.clusters.assignment[nearest[:, 0]].astype(np.int64)

    def _task(
        self, fitting: Fitting, training: TrainingQueries, labels: npt.NDArray[np.int64]
    ) -> tuple[SoftmaxTask, np.float32]:
        # Queries are scaled to a mean square of 1 per coordinate, so that one learning rate serves bytes and
        # unit vectors. Measured on unit vectors of 384 dimensions: 5 epochs instead of over 100.
        queries = prepare(training.queries, fitting.space, fitting.threads)
        mean_square = float(np.einsum("ij,ij->", queries, queries, dtype=np.float64)) / queries.size
        scale = np.float32(1.0 / np.sqrt(mean_square)) if mean_square > 0 else np.float32(1.0)
        queries *= scale
        order = np.random.default_rng(fitting.seed).permutation(len(queries))
        held_out = min(len(queries) - 1, max(1, round(self.validation * len(queries))))
        with_bias = fitting.metric in ("euclidean", "manhattan")
        start = constants = None
        if self.start == "centroids":
            start, constants = Centroid().representatives(fitting)
            start = start / scale
        task = SoftmaxTask(
            queries, labels, order[held_out:], order[:held_out], len(fitting.clusters.centroids),
            start, constants, with_bias,
        )  # fmt: skip
        return task, scale
