"""What an index may learn from before it is asked: training queries, for whoever reads them.

Who gets them is decided by the algorithm alone. A codec that is better for knowing where queries lie gets them whatever
the router beside it does, so that two routers are compared over the same lists and the same codes.
"""

import time

from ..algorithms.index import Algorithm
from ..algorithms.routers.router import TrainingQueries
from ..datasets.dataset import Dataset
from ..datasets.learn import training_queries

FEWEST_NEIGHBOURS = 10


def lessons(
    dataset: Dataset, algorithm: Algorithm, seed: int, k: int, *, calibrates: bool = False
) -> tuple[TrainingQueries | None, float]:
    """Return training queries for an index, and the seconds spent on finding neighbours that the file lacks.

    Parameters
    ----------
    dataset : Dataset
    algorithm : Algorithm
    seed : int
        Of the choice of rows, where the file brings no training queries.
    k : int
        Neighbours that will be asked for; a policy that promises a recall must know as many of each training row.
    calibrates : bool
        Whether a probing policy will calibrate.

    Returns
    -------
    TrainingQueries or None
        None where nobody reads any, or only the codec would and there are none but rows, which it knows already.
    float
    """
    labelled = algorithm.learns or calibrates
    if not labelled and not (getattr(algorithm, "reads_queries", False) and dataset.has_learn):
        return None, 0.0
    started = time.perf_counter()
    wanted = max(FEWEST_NEIGHBOURS, k, getattr(getattr(algorithm, "router", None), "k", 1))
    given = training_queries(dataset, seed=seed, exact=labelled, k=wanted)
    seconds = 0.0 if dataset.has_learn_neighbors or not labelled else time.perf_counter() - started
    return TrainingQueries(given.queries, given.neighbors, given.source, not dataset.has_learn), seconds
