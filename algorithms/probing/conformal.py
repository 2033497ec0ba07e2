"""Open so many lists that the recall, on average over queries like the training queries, is at least what was asked."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..found import Found
from ..kernels.mass import lists_before, mass_ahead
from ..routers.router import Routed
from ..value import Value
from .calibration import routed_neighbours
from .checks import share
from .opened import opened_lists
from .policy import Searched
from .temperature import fit_temperature

ROUNDING = 1e-9  # of sums of shares


@dataclass(frozen=True, slots=True, repr=False)
class Conformal(Value):
    """Open lists while the softmax mass ahead of them is at most a threshold λ that conformal risk control sets.

    With R̂(λ) the mean share of missed neighbours over n calibration queries, λ is the smallest value for which
    ``(n R̂(λ) + 1) / (n + 1) <= 1 - recall`` (Angelopoulos, Bates, Fisch, Lei, Schuster: "Conformal Risk Control", ICLR
    2024, arXiv 2208.02814, theorem 1 with losses of at most 1). If test and calibration queries are exchangeable, the
    expected share of neighbours in opened lists is then at least `recall`, however good or bad the scores are; good
    scores open fewer lists. One half of the calibration queries sets the temperature of the softmax, the other half λ,
    so that λ never sees scores that were fitted to its own queries.

    Parameters
    ----------
    recall : float
        Above 0, at most 1. Where the calibration queries are too few to promise it, and at 1, all lists are opened.
    """

    recall: float = 0.9

    def __post_init__(self) -> None:
        share(self.recall, "Conformal.recall")

    @property
    def calibrates(self) -> bool:
        """Training queries are needed to set the threshold."""
        return True

    def search(
        self, index: Searched, queries: npt.NDArray[np.float32], k: int, threads: int = 1, rerank: int | None = None
    ) -> Found:
        """Scan the lists below the threshold."""
        temperature, beyond = self._calibrated(index, k, threads)
        probes = opened_lists(
            index, queries, index.count,
            lambda _, routed: lists_before(routed.lists, routed.scores, temperature, beyond, threads), threads,
        )  # fmt: skip
        return index.lists.search(queries, probes, k, threads, rerank)

    def _calibrated(self, index: Searched, k: int, threads: int) -> tuple[float, float]:
        # The temperature, and the first number above λ.
        temperature, ahead = index.remembered(
            ("mass ahead of neighbours", k),
            lambda: _mass_ahead_of_neighbours(*routed_neighbours(self, index, k, threads)),
        )
        most = index.remembered(("threshold", k, self.recall), lambda: threshold(ahead, float(self.recall)))
        return temperature, float(np.nextafter(most, np.inf))


def _mass_ahead_of_neighbours(
    routed: Routed, places: npt.NDArray[np.int32]
) -> tuple[float, npt.NDArray[np.float64]]:  # fmt: skip
    # The temperature from the first half of the queries; from the others the mass ahead of each neighbour's list, NaN
    # where the list is not known.
    half = len(places) // 2
    temperature = fit_temperature(Routed(routed.lists[:half], routed.scores[:half]), places[:half])
    ahead, places = mass_ahead(routed.scores[half:], temperature), places[half:]
    return temperature, np.where(places >= 0, np.take_along_axis(ahead, np.maximum(places, 0), axis=1), np.nan)


def threshold(ahead: npt.NDArray[np.float64], recall: float) -> float:
    """Return λ: the mass ahead up to which lists must be opened so that the promise holds.

    Parameters
    ----------
    ahead : (n, K) float64
        Mass ahead of the list of each neighbour of n calibration queries, NaN where it is not known. A neighbour is
        missed if it is above λ.
    recall : float

    Returns
    -------
    float
        At least 0; +inf where no λ keeps the promise: too few queries.
    """
    known = ~np.isnan(ahead)
    shares = np.where(known, 1.0 / np.maximum(1, known.sum(axis=1, keepdims=True)), 0.0)[known]
    allowed = (1.0 - recall) * (len(ahead) + 1) - 1.0  # summed over queries
    if allowed < -ROUNDING:
        return float(np.inf)
    order = np.argsort(ahead[known], kind="stable")
    masses = ahead[known][order]
    missed = np.append(np.cumsum(shares[order][::-1])[::-1], 0.0)  # by neighbours from this place on
    candidates = np.append(0.0, masses)
    at_candidates = missed[np.searchsorted(masses, candidates, side="right")]
    return float(candidates[np.flatnonzero(at_candidates <= allowed + ROUNDING)[0]])
