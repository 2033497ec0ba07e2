"""What calibrated policies learn from: held-out training queries and the lists that hold their neighbours.

The queries are those that `held_out` keeps from every router, so a learnt router's scores for them are as good as for
any new query and no better; they may have decided when its training stopped, and nothing else.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..routers.router import MissingTrainingQueries, Routed, TrainingQueries, held_out
from .policy import Searched

AT_MOST = 5_000
CANDIDATES = 1000  # ranked exactly, at least, where lists hold codes
SCORES_AT_MOST = 20_000_000  # of all queries together: beyond that fewer queries are used


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Held-out training queries.

    Attributes
    ----------
    queries : (c, d) float32
        As given.
    lists : (c, K) int32 or None
        The list of each of their K nearest neighbours, nearest first; -1 where it is not known.
    searchable : bool
        Neighbours may be searched: not for training rows, which would find themselves.
    """

    queries: npt.NDArray[np.float32]
    lists: npt.NDArray[np.int32] | None
    searchable: bool


def hold_out(
    training: TrainingQueries | None, assignment: npt.NDArray[np.int32], seed: int, part: float = 0.1
) -> Calibration | None:
    """Return the calibration queries among the training queries, None where there are none.

    Parameters
    ----------
    training : TrainingQueries or None
        Checked.
    assignment : (n,) int32
        The list of each training row.
    seed : int
        Of the index.
    part : float
        Of the queries, see `held_out`; at most `AT_MOST` of them.
    """
    if training is None:
        return None
    chosen = held_out(len(training.queries), seed, part)[0][:AT_MOST]
    if not len(chosen):
        return None
    lists = None
    if training.neighbors is not None:
        lists = _lists_of(np.asarray(training.neighbors)[chosen], assignment)
    return Calibration(training.queries[chosen], lists, not training.from_train)


def _lists_of(rows: npt.NDArray[np.integer], assignment: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    known = (rows >= 0) & (rows < len(assignment))
    return np.where(known, assignment[np.where(known, rows, 0)], -1).astype(np.int32)


def neighbour_lists(
    policy: object, index: Searched, k: int, threads: int = 1
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
    """Return the calibration queries and the lists of their k nearest neighbours.

    Given neighbours are used where they are enough, or where the queries are training rows; otherwise a search of all
    lists finds them, once for each index and k: exact, or, where the lists hold codes, so long a list of candidates
    that next to nothing is missed.

    Returns
    -------
    queries : (c, d) float32
    lists : (c, K) int32
        K at most k; -1 where it is not known.

    Raises
    ------
    MissingTrainingQueries
        The index was built without training queries, or on training rows with fewer neighbours than k.
    """
    calibration = index.calibration
    if calibration is None:
        raise MissingTrainingQueries(
            f"{policy!r}: found no training queries to calibrate on, expected `training=` of build "
            "(a dataset's `learn` set) with at least 2"
        )
    count = min(len(calibration.queries), max(256, SCORES_AT_MOST // index.count))
    queries, given = calibration.queries[:count], calibration.lists
    if given is not None and (given.shape[1] >= k or not calibration.searchable):
        most = min(k, int(index.lists.sizes.sum()) - 1)  # of the others: a row is not its own neighbour
        if given.shape[1] < most:
            raise MissingTrainingQueries(
                f"{policy!r}: found {given.shape[1]} neighbours of each training row, expected {most} for k = {k}"
            )
        return queries, given[:count, :k]

    def search() -> npt.NDArray[np.int32]:
        probes = np.broadcast_to(np.arange(index.count, dtype=np.int32), (count, index.count))
        found = index.lists.search(queries, np.ascontiguousarray(probes), k, threads, max(CANDIDATES, 100 * k))
        return _lists_of(found.ids, index.lists.list_of_each_row())

    return queries, index.remembered(("neighbour lists", k), search)


def routed_neighbours(
    policy: object, index: Searched, k: int, threads: int = 1
) -> tuple[Routed, npt.NDArray[np.int32]]:
    """Route the calibration queries to all lists, and say at which place each neighbour's list comes.

    Returns
    -------
    routed : Routed
        Of the c queries that are routed to every list.
    places : (c, K) int32
        Place of the list of each of the K nearest neighbours in that order; -1 where it is not known.

    Raises
    ------
    MissingTrainingQueries
        The index was built without training queries.
    """
    queries, lists = neighbour_lists(policy, index, k, threads)
    routed = index.routes.route(queries, index.count, threads)
    whole = (routed.lists >= 0).all(axis=1) & (lists >= 0).any(axis=1)
    routed, lists = Routed(routed.lists[whole], routed.scores[whole]), lists[whole]
    order = np.empty_like(routed.lists)
    np.put_along_axis(order, routed.lists, np.arange(index.count, dtype=np.int32)[None], axis=1)
    return routed, np.where(lists >= 0, np.take_along_axis(order, np.maximum(lists, 0), axis=1), -1)
