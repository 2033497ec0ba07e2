"""Does it search, or does it know the queries? Each point is asked some that stand in no file.

An algorithm could find the file of the dataset and look its answers up there, or remember what it was asked before: in
both cases it knows queries by what they are. So it is also asked queries moved by a thousandth of the way to another
one, which have all but the same neighbours and none of the bytes. A search answers these as well as the others; what
does much worse is no search, and its point fails. How long they took is kept: who falls back on a search is slow here.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..algorithms.index import Index
from ..datasets.dataset import Dataset
from ..datasets.distance import distances_to
from .answers import AnswerError, check_answers
from .measure import Measured, ask

QUERIES = 64
_LEAST = 16  # with fewer chance decides
_STEP = 1 / 1024
_SLACK = 0.01  # of the distance to the k-th neighbour: what the step may change, and much more
_LOSS = 0.4  # of the recall, and at least half of it


def nudged(queries: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return queries (q, d), each moved a little towards the one before it."""
    return queries + np.float32(_STEP) * (np.roll(queries, 1, axis=0) - queries)


def audit(
    index: Index,
    dataset: Dataset,
    farthest: npt.NDArray[np.float64],
    measured: Measured,
    query_parameters: Mapping[str, Any],
    *,
    mode: str,
    threads: int,
) -> float | None:
    """Ask queries that stand in no file, and return how many times as long one took, None where that is not told.

    Parameters
    ----------
    index : Index
    dataset : Dataset
        Pristine.
    farthest : (q,) float64
        Distance of each test query to its k-th true neighbour.
    measured : Measured
        The point, for the first test queries.
    query_parameters : mapping
    mode : str
    threads : int

    Raises
    ------
    AnswerError
        The answers are much worse.
    """
    count = min(QUERIES, len(measured.found.ids))
    if count < _LEAST:
        return None
    queries = dataset.test[:count]
    k = measured.found.ids.shape[1]
    found, seconds = ask(index, nudged(queries), k, query_parameters, mode=mode, threads=threads)
    check_answers(found, dataset.n)
    limit = (farthest[:count] + _SLACK * np.abs(farthest[:count]))[:, np.newaxis]

    def share(ids: npt.NDArray[np.int32]) -> float:
        return float((distances_to(dataset.train, queries, ids, dataset.metric) <= limit).mean())

    known, unknown = share(measured.found.ids[:count]), share(found.ids)
    if known - unknown > _LOSS and unknown < known / 2:
        raise AnswerError(
            f"recall {known:.2f} on queries of the dataset, {unknown:.2f} on the same moved by a thousandth:"
            " it looks answers up instead of searching"
        )
    if mode != "single":
        return None
    return float(np.median(seconds) / np.median(measured.seconds))
