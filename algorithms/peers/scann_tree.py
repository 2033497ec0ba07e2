"""ScaNN: lists, anisotropic 4-bit codes scanned in registers, and reordering in float32."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..clustering.clusters import checked_lists, number_of_lists
from ..rows import positive
from .peer import Ids, Peer, PeerIndex, Rows, refined_grid, saved_bytes

# Beside rising nprobe: few, which suffice where codes tell neighbours well apart (embeddings), and more, where not.
REFINED = ((4,), (2, 10), (2, 10), (2, 10), (4, 20), (4, 20), (4, 20), (40,))
BATCH = 256  # queries of one share of a parallel batch, the library's own number


class _ScaNNIndex(PeerIndex):
    def __init__(self, index: Any, threads: int) -> None:
        super().__init__()
        self.index = index
        self._threads = threads

    @property
    def nbytes(self) -> int:
        return saved_bytes(self._save)

    def _save(self, path: str) -> None:
        from pathlib import Path

        Path(path).mkdir()
        self.index.serialize(path)

    def _ids(self, rows: Rows, k: int, threads: int, *, nprobe: int = 1, refine: int = 4) -> Ids:  # type: ignore[override]
        reorder = refine * k
        if len(rows) == 1:
            ids, _ = self.index.search(rows[0], k, reorder, nprobe)
            return ids[None] if len(ids) == k else _padded(ids, k)
        if threads == 1:
            ids, distances = self.index.search_batched(rows, k, reorder, nprobe)
        else:
            if threads != self._threads:
                self.index.set_num_threads(threads)
                self._threads = threads
            share = min(BATCH, -(-len(rows) // threads))
            ids, distances = self.index.search_batched_parallel(rows, k, reorder, nprobe, share)
        missing = np.isnan(distances)
        return np.where(missing, -1, ids.astype(np.int32)) if missing.any() else ids


def _padded(ids: Ids, k: int) -> Ids:
    padded = np.full((1, k), -1, dtype=np.int32)
    padded[0, : len(ids)] = ids
    return padded


@dataclass(frozen=True, slots=True, repr=False)
class ScaNN(Peer):
    """A tree of lists over asymmetric hashing.

    The search opens `nprobe` leaves and compares `refine` times k of the nearest codes again in float32. A batch of
    several queries ranks the leaves a little differently than single queries do, no better and no worse: the library's
    own way, which only shows where few leaves are opened.

    Parameters
    ----------
    lists : int or str, optional
        Leaves, or a multiple of √n; √n by default.
    dimensions_per_block : int
        For each code of 4 bits.
    anisotropic : float
        Threshold of the anisotropic loss; nan: none. For inner products only, the library's use of it.
    """

    lists: int | str | None = None
    dimensions_per_block: int = 2
    anisotropic: float = 0.2

    package = "scann"
    module = "scann"

    def __post_init__(self) -> None:
        checked_lists(self.lists, "ScaNN.lists")
        positive(self.dimensions_per_block, "ScaNN.dimensions_per_block")

    def resolve(self, metric: str, count: int) -> "ScaNN":
        """Return the algorithm with the number of leaves spelled out."""
        return replace(self, lists=number_of_lists(self.lists, count))

    def query_grid(self) -> tuple[Mapping[str, Any], ...]:
        """Return nprobe from 1 to half of the leaves, and with it refine from 2 to 40."""
        return refined_grid(self.lists, REFINED)

    def _index(self, rows: Rows, metric: str, threads: int) -> PeerIndex:
        import scann

        lists = number_of_lists(self.lists, len(rows))
        product = metric != "euclidean"
        builder = scann.scann_ops_pybind.builder(rows, 10, "dot_product" if product else "squared_l2")
        builder.set_n_training_threads(threads)
        builder.tree(lists, 1, training_sample_size=max(100_000, 50 * lists), spherical=metric == "angular")
        builder.score_ah(
            self.dimensions_per_block,
            anisotropic_quantization_threshold=self.anisotropic if product else float("nan"),
        )
        index = builder.reorder(100).build()
        index.set_num_threads(threads)
        return _ScaNNIndex(index, threads)
