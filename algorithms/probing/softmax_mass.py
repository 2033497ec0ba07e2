"""Open lists until the softmax of the scores promises enough: no work for easy queries, more for hard ones."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..found import Found
from ..kernels.mass import lists_before
from ..value import Value
from .calibration import routed_neighbours
from .checks import above_zero, share
from .opened import opened_lists
from .policy import Searched
from .temperature import fit_temperature


@dataclass(frozen=True, slots=True, repr=False)
class SoftmaxMass(Value):
    """Open lists in the router's order until their softmax mass, over all L lists, reaches `recall`.

    With a router trained by cross-entropy against the lists that hold neighbours, that mass estimates the share of the
    neighbours in the opened lists; with any other router too, once the temperature is right.

    Parameters
    ----------
    recall : float
        Above 0, at most 1; 1 opens all lists.
    temperature : float, optional
        Scores are divided by it; by default it is calibrated on training queries that were held out, for each k.
    """

    recall: float = 0.9
    temperature: float | None = None

    def __post_init__(self) -> None:
        share(self.recall, "SoftmaxMass.recall")
        if self.temperature is not None:
            above_zero(self.temperature, "SoftmaxMass.temperature")

    @property
    def calibrates(self) -> bool:
        """Training queries are needed to find the temperature."""
        return self.temperature is None

    def search(
        self, index: Searched, queries: npt.NDArray[np.float32], k: int, threads: int = 1, rerank: int | None = None
    ) -> Found:
        """Scan the lists that hold the mass."""
        temperature = self._temperature(index, k, threads)
        enough = float(self.recall) if self.recall < 1 else np.inf  # rounding never closes a list at 1
        probes = opened_lists(
            index, queries, index.count,
            lambda _, routed: lists_before(routed.lists, routed.scores, temperature, enough, threads), threads,
        )  # fmt: skip
        return index.lists.search(queries, probes, k, threads, rerank)

    def _temperature(self, index: Searched, k: int, threads: int) -> float:
        if self.temperature is not None:
            return float(self.temperature)
        return index.remembered(
            ("temperature", k), lambda: fit_temperature(*routed_neighbours(self, index, k, threads))
        )  # fmt: skip
