"""The codec that compresses nothing: lists of float32 vectors, scanned exactly.

A codec decides how the vectors of a list are stored and scored. A new one is one new file in this folder and
one line in `algorithms/registry.py`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..found import Found
from ..kernels.panels import Panels, make_panels
from ..kernels.search import search_lists
from ..kernels.space import Space
from ..kernels.stop import StopRule
from ..kernels.until import search_until
from ..value import Value


@dataclass(frozen=True, slots=True)
class Float32Lists:
    """The vectors of all lists, ready to be scanned.

    Attributes
    ----------
    panels : Panels
    space : Space
    metric : str
    """

    panels: Panels
    space: Space
    metric: str

    @property
    def nbytes(self) -> int:
        """Bytes of vectors, ids and offsets."""
        return self.panels.nbytes

    def search(
        self, queries: npt.NDArray[np.float32], probes: npt.NDArray[np.int32], k: int, threads: int = 1
    ) -> Found:
        """Scan the probed lists.

        Parameters
        ----------
        queries : (q, d) float32, as given
        probes : (q, p) int32
            Lists of each query, without repetition; -1 for none.
        k : int
        threads : int
        """
        ids, distances, work = search_lists(self.panels, queries, self.space, self.metric, probes, k, threads)
        return Found(ids, distances, work[:, 0], work[:, 1])

    def search_until(
        self,
        queries: npt.NDArray[np.float32],
        probes: npt.NDArray[np.int32],
        k: int,
        rule: StopRule,
        threads: int = 1,
    ) -> Found:
        """Scan the lists of each query in order until the rule says stop.

        Parameters
        ----------
        queries, k, threads
            As for `search`.
        probes : (q, p) int32
            Lists of each query, best first, without repetition; -1 for none.
        rule : StopRule
            Sees the best k found so far, after each list.
        """
        ids, distances, work = search_until(
            self.panels, queries, self.space, self.metric, probes, k, rule, threads
        )  # fmt: skip
        return Found(ids, distances, work[:, 0], work[:, 1])

    def list_of_each_row(self) -> npt.NDArray[np.int32]:
        """Return the list that holds each row of the training matrix, (n,) int32."""
        ids, starts = self.panels.ids, self.panels.starts
        of_panel = np.repeat(np.arange(len(starts) - 1, dtype=np.int32), np.diff(starts))
        real = ids >= 0
        lists = np.empty(int(self.panels.sizes.sum()), dtype=np.int32)
        lists[ids[real]] = np.broadcast_to(of_panel[:, None], ids.shape)[real]
        return lists


@dataclass(frozen=True, slots=True, repr=False)
class Float32(Value):
    """Store every vector as float32, in panels (`kernels.panels`)."""

    def encode(
        self,
        rows: npt.NDArray[np.float32],
        space: Space,
        metric: str,
        assignment: npt.NDArray[np.int32],
        lists: int,
        threads: int = 1,
    ) -> Float32Lists:
        """Lay the rows (n, d) out list after list."""
        squared = metric == "euclidean"
        return Float32Lists(
            make_panels(rows, space, assignment, lists, squared=squared, threads=threads), space, metric
        )
