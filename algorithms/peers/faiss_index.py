"""What the kinds of faiss index share: threads, size, metrics, and the search call itself."""

from typing import Any

from .peer import Ids, PeerIndex, Rows


def library() -> Any:
    """Return the module; what it says of its types is less than what it has."""
    import faiss

    return faiss


def faiss_metric(metric: str) -> int:
    """Return faiss' number for a metric of ours."""
    faiss = library()
    if metric == "manhattan":
        return int(faiss.METRIC_L1)
    return int(faiss.METRIC_L2 if metric == "euclidean" else faiss.METRIC_INNER_PRODUCT)


def set_threads(threads: int) -> None:
    """Let faiss use so many threads from now on, in this process."""
    faiss = library()

    if faiss.omp_get_max_threads() != threads:
        faiss.omp_set_num_threads(threads)


class FaissIndex(PeerIndex):
    """A built faiss index.

    Its thread count is one of the process, hence looked at before each search; search settings lie in the index and
    are written when they change.

    Attributes
    ----------
    index : faiss.Index
    """

    def __init__(self, index: Any) -> None:
        faiss = library()

        super().__init__()
        self.index = index
        self._now: dict[str, Any] = {}
        self._threads, self._set_threads = faiss.omp_get_max_threads, faiss.omp_set_num_threads

    @property
    def nbytes(self) -> int:
        """Bytes of the index as faiss writes it; counted, not kept."""
        faiss = library()

        written = 0

        def count(block: Any) -> None:
            nonlocal written
            written += len(block)

        faiss.write_index(self.index, faiss.PyCallbackIOWriter(count, 1 << 20))
        return written

    def _ids(self, rows: Rows, k: int, threads: int, **query_parameters: Any) -> Ids:
        if self._threads() != threads:
            self._set_threads(threads)
        if query_parameters != self._now:
            self.configure(**query_parameters)
            self._now = query_parameters
        return self.index.search(rows, k)[1]  # type: ignore[no-any-return]

    def configure(self, **query_parameters: Any) -> None:
        """Write search settings into the index."""
        raise TypeError(f"query parameters: found {', '.join(query_parameters)}, expected none")
