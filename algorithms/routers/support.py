"""The largest inner product of each list with each query, over the rows themselves."""

import numpy as np
import numpy.typing as npt

from ..kernels.nearest import nearest
from ..kernels.panels import make_panels
from ..kernels.space import DISTANCES
from .router import Fitting


def _own_rows(rows: npt.NDArray[np.float32], queries: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    # For queries taken from the rows, which row each is: found again by its bytes. Of equal rows any will do: the
    # others remain, with the same products.
    wanted = {query.tobytes(): -1 for query in queries}
    for i, row in enumerate(rows):
        key = row.tobytes()
        if key in wanted:
            wanted[key] = i
    return np.array([wanted[query.tobytes()] for query in queries], dtype=np.int64)


def _of_list(
    fitting: Fitting,
    queries: npt.NDArray[np.float32],
    own: npt.NDArray[np.int64] | None,
    members: npt.NDArray[np.int64],
) -> npt.NDArray[np.float32]:
    # The list's largest score for each query, (m,); -inf where it has no row other than the query itself.
    rows = fitting.rows[members]
    panels = make_panels(rows, fitting.space, squared=fitting.metric in DISTANCES, threads=fitting.threads)
    slots, scores = nearest(panels, queries, fitting.space, 1 if own is None else 2, fitting.threads)
    values = np.where(slots >= 0, -scores, -np.inf)
    if own is None:
        return values[:, 0]
    itself = members[slots[:, 0]] == own
    return np.where(itself, values[:, 1], values[:, 0])


def support_values(fitting: Fitting, queries: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return s_i(q), the largest score that any row of list i has with query q.

    A score is ⟨q, x⟩ in the prepared space, under the euclidean metric ⟨q, x⟩ - ½‖x‖². A query that is a training
    row itself is left out of its own list.

    Parameters
    ----------
    fitting : Fitting
    queries : (m, d) float32
        Of `fitting.training`, as given.

    Returns
    -------
    (m, L) float32
        Where a list has no (other) row, the smallest value of all: finite, and never worth a visit.
    """
    from_train = fitting.training is not None and fitting.training.from_train
    own = _own_rows(fitting.rows, queries) if from_train else None
    lists = len(fitting.clusters.centroids)
    values = np.full((len(queries), lists), -np.inf, dtype=np.float32)
    for i, members in enumerate(fitting.clusters.members()):
        if len(members):
            values[:, i] = _of_list(fitting, queries, own, members)
        fitting.progress("labels", i + 1, lists, f"largest scores of {len(queries)} training queries")
    known = np.isfinite(values)
    return np.where(known, values, values.min(where=known, initial=np.inf) if known.any() else np.float32(0.0))
