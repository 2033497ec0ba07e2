"""What a training query should find: lists, weighted, one row per query.

For a training query q with exact neighbours S_k(q), let n_i(q) be how many of them list i holds. Four losses are
written as weights on the neighbours' lists, so that labels stay k list numbers per query and never become rows of L
numbers:

- ``top-1``: all weight on the list of the nearest neighbour. The thesis' loss (Vecchiato et al., arXiv 2404.11731,
  section 3), a bound on the reciprocal rank of that list.
- ``soft``: weights n_i/k, the cross-entropy of ListNet (Cao et al., ICML 2007) with the recall that each list holds as
  relevance. It targets what top-k accuracy measures, and is the thesis' open question 2.
- ``binary``: equal weights on the lists with n_i > 0, the relevance that the thesis' section on k > 1 defines.
- ``multi-label``: one sigmoid for each list, 1 where n_i > 0 (as BLISS and LIRA train).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

LOSSES = ("top-1", "soft", "binary", "multi-label")


@dataclass(frozen=True, slots=True)
class Targets:
    """Weighted lists for each of m training queries.

    Attributes
    ----------
    labels : (m, k) int64
        Lists; where the weight is 0 the list means nothing.
    weights : (m, k) float32
        Each row sums to 1 for the softmax losses; 0 or 1 for ``multi-label``.
    sigmoid : bool
        One sigmoid for each list, instead of one softmax over all.
    """

    labels: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]
    sigmoid: bool


def _first_occurrences(labels: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    # Whether an entry is the first of its row to name its list, (m, k).
    seen = np.zeros(labels.shape, dtype=bool)
    for j in range(labels.shape[1]):
        seen[:, j] = ~(labels[:, :j] == labels[:, j : j + 1]).any(axis=1)
    return seen


def make_targets(assignment: npt.NDArray[np.int32], neighbors: npt.NDArray[np.int32], loss: str, k: int) -> Targets:
    """Turn the neighbours of training queries into weighted lists.

    Parameters
    ----------
    assignment : (n,) int32
        The list of each row.
    neighbors : (m, K) int32
        Nearest first; -1 where a query has fewer.
    loss : str
        One of `LOSSES`.
    k : int
        Neighbours that count, at most K; ``top-1`` counts one.
    """
    known = neighbors[:, : 1 if loss == "top-1" else k]
    present = known >= 0
    labels = np.where(present, assignment[np.maximum(known, 0)], -1).astype(np.int64)
    counted = present if loss in ("top-1", "soft") else present & _first_occurrences(labels)
    weights = counted.astype(np.float32)
    if loss != "multi-label":
        weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1.0)
    return Targets(np.maximum(labels, 0), weights, loss == "multi-label")


def loss_of(logits: Any, labels: Any, weights: Any, sigmoid: bool) -> Any:
    """Return the loss of each query, (b,) torch.

    Parameters
    ----------
    logits : (b, L) torch float32
    labels, weights : (b, k) torch
    sigmoid : bool
        As in `Targets`.
    """
    import torch

    wanted = (weights * logits.gather(1, labels)).sum(dim=1)
    if sigmoid:  # Σ_i log(1 + e^z_i) - Σ_relevant z_i
        return torch.nn.functional.softplus(logits).sum(dim=1) - wanted
    return torch.logsumexp(logits, dim=1) * weights.sum(dim=1) - wanted


def found_by_the_best(logits: Any, labels: Any, weights: Any) -> Any:
    """Return the weight that the highest-scored list of each query holds, (b,) torch: accuracy with one probe."""
    best = logits.argmax(dim=1, keepdim=True)
    return ((labels == best) * weights).sum(dim=1) / weights.sum(dim=1).clamp_min(1e-9)
