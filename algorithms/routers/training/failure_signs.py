"""What went wrong, said in words: the failure signatures of training, each a warning and each a number.

After the thesis (arXiv 2412.05921): a router that gains nothing over the centroids, whose loss still falls when
training stops, whose representatives hardly left the centroids, that knows its training queries by heart, or that has
lists which no query ever asked for, should not be believed without a second look.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from .lessons import Lessons

SAME_DIRECTION = 0.999  # mean cosine between representatives and their start
FORGOTTEN = 0.15  # validation accuracy this far below training accuracy


def lists_without_label(lessons: Lessons) -> int:
    """Return how many lists no training query should find."""
    labelled = lessons.targets.labels[lessons.targets.weights > 0]
    return int(lessons.lists - len(np.unique(labelled)))


def validation_accuracy(scores: npt.NDArray[np.float32], lessons: Lessons) -> float:
    """Return the accuracy with one probe that some scores (v, L) of the validation queries reach."""
    best = scores.argmax(axis=1)[:, None]
    labels = lessons.targets.labels[lessons.validation]
    weights = lessons.targets.weights[lessons.validation]
    found = ((labels == best) * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-9)
    return float(found.mean())


def mean_cosine(rows: npt.NDArray[np.float32], others: npt.NDArray[np.float32]) -> float:
    """Return the mean cosine between rows (L, d) and others (L, d), zero rows left out; NaN if none is left."""
    first, second = (part / np.maximum(np.abs(part).max(axis=1, keepdims=True), 1e-30) for part in (rows, others))
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    kept = lengths > 0
    if not kept.any():
        return float("nan")
    return float((np.einsum("ij,ij->i", first[kept], second[kept]) / lengths[kept]).mean())


def failure_signs(notes: dict[str, Any]) -> list[str]:
    """Return the warnings that a training's notes call for.

    Parameters
    ----------
    notes : dict
        ``epochs_run``, ``converged``, ``validation_accuracy``, ``training_accuracy``,
        ``validation_accuracy_of_centroids``, ``lists_without_label``, and for linear routers ``cosine_to_centroids``.
    """
    found = []
    reached, centroids = notes["validation_accuracy"], notes["validation_accuracy_of_centroids"]
    if reached <= centroids:
        found.append(f"no gain over the centroids on validation queries: {reached:.3f} against {centroids:.3f}")
    if not notes["converged"]:
        found.append(f"not converged: the validation loss was lowest in the last epoch, {notes['epochs_run']}")
    if notes.get("cosine_to_centroids", 0.0) > SAME_DIRECTION and notes["epochs_run"] > 0:
        found.append(f"representatives nearly equal to the centroids: mean cosine {notes['cosine_to_centroids']:.4f}")
    if reached < notes["training_accuracy"] - FORGOTTEN:
        found.append(f"validation far below training: {reached:.3f} against {notes['training_accuracy']:.3f}")
    if notes["lists_without_label"]:
        found.append(f"lists that no training query labels: {notes['lists_without_label']}")
    return found
