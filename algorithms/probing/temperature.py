"""The temperature that turns a router's scores into probabilities.

Routers score in units of their own; divided by the right temperature, their softmax says where neighbours are. The
right one is that of highest likelihood (Guo, Pleiss, Sun, Weinberger: "On Calibration of Modern Neural Networks", ICML
2017) of the lists that hold the k neighbours of the calibration queries.
"""

import math

import numpy as np
import numpy.typing as npt

from ..kernels.mass import softmax_moments
from ..routers.router import Routed

STEPS = 60
CLOSE = 1e-6  # relative change at which the search ends
WIDEST = 1e5  # temperatures lie within this factor of the spread of the scores


def fit_temperature(routed: Routed, places: npt.NDArray[np.int32]) -> float:
    """Return the temperature of highest likelihood; 1 where nothing can tell.

    The mean over queries of the mean over their neighbours of ``-log softmax(scores / temperature)`` is convex in the
    inverse temperature β. Its derivative is the mean score under the softmax less the mean score of the neighbours'
    lists, its curvature the variance under the softmax: Newton steps, kept between bounds that enclose the root.

    Parameters
    ----------
    routed : Routed
        Of c queries to all L lists.
    places : (c, K) int32
        Where the list of each neighbour comes in that order; -1 where it is not known, one known in each row.
    """
    if not len(places):
        return 1.0
    spread = math.sqrt(softmax_moments(routed.scores, 0.0)[1])
    if not spread > 0.0:
        return 1.0
    target = _mean_gap(routed.scores, places)
    low, high = 1.0 / (spread * WIDEST), WIDEST / spread
    inverse = 1.0 / spread
    for _ in range(STEPS):
        mean, variance = softmax_moments(routed.scores, inverse)
        low, high = (inverse, high) if mean < target else (low, inverse)
        following = inverse - (mean - target) / variance if variance > 0.0 else 0.0
        if not low < following < high:
            following = math.sqrt(low * high)
        done = abs(following - inverse) <= CLOSE * inverse
        inverse = following
        if done:
            break
    return 1.0 / inverse


def _mean_gap(scores: npt.NDArray[np.float32], places: npt.NDArray[np.int32]) -> float:
    # Mean over queries of the mean over known neighbours of the score of their list less the best score.
    known = places >= 0
    chosen = np.take_along_axis(scores, np.maximum(places, 0), axis=1).astype(np.float64) - scores[:, :1]
    return float((np.where(known, chosen, 0.0).sum(axis=1) / known.sum(axis=1)).mean())
