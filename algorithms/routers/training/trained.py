"""What all routers trained by gradient descent share: their fields, and the way from queries to routes.

A trained router is one file in the folder above: a dataclass over `Trained` that says which torch module is trained and
which routes it becomes. Everything else, from labels to warnings, is here and in this folder, and alike for all.
"""

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...rows import positive
from ...value import Value
from ..centroid import Centroid
from ..router import Fitted, Fitting, Routes
from .descent import Recipe, alone, descend, device_for
from .failure_signs import failure_signs, lists_without_label, validation_accuracy
from .lessons import Lessons, Syllabus, make_lessons
from .targets import LOSSES

LABELS = ("given", "search")
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True, slots=True, repr=False)
class Trained(Value):
    """Fields of every trained router.

    Parameters
    ----------
    loss : str
        ``soft``, ``top-1``, ``binary`` or ``multi-label``; see `targets`.
    k : int
        Neighbours of a training query that count; ``top-1`` counts one. Where fewer are given they are searched for,
        and charged as labelling.
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
    labels : str
        ``given``: use the neighbours that come with the training queries, where they do; ``search``: find them again,
        so that labelling is charged in full (training rows that stand in for queries keep theirs).
    queries : int, optional
        Train on so many of the training queries, a random part; by default on all.
    documents : int
        Train on so many rows of the index too, each labelled with its neighbours but itself: for when queries are few.
    size_exponent : float
        α in score = logit - α log |C_i|: 0 ranks lists by how likely they hold a neighbour, 1 by how likely each of
        their points is one. Between the two the same recall costs fewer points.
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    """

    loss: str = "soft"
    k: int = 10
    epochs: int = 100
    patience: int = 5
    validation: float = 0.1
    batch: int = 512
    learning_rate: float = 1e-3
    labels: str = "given"
    queries: int | None = None
    documents: int = 0
    size_exponent: float = 0.0
    device: str = "auto"

    def __post_init__(self) -> None:
        name = type(self).__name__
        for field in ("epochs", "documents"):
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ValueError(f"{name}.{field}: found {value!r}, expected an integer of at least 0")
        for field in ("k", "patience", "batch"):
            positive(getattr(self, field), f"{name}.{field}")
        if self.queries is not None and positive(self.queries, f"{name}.queries") < 2:
            raise ValueError(f"{name}.queries: found {self.queries}, expected at least 2")
        if not 0.0 < self.validation < 1.0:
            raise ValueError(f"{name}.validation: found {self.validation!r}, expected a part between 0 and 1")
        if not 0.0 < self.learning_rate < float("inf"):
            raise ValueError(f"{name}.learning_rate: found {self.learning_rate!r}, expected a positive number")
        if not 0.0 <= self.size_exponent < float("inf"):
            raise ValueError(f"{name}.size_exponent: found {self.size_exponent!r}, expected a number of at least 0")
        for field, allowed in (("loss", LOSSES), ("labels", LABELS), ("device", DEVICES)):
            if getattr(self, field) not in allowed:
                raise ValueError(
                    f"{name}.{field}: found {getattr(self, field)!r}, expected one of {', '.join(allowed)}"
                )

    @property
    def linear(self) -> bool:
        """No single representative for each list."""
        return False

    @property
    def learns(self) -> bool:
        """Training queries needed."""
        return True

    def resolve(self, metric: str) -> "Trained":
        """Nothing depends on the metric."""
        return self

    def module(self, fitting: Fitting, lessons: Lessons) -> Any:
        """Return the torch module to train, in its first state."""
        raise NotImplementedError

    def routes(self, module: Any, fitting: Fitting, lessons: Lessons) -> Routes:
        """Return what the trained module is at query time."""
        raise NotImplementedError

    def facts(self, module: Any, fitting: Fitting, lessons: Lessons) -> dict[str, Any]:
        """Return further notes on the trained module."""
        return {}

    def lessons(self, fitting: Fitting) -> Lessons:
        """Label, prepare and split the training queries."""
        syllabus = Syllabus(self.loss, self.k, self.labels, self.queries, self.documents, self.validation)
        return make_lessons(fitting, syllabus, type(self).__name__)

    def fit(self, fitting: Fitting) -> Fitted:
        """Label the training queries, train, and lay the result out for routing.

        Raises
        ------
        MissingTrainingQueries
            There are none, or fewer than two.
        """
        lessons = self.lessons(fitting)
        recipe = Recipe(self.epochs, self.patience, self.batch, self.learning_rate, device_for(self.device))
        started = time.perf_counter()
        with alone(fitting.seed, fitting.threads):
            module = self.module(fitting, lessons)
            notes = descend(module, lessons, recipe, fitting.progress)
            module.to("cpu")
            learn_seconds = time.perf_counter() - started
        routes = self.routes(module, fitting, lessons)
        return fitted(fitting, lessons, routes, learn_seconds, {**notes, **self.facts(module, fitting, lessons)})


def fitted(fitting: Fitting, lessons: Lessons, routes: Routes, learn_seconds: float, notes: dict[str, Any]) -> Fitted:
    """Return what a trained router's `fit` returns, with its warnings in the notes and told once."""
    training = fitting.training
    start, constants = centroid_start(fitting, lessons)
    validating = lessons.queries[lessons.validation, : start.shape[1]]
    notes = {
        "training_queries": len(lessons.queries),
        "training_source": "" if training is None else training.source,
        "label_neighbors": lessons.neighbors,
        **notes,
        "validation_accuracy_of_centroids": validation_accuracy(validating @ start.T + constants, lessons),
        "lists_without_label": lists_without_label(lessons),
    }
    notes["warnings"] = failure_signs(notes)
    for warning in notes["warnings"]:
        fitting.progress("warning", 0, 1, warning)
    return Fitted(routes, learn_seconds, lessons.label_seconds, notes)


def centroid_start(fitting: Fitting, lessons: Lessons) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the routing centroids and their constants, for queries that are scaled as the lessons' are."""
    representatives, constants = Centroid().representatives(fitting)
    return representatives / lessons.scale, constants


def first_offset(lessons: Lessons) -> float:
    """Return the logit at which one sigmoid per list starts: that of the share of lists that are relevant."""
    if not lessons.targets.sigmoid:
        return 0.0
    share = float(lessons.targets.weights.sum()) / (len(lessons.queries) * lessons.lists)
    share = min(max(share, 1e-4), 1 - 1e-4)
    return math.log(share / (1 - share))


def size_constants(fitting: Fitting, exponent: float) -> npt.NDArray[np.float32]:
    """Return -α log |C_i| of every list, (L,) float32; an empty list counts as one of one point."""
    return (-exponent * np.log(np.maximum(fitting.clusters.sizes, 1))).astype(np.float32)
