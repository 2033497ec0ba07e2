"""What a search returns: the work done travels with the answer."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Found(NamedTuple):
    """The answer to q queries. A tuple, because one is made for each query and nothing else is made as fast.

    Attributes
    ----------
    ids : (q, k) int32
        Rows of the training matrix by ascending distance, equal distances by id; -1 where fewer than k were
        scanned.
    distances : (q, k) float32
        In the metric's own unit; +inf where the id is -1.
    probed : (q,) int64
        Lists opened.
    scanned : (q,) int64
        Points scored: the sum of the sizes of those lists.
    """

    ids: npt.NDArray[np.int32]
    distances: npt.NDArray[np.float32]
    probed: npt.NDArray[np.int64]
    scanned: npt.NDArray[np.int64]


def stacked(parts: Sequence[Found]) -> Found:
    """Return the answers to several blocks of queries as one; at least one block."""
    if len(parts) == 1:
        return parts[0]
    return Found(
        np.concatenate([part.ids for part in parts]),
        np.concatenate([part.distances for part in parts]),
        np.concatenate([part.probed for part in parts]),
        np.concatenate([part.scanned for part in parts]),
    )
