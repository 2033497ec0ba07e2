"""What a probing policy is: it decides how many of the routed lists a query opens, and searches them.

A new policy is one new file in this folder and its name in `algorithms/registry.py`. Those that decide from the routes
alone (`opened`) leave a batch its shared lists; those that look at what was found (`kernels.until`) go query by query.
"""

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from ..codecs.codec import Lists
from ..found import Found
from ..routers.router import Routes

if TYPE_CHECKING:
    from .calibration import Calibration

Computed = TypeVar("Computed")


class Searched(Protocol):
    """What a policy sees of an index."""

    @property
    def lists(self) -> Lists:
        """The vectors, list after list."""

    @property
    def routes(self) -> Routes:
        """The fitted router."""

    @property
    def count(self) -> int:
        """L."""

    @property
    def centroids(self) -> npt.NDArray[np.float32]:
        """Centroids of the lists, (L, d), prepared."""

    @property
    def calibration(self) -> "Calibration | None":
        """Held-out training queries; None without training queries."""

    def remembered(self, key: Hashable, compute: Callable[[], Computed]) -> Computed:
        """Return what was computed under this key before, or compute it now."""


class Probing(Protocol):
    """A way to decide how many lists to open."""

    @property
    def calibrates(self) -> bool:
        """Whether searching needs training queries held out at the build."""

    def search(
        self, index: Searched, queries: npt.NDArray[np.float32], k: int, threads: int = 1, rerank: int | None = None
    ) -> Found:
        """Route the queries (q, d), as given, and scan as many lists of each as the policy says.

        A compressed scan ranks its best `rerank` candidates exactly.
        """
