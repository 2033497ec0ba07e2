"""Accuracy of routing under a budget: pure functions of the integers that a `Routing` holds.

The same router looks different under different budgets. "Lists" is what an index is told (nprobe); "points" is what
it then has to scan, and charges a router that prefers large lists for them. Both are here, exact and free of any
clock. A true neighbour is found when its list is opened: ties of distance are not considered, unlike in `recall`.

Source of the two budgets: lists, arXiv 2404.11731, section 4; points, arXiv 2405.12207, section 5.

Symbols: q queries, k neighbours asked for, L lists, ℓ lists opened, n vectors.
"""

import math

import numpy as np

from .errors import ResultError
from .run import FloatArray64, Routing, Run


def routing_of(run: Run, k: int) -> Routing:
    """Return the routing of a run that can tell about the first k neighbours.

    Raises
    ------
    ResultError
        The run has none, or it follows fewer than k neighbours.
    """
    where = f"run {run.algorithm!r} on {run.dataset!r}"
    if run.routing is None:
        raise ResultError(f"{where}: found no routing, expected a run in mode routing")
    if not 1 <= k <= run.routing.rank.shape[1]:
        raise ResultError(f"{where}: found k = {k}, expected 1 to {run.routing.rank.shape[1]}, the neighbours followed")
    return run.routing


def lists_of_share(share: float, lists: int) -> int:
    """Return how many lists a share of L is: at least 1, ``max(1, round(share L))``."""
    return max(1, round(share * lists))


def accuracy_at_lists(run: Run, k: int, probes: int) -> FloatArray64:
    """Return for each query the share of its k true neighbours that lie in the first `probes` lists, (q,) float64."""
    return np.asarray((routing_of(run, k).rank[:, :k] < probes).mean(axis=1), np.float64)


def accuracy_at_points(run: Run, k: int, points: float) -> FloatArray64:
    """Return for each query the share of its k true neighbours found by scanning so many points, (q,) float64.

    Lists are opened in the router's order until the budget is spent. Of the list that fits only in part, the part
    that fits counts: the expected share when its points come in random order. Hence a linear interpolation for each
    query between the list counts next to the budget, and every router is charged the same to the point.

    Parameters
    ----------
    run : Run
    k : int
    points : float
        The budget of each query: a share f of the dataset is f n.
    """
    routing = routing_of(run, k)
    room = (points - routing.before[:, :k]) / np.maximum(routing.size[:, :k], 1)
    return np.asarray(np.clip(room, 0.0, 1.0).mean(axis=1), np.float64)


def recall_curve(run: Run, k: int) -> FloatArray64:
    """Return mean recall@k when every query opens ℓ lists, (L,) float64; entry 0 is ℓ = 1."""
    routing = routing_of(run, k)
    lists = len(routing.scanned)
    found = np.bincount(routing.rank[:, :k].ravel(), minlength=lists + 1)[:lists]
    return np.asarray(np.cumsum(found) / routing.rank[:, :k].size, np.float64)


def points_at_recall(run: Run, k: int, level: float) -> float:
    """Return the points scanned per query where recall@k reaches a level; NaN where it never does.

    Every query opens the same ℓ lists. Between ℓ - 1 and ℓ, points and recall are linear; no lists, no points and
    recall 0 are the first end.
    """
    return first_reach(recall_curve(run, k), routing_of(run, k).scanned, level)


def lists_at_recall(run: Run, k: int, level: float) -> float:
    """Return the lists opened where recall@k reaches a level, interpolated as in `points_at_recall`."""
    curve = recall_curve(run, k)
    return first_reach(curve, np.arange(1.0, len(curve) + 1.0), level)


def opened_size(run: Run, share: float) -> float:
    """Return the mean size of the lists opened first, a share of all, over the mean size of a list.

    Above 1 a router prefers large lists, which a budget of lists does not charge for.
    """
    routing = routing_of(run, 1)
    probes = lists_of_share(share, len(routing.scanned))
    return float(routing.scanned[probes - 1] / (probes * run.n / len(routing.scanned)))


def first_reach(curve: FloatArray64, costs: FloatArray64, level: float) -> float:
    """Return the cost at which a rising curve first reaches a level, from (0, 0) on linear between its points.

    Parameters
    ----------
    curve, costs
        (L,) float64, neither ever falling.
    level
        Above 0 and at most 1.

    Raises
    ------
    ResultError
        A level that is neither.
    """
    if not 0.0 < level <= 1.0:
        raise ResultError(f"level of recall: found {level}, expected more than 0 and at most 1")
    place = int(np.searchsorted(curve, level - 1e-12))
    if place == len(curve):
        return math.nan
    below, start = (float(curve[place - 1]), float(costs[place - 1])) if place else (0.0, 0.0)
    part = min(1.0, (level - below) / (float(curve[place]) - below))
    return start + part * (float(costs[place]) - start)


def routing_latency(run: Run) -> float:
    """Return the median seconds that one query takes to be routed, over all repetitions."""
    return float(np.median(routing_of(run, 1).seconds))
