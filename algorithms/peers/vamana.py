"""Scalable Vector Search: the Vamana graph over float32 vectors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..rows import positive
from .peer import Ids, Peer, PeerIndex, Rows, saved_bytes, steps


class _VamanaIndex(PeerIndex):
    def __init__(self, index: Any, threads: int) -> None:
        super().__init__()
        self.index = index
        self._threads, self._window = threads, 0

    @property
    def nbytes(self) -> int:
        return saved_bytes(lambda path: self.index.save(f"{path}-config", f"{path}-graph", f"{path}-data"))

    def _ids(self, rows: Rows, k: int, threads: int, *, window: int = 10) -> Ids:  # type: ignore[override]
        if threads != self._threads:  # starts threads anew
            self.index.num_threads = threads
            self._threads = threads
        window = max(window, k)
        if window != self._window:
            self.index.search_window_size = window
            self._window = window
        return self.index.search(rows, k)[0]  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True, repr=False)
class Vamana(Peer):
    """A flat graph. The search keeps a window of `window` candidates.

    Parameters
    ----------
    degree : int
        The most neighbours of a node.
    window : int
        Candidates kept while building.
    """

    degree: int = 64
    window: int = 200

    package = "scalable-vs"
    module = "svs"

    def __post_init__(self) -> None:
        positive(self.degree, "Vamana.degree")
        positive(self.window, "Vamana.window")

    def query_grid(self) -> tuple[Mapping[str, Any], ...]:
        """Return window from 10 to 1000."""
        return tuple({"window": window} for window in steps(10, 1000, 12))

    def _index(self, rows: Rows, metric: str, threads: int) -> PeerIndex:
        import svs

        kind = svs.DistanceType.L2 if metric == "euclidean" else svs.DistanceType.MIP
        asked = svs.VamanaBuildParameters(graph_max_degree=self.degree, window_size=self.window)
        index = svs.Vamana.build(asked, rows, kind, num_threads=threads)
        return _VamanaIndex(index, threads)
