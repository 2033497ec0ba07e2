"""Stop when the answer stops changing."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..found import Found, stacked
from ..kernels.stop import stable
from ..rows import positive
from ..value import Value
from .checks import share
from .opened import routed_blocks
from .policy import Searched

MOST_PATIENT = 1 << 40  # more lists than any index has


@dataclass(frozen=True, slots=True, repr=False)
class Patience(Value):
    """Stop after `patience` lists in a row that hardly changed the best k.

    With R_h the best k after h lists, a list changed little if ``|R_h ∩ R_(h-1)| >= overlap · k`` (Busolin, Lucchese,
    Nardini, Orlando, Perego, Trani: "Early Exit Strategies for Approximate k-NN Search in Dense Retrieval", CIKM 2024,
    arXiv 2408.04981). It needs no training and promises nothing.

    Parameters
    ----------
    overlap : float
        Φ, above 0 and at most 1.
    patience : int
        Δ, at least 1.
    most : int, optional
        Open at most so many lists; by default all of them may be.
    """

    overlap: float = 0.95
    patience: int = 8
    most: int | None = None

    def __post_init__(self) -> None:
        share(self.overlap, "Patience.overlap")
        positive(self.patience, "Patience.patience")
        if self.most is not None:
            positive(self.most, "Patience.most")

    @property
    def calibrates(self) -> bool:
        """No training queries needed."""
        return False

    def search(
        self, index: Searched, queries: npt.NDArray[np.float32], k: int, threads: int = 1, rerank: int | None = None
    ) -> Found:
        """Scan list after list of each query until its patience ends."""
        needed = math.ceil(self.overlap * k - 1e-9)  # 0.7 · 10 is 7, whatever floats make of it
        rule = stable(needed, min(self.patience, MOST_PATIENT))
        return stacked(
            [
                index.lists.search_until(block, routed.lists, k, rule, threads)
                for block, routed in routed_blocks(index, queries, min(self.most or index.count, index.count), threads)
            ]
        )
