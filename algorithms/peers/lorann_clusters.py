"""LoRANN: lists scored by reduced-rank regression in 8 bits, and re-ranking in float32."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..clustering.clusters import checked_lists, number_of_lists
from ..rows import positive
from .peer import Ids, Peer, PeerIndex, Rows, refined_grid, saved_bytes

REFINED = ((4,), (4,), (4,), (4, 10), (10,), (10, 20), (20,), (20, 40), (40, 80), (160,))  # beside rising nprobe


class _LoRANNIndex(PeerIndex):
    def __init__(self, index: Any, rows: Rows) -> None:
        super().__init__()
        self.index = index
        self._rows = rows  # the library reads them where they are

    @property
    def nbytes(self) -> int:
        return saved_bytes(self.index.save)

    def _ids(self, rows: Rows, k: int, threads: int, *, nprobe: int = 1, refine: int = 10) -> Ids:  # type: ignore[override]
        if len(rows) == 1:
            return self.index.search(rows[0], k, nprobe, refine * k, n_threads=1)[None]  # type: ignore[no-any-return]
        return self.index.search(rows, k, nprobe, refine * k, n_threads=threads)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True, repr=False)
class LoRANN(Peer):
    """Clusters, each with a low-rank regression of its scores.

    The search opens `nprobe` clusters and compares `refine` times k of the nearest again in float32.

    Parameters
    ----------
    lists : int or str, optional
        Clusters, or a multiple of √n; √n by default.
    rank : int
        16, 32 or 64.
    bits : int
        Of the parameter matrices: 8 or 4.
    reduced : int, optional
        Dimensions kept by a global projection, a multiple of 32; by default, as the library advises, all below
        d = 200, 128 up to 1000 and 256 above.
    """

    lists: int | str | None = None
    rank: int = 32
    bits: int = 8
    reduced: int | None = None

    package = "lorann"
    module = "lorann"

    def __post_init__(self) -> None:
        checked_lists(self.lists, "LoRANN.lists")
        positive(self.rank, "LoRANN.rank")
        positive(self.bits, "LoRANN.bits")

    @property
    def least_dimension(self) -> int:
        """The library refuses less."""
        return max(64, self.rank + 1)

    def resolve(self, metric: str, count: int) -> "LoRANN":
        """Return the algorithm with the number of clusters spelled out."""
        return replace(self, lists=number_of_lists(self.lists, count))

    def query_grid(self) -> tuple[Mapping[str, Any], ...]:
        """Return nprobe from 1 to half of the clusters, and with it refine from 4 to 160."""
        return refined_grid(self.lists, REFINED)

    def _index(self, rows: Rows, metric: str, threads: int) -> PeerIndex:
        import lorann

        dimension = rows.shape[1]
        advised = None if dimension < 200 else 128 if dimension <= 1000 else 256
        index = lorann.LorannIndex(
            rows,
            number_of_lists(self.lists, len(rows)),
            self.reduced or advised,
            quantization_bits=self.bits,
            rank=self.rank,
            distance=lorann.L2 if metric == "euclidean" else lorann.IP,
        )
        index.build(n_threads=threads)
        return _LoRANNIndex(index, rows)
