"""Mean and covariance of one list, from a single pass over its rows.

Under the euclidean metric a list's scores are ⟨q, x⟩ - ½‖x‖², linear in q with a constant that differs from row to row.
There a row is *augmented* to (x, -½‖x‖²) and a query to (q, 1): what holds for inner products then holds for distances.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Moments:
    """Of the rows of a list, augmented or not; d' is d + 1 or d.

    Attributes
    ----------
    count : int
    mean : (d',) float64
    covariance : (d', d') float64
        Divided by the count, not by one less: the rows are all there are, no sample.
    """

    count: int
    mean: npt.NDArray[np.float64]
    covariance: npt.NDArray[np.float64]


def augmented(rows: npt.NDArray[Any], euclidean: bool) -> npt.NDArray[np.float64]:
    """Return prepared rows (n, d) as float64, under the euclidean metric with -½‖x‖² as a last column."""
    wide = rows.astype(np.float64)
    if not euclidean:
        return wide
    return np.concatenate([wide, -0.5 * np.einsum("ij,ij->i", wide, wide)[:, None]], axis=1)


def moments(blocks: Iterable[npt.NDArray[np.float32]], otherwise: npt.NDArray[np.float32], euclidean: bool) -> Moments:
    """Return mean and covariance of a list whose rows come in blocks.

    Blocks are merged by the formula of Chan, Golub and LeVeque ("Updating Formulae and a Pairwise Algorithm for
    Computing Sample Variances", 1979, equation 2.1): each is centred on its own mean, so nothing large cancels.

    Parameters
    ----------
    blocks : iterable of (b, d) float32
        Prepared.
    otherwise : (d,) float32
        The mean of a list without rows; its covariance is 0.
    euclidean : bool
        Augment the rows.
    """
    count, mean = 0, augmented(otherwise[None], euclidean)[0]
    scatter = np.zeros((len(mean), len(mean)))
    for block in blocks:
        rows = augmented(block, euclidean)
        middle = rows.mean(axis=0)
        rows -= middle
        difference, total = middle - mean, count + len(rows)
        scatter += rows.T @ rows
        scatter += np.outer(difference, difference) * (count * len(rows) / total)
        mean, count = mean + difference * (len(rows) / total), total
    return Moments(count, mean, scatter / max(1, count))
