"""What a probing policy is: it decides how many of the routed lists a query opens, and searches them.

A new policy is one new file in this folder and one line in `algorithms/registry.py`.
"""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from ..codecs.float32 import Float32Lists
from ..found import Found
from ..routers.router import Routes


class Searched(Protocol):
    """What a policy sees of an index."""

    @property
    def lists(self) -> Float32Lists:
        """The vectors, list after list."""

    @property
    def routes(self) -> Routes:
        """The fitted router."""

    @property
    def count(self) -> int:
        """L."""


class Probing(Protocol):
    """A way to decide how many lists to open."""

    def search(self, index: Searched, queries: npt.NDArray[np.float32], k: int, threads: int = 1) -> Found:
        """Route the queries (q, d), as given, and scan as many lists of each as the policy says."""
