"""What a codec is: it decides how the vectors of a list are stored and scored.

A new codec is one new file in this folder and its name in `algorithms/registry.py`.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ..found import Found
from ..kernels.space import Space
from ..kernels.stop import StopRule
from ..progress import Progress, silent


@dataclass(frozen=True, slots=True)
class Encoding:
    """All that a codec may look at.

    Attributes
    ----------
    rows : (n, d) float32
        As given.
    space : Space
        How vectors and queries are prepared.
    metric : str
    assignment : (n,) int32
        The list of each row.
    centroids : (L, d) float32
        Prepared.
    queries : (m, d) float32 or None
        Training queries, as given, for codecs that look at where queries lie; they say so by `reads_queries`.
    seed, threads : int
    progress : callable
    """

    rows: npt.NDArray[np.float32]
    space: Space
    metric: str
    assignment: npt.NDArray[np.int32]
    centroids: npt.NDArray[np.float32]
    queries: npt.NDArray[np.float32] | None = None
    seed: int = 0
    threads: int = 1
    progress: Progress = silent


class Lists(Protocol):
    """The vectors of all lists, ready to be scanned."""

    @property
    def space(self) -> Space:
        """How queries are prepared."""

    @property
    def metric(self) -> str:
        """One of `kernels.space.METRICS`."""

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Vectors of each list, (L,) int64."""

    @property
    def nbytes(self) -> int:
        """Bytes of everything that a search reads."""

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
            Candidates of a compressed scan whose exact distances are computed.
        """

    def search_until(
        self,
        queries: npt.NDArray[np.float32],
        probes: npt.NDArray[np.int32],
        k: int,
        rule: StopRule,
        threads: int = 1,
    ) -> Found:
        """Scan the lists of each query in order until the rule, which sees the best k found so far, says stop."""

    def list_of_each_row(self) -> npt.NDArray[np.int32]:
        """Return the list that holds each row of the training matrix, (n,) int32."""


def list_of_each_row(
    ids: npt.NDArray[np.int32], starts: npt.NDArray[np.int64]
) -> npt.NDArray[np.int32]:  # fmt: skip
    """Return the list that holds each row, (n,) int32.

    Parameters
    ----------
    ids : (B, ·) int32
        Rows in blocks, list after list; -1 fills a block up.
    starts : (L + 1,) int64
        The first block of each list.
    """
    of_block = np.repeat(np.arange(len(starts) - 1, dtype=np.int32), np.diff(starts))
    real = ids >= 0
    lists = np.empty(int(real.sum()), dtype=np.int32)
    lists[ids[real]] = np.broadcast_to(of_block[:, None], ids.shape)[real]
    return lists


class Codec(Protocol):
    """A way to store vectors, before it has seen any."""

    def refusal(self, metric: str) -> str:
        """Return in one line why this metric is not served; empty where it is."""

    def encode(self, encoding: Encoding) -> Lists:
        """Lay the rows out list after list."""
