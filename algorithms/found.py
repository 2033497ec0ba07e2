"""What a search returns: the work done travels with the answer."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to q queries.

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
