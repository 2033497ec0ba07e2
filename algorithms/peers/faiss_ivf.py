"""faiss' inverted files: over float32 vectors, over 4-bit codes scanned in registers, over 8-bit codes.

`nprobe` is the number of lists opened. Where codes are refined, `refine` times k of the nearest codes are compared
again in float32; it is swept together with `nprobe`, for neither helps without the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..clustering.clusters import checked_lists, number_of_lists
from ..rows import positive
from .faiss_index import FaissIndex, faiss_metric, library, set_threads
from .peer import Peer, Rows, probe_steps, refined_grid

# Beside rising nprobe: few, which suffice where codes tell neighbours well apart (embeddings), and more, where not.
REFINED = ((4,), (2, 10), (2, 10), (2, 10), (4, 20), (4, 20), (4, 20), (40,))


class _IVFIndex(FaissIndex):
    def configure(self, *, nprobe: int) -> None:  # type: ignore[override]
        self.index.nprobe = nprobe


class _RefinedIndex(FaissIndex):
    def __init__(self, index: Any, lists: Any) -> None:
        super().__init__(index)
        self.lists = lists  # the inverted file inside

    def configure(self, *, nprobe: int, refine: float) -> None:  # type: ignore[override]
        self.lists.nprobe = nprobe
        self.index.k_factor = refine


def largest_divisor(dimension: int, at_most: int) -> int:
    """Return the largest divisor of `dimension` that is at most `at_most`: dimensions for each code of a quantiser."""
    return max(divisor for divisor in range(1, at_most + 1) if dimension % divisor == 0)


def _check(algorithm: Any) -> None:
    name = type(algorithm).__name__
    checked_lists(algorithm.lists, f"{name}.lists")
    if hasattr(algorithm, "dimensions_per_code"):
        positive(algorithm.dimensions_per_code, f"{name}.dimensions_per_code")


def _trained(description: str, rows: Rows, metric: str, seed: int, threads: int) -> Any:
    # An inverted file by faiss' own description of it, trained and filled.
    faiss = library()

    set_threads(threads)
    index = faiss.index_factory(rows.shape[1], description, faiss_metric(metric))
    index.cp.seed = seed + 1  # faiss' own is 1234; 0 would mean another thing in some versions
    index.train(rows)
    index.add(rows)
    return index


def _refined(index: Any, rows: Rows) -> _RefinedIndex:
    faiss = library()

    flat = faiss.IndexFlat(rows.shape[1], index.metric_type)
    flat.add(rows)
    whole = faiss.IndexRefine(index, flat)
    whole.own_fields = whole.own_refine_index = True
    index.this.disown()
    flat.this.disown()
    return _RefinedIndex(whole, index)


@dataclass(frozen=True, slots=True, repr=False)
class FaissIVFFlat(Peer):
    """An inverted file over float32 vectors.

    Parameters
    ----------
    lists : int or str, optional
        L, or a multiple of √n; √n by default.
    seed : int
        Of the clustering.
    """

    lists: int | str | None = None
    seed: int = 0

    package = "faiss-cpu"
    module = "faiss"

    def __post_init__(self) -> None:
        _check(self)

    def resolve(self, metric: str, count: int) -> "FaissIVFFlat":
        """Return the algorithm with L spelled out."""
        return replace(self, lists=number_of_lists(self.lists, count))

    def query_grid(self) -> tuple[Mapping[str, Any], ...]:
        """Return nprobe from 1 to half of the lists."""
        return tuple({"nprobe": nprobe} for nprobe in probe_steps(self.lists, 12))

    def _index(self, rows: Rows, metric: str, threads: int) -> FaissIndex:
        lists = number_of_lists(self.lists, len(rows))
        return _IVFIndex(_trained(f"IVF{lists},Flat", rows, metric, self.seed, threads))


@dataclass(frozen=True, slots=True, repr=False)
class FaissIVFFastScan(Peer):
    """An inverted file over 4-bit product-quantiser codes, whose tables lie in registers; refined in float32.

    Parameters
    ----------
    lists : int or str, optional
        L, or a multiple of √n; √n by default.
    dimensions_per_code : int
        Of 4 bits; the largest divisor of d up to this is taken.
    residual : bool
        Encode the difference to the centroid rather than the vector.
    seed : int
        Of the clustering.
    """

    lists: int | str | None = None
    dimensions_per_code: int = 2
    residual: bool = False
    seed: int = 0

    package = "faiss-cpu"
    module = "faiss"

    def __post_init__(self) -> None:
        _check(self)

    def resolve(self, metric: str, count: int) -> "FaissIVFFastScan":
        """Return the algorithm with L spelled out."""
        return replace(self, lists=number_of_lists(self.lists, count))

    def query_grid(self) -> tuple[Mapping[str, Any], ...]:
        """Return nprobe from 1 to half of the lists, and with it refine from 2 to 40."""
        return refined_grid(self.lists, REFINED)

    def _index(self, rows: Rows, metric: str, threads: int) -> FaissIndex:
        lists = number_of_lists(self.lists, len(rows))
        codes = rows.shape[1] // largest_divisor(rows.shape[1], self.dimensions_per_code)
        coder = "fsr" if self.residual else "fs"
        return _refined(_trained(f"IVF{lists},PQ{codes}x4{coder}", rows, metric, self.seed, threads), rows)


@dataclass(frozen=True, slots=True, repr=False)
class FaissIVFPQ(Peer):
    """An inverted file over 8-bit product-quantiser codes of the differences to the centroids; nothing is refined.

    Its recall ends where the codes cannot tell neighbours apart, below 1 even when all lists are probed.

    Parameters
    ----------
    lists : int or str, optional
        L, or a multiple of √n; √n by default.
    dimensions_per_code : int
        Of 8 bits; the largest divisor of d up to this is taken.
    seed : int
        Of the clustering.
    """

    lists: int | str | None = None
    dimensions_per_code: int = 4
    seed: int = 0

    package = "faiss-cpu"
    module = "faiss"

    def __post_init__(self) -> None:
        _check(self)

    def resolve(self, metric: str, count: int) -> "FaissIVFPQ":
        """Return the algorithm with L spelled out."""
        return replace(self, lists=number_of_lists(self.lists, count))

    def query_grid(self) -> tuple[Mapping[str, Any], ...]:
        """Return nprobe from 1 to half of the lists."""
        return tuple({"nprobe": nprobe} for nprobe in probe_steps(self.lists, 12))

    def _index(self, rows: Rows, metric: str, threads: int) -> FaissIndex:
        lists = number_of_lists(self.lists, len(rows))
        codes = rows.shape[1] // largest_divisor(rows.shape[1], self.dimensions_per_code)
        # np: not polysemous. That order of the codes serves a filter nobody asks for, and takes minutes to find.
        return _IVFIndex(_trained(f"IVF{lists},PQ{codes}x8np", rows, metric, self.seed, threads))
