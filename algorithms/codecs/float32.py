"""The codec that compresses nothing: lists of float32 vectors, scanned exactly."""

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
from .codec import Encoding, list_of_each_row


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

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Vectors of each list, (L,) int64."""
        return self.panels.sizes

    def search(
        self,
        queries: npt.NDArray[np.float32],
        probes: npt.NDArray[np.int32],
        k: int,
        threads: int = 1,
        rerank: int | None = None,
    ) -> Found:
        """Scan the probed lists.

        Parameters
        ----------
        queries : (q, d) float32, as given
        probes : (q, p) int32
            Lists of each query, without repetition; -1 for none.
        k : int
        threads : int
        rerank : int, optional
            Not read: every distance here is exact.
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
        return list_of_each_row(self.panels.ids, self.panels.starts)


@dataclass(frozen=True, slots=True, repr=False)
class Float32(Value):
    """Store every vector as float32, in panels (`kernels.panels`)."""

    def refusal(self, metric: str) -> str:
        """Every metric is served."""
        return ""

    def encode(self, encoding: Encoding) -> Float32Lists:
        """Lay the rows out list after list."""
        panels = make_panels(
            encoding.rows,
            encoding.space,
            encoding.assignment,
            len(encoding.centroids),
            squared=encoding.metric == "euclidean",
            threads=encoding.threads,
        )
        return Float32Lists(panels, encoding.space, encoding.metric)
