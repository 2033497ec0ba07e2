"""ivfbench beside faiss, in one process, taking turns: searching float32 lists, and k-means.

    python tests/benchmarks/against_faiss.py DATASET [DATASET ...] [--rounds 5] [--queries 1000]

Search: both indices hold the same lists (our k-means, √n lists) and rank them by the same centroids, so that at
equal nprobe both scan the same points and reach the same recall; what differs is the engine. Single mode: one query
per call, one thread. Batch mode: all queries in one call, two threads. Each round times both, one after the other, and
the ratio is taken round by round: machines drift.

k-means: the same L, the same number of sampled rows, the same iterations, several seeds; the objective of both is
measured by the same arithmetic over all rows.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import faiss
import numpy as np
from faiss.contrib.ivf_tools import add_preassigned
from ivfbench.algorithms.clustering.clusters import nearest_centroids
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.ivf import IVF
from ivfbench.algorithms.kernels.means import sum_of_squares
from ivfbench.algorithms.kernels.space import Space, make_space, prepare
from ivfbench.algorithms.routers.centroid import BY_METRIC, normalised
from ivfbench.datasets.dataset import Dataset
from ivfbench.datasets.distance import distances_to
from ivfbench.datasets.load import load
from ivfbench.results.recall import recall


def timed(action: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that `action` took, and its result."""
    started = time.perf_counter()
    result = action()
    return time.perf_counter() - started, result


def faiss_twin(dataset: Dataset, space: Space, centroids: np.ndarray, assignment: np.ndarray) -> Any:
    """Return a faiss IVFFlat with the given lists and centroids."""
    if dataset.metric == "euclidean":
        quantizer, metric = faiss.IndexFlatL2(dataset.dimension), faiss.METRIC_L2
        quantizer.add(centroids + space.center)
    else:
        quantizer, metric = faiss.IndexFlatIP(dataset.dimension), faiss.METRIC_INNER_PRODUCT
        quantizer.add(normalised(centroids) if BY_METRIC[dataset.metric] == "normalised" else centroids)
    index = faiss.IndexIVFFlat(quantizer, dataset.dimension, len(centroids), metric)
    rows = dataset.train
    if dataset.metric == "angular":
        rows = normalised(rows)
    index.is_trained = True
    add_preassigned(index, np.array(rows), assignment.astype(np.int64))
    return index


def _rounds(
    ours: Any, theirs: Any, rows: list[np.ndarray], test: np.ndarray, k: int, nprobe: int, rounds: int
) -> dict[str, list[float]]:
    # Queries per second of both engines in both modes, round by round.
    figures: dict[str, list[float]] = {"single": [], "batch": [], "single faiss": [], "batch faiss": []}
    for turn in range(rounds + 1):
        faiss.omp_set_num_threads(1)
        single, _ = timed(lambda: [ours.search(row, k, nprobe=nprobe) for row in rows])
        single_faiss, _ = timed(lambda: [theirs.search(row, k) for row in rows])
        faiss.omp_set_num_threads(2)
        batch, _ = timed(lambda: ours.search(test, k, nprobe=nprobe, threads=2))
        batch_faiss, _ = timed(lambda: theirs.search(test, k))
        if turn:  # the first is the warm-up
            for name, count, taken in (
                ("single", len(rows), single),
                ("single faiss", len(rows), single_faiss),
                ("batch", len(test), batch),
                ("batch faiss", len(test), batch_faiss),
            ):
                figures[name].append(count / taken)
    return figures


def search_ratios(dataset: Dataset, rounds: int, queries: int, k: int, seed: int) -> None:
    """Print, for rising nprobe, both engines' recall and queries per second and the ratio of the latter."""
    lists = round(dataset.n**0.5)
    ours = IVF(KMeans(lists=lists), seed=seed).build(dataset.train, dataset.metric, threads=2)
    space = make_space(dataset.train, dataset.metric)
    clusters = KMeans(lists=lists).cluster(dataset.train, space, seed=seed, threads=2)
    theirs = faiss_twin(dataset, space, clusters.centroids, clusters.assignment)
    test = np.array(dataset.test)
    if dataset.metric == "angular":
        test = normalised(test)
    rows = [test[i : i + 1] for i in range(min(queries, len(test)))]
    print(f"\n{dataset.name}: search, k = {k}, {lists} lists, ivfbench float32 / faiss IVFFlat")
    print(f"{'nprobe':>6} {'recall':>7} {'faiss':>7} | {'single q/s':>10} {'faiss':>7} {'ratio':>6} {'(min-max)':>12} |"
          f" {'batch q/s':>10} {'faiss':>7} {'ratio':>6} {'(min-max)':>12}")  # fmt: skip
    for nprobe in sorted({max(1, round(share * lists)) for share in (0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3)}):
        theirs.nprobe = nprobe
        figures = _rounds(ours, theirs, rows, test, k, nprobe, rounds)
        found, ids = ours.search(test, k, nprobe=nprobe, threads=2), theirs.search(test, k)[1]
        line = f"{nprobe:6d}"
        for answer in (found.ids, ids.astype(np.int32)):
            distances = distances_to(dataset.train, dataset.test, answer, dataset.metric)
            truth = distances_to(dataset.train, dataset.test, dataset.neighbors[:, :k], dataset.metric)
            line += f" {recall(answer, distances, dataset.neighbors[:, :k], truth, k, dataset.metric).mean():7.4f}"
        for mode in ("single", "batch"):
            ratios = [a / b for a, b in zip(figures[mode], figures[f"{mode} faiss"], strict=True)]
            line += f" | {statistics.median(figures[mode]):10,.0f} {statistics.median(figures[mode + ' faiss']):7,.0f}"
            line += f" {statistics.median(ratios):6.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        print(line, flush=True)


def kmeans_ratios(dataset: Dataset, rounds: int) -> None:
    """Print seconds and objectives of both k-means for several seeds."""
    lists = round(dataset.n**0.5)
    rows = np.array(dataset.train)
    space = make_space(rows, dataset.metric)
    squares = sum_of_squares(prepare(rows, space, 2), 2)
    print(f"\n{dataset.name}: k-means, {lists} lists, {min(dataset.n, 256 * lists):,} rows, 25 iterations, 2 threads")
    faiss.omp_set_num_threads(2)
    seconds, worse = [], []
    for seed in range(1, rounds + 1):
        taken, clusters = timed(lambda seed=seed: KMeans(lists=lists).cluster(rows, space, seed=seed, threads=2))

        def theirs(seed: int = seed) -> Any:
            kmeans = faiss.Kmeans(dataset.dimension, lists, niter=25, seed=seed, max_points_per_centroid=256)
            kmeans.train(rows)
            kmeans.index.search(rows, 1)
            return kmeans.centroids

        taken_faiss, centroids = timed(theirs)
        prepared = np.ascontiguousarray((centroids - space.center).astype(np.float32))
        objectives = [
            squares + 2 * float(nearest_centroids(rows, space, found, 2)[1].sum(dtype=np.float64))
            for found in (clusters.centroids, prepared)
        ]
        seconds.append(taken_faiss / taken)
        worse.append(objectives[0] / objectives[1])
        print(
            f"  seed {seed}: {taken:6.2f} s, faiss {taken_faiss:6.2f} s, {seconds[-1]:.2f} times as fast;"
            f" objective {objectives[0]:.6g}, faiss {objectives[1]:.6g}, ratio {worse[-1]:.5f}",
            flush=True,
        )
    print(f"  median: {statistics.median(seconds):.2f} times as fast, objective ratio {statistics.median(worse):.5f}")


def main() -> int:
    """Measure every dataset named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--queries", type=int, default=1000, help="of single mode; batches take all")
    parser.add_argument("-k", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=("search", "kmeans"))
    given = parser.parse_args()
    print(f"faiss {faiss.__version__} ({faiss.get_compile_options().strip()}), numpy {np.__version__}")
    for name in given.datasets:
        dataset = load(name)
        if given.only != "kmeans":
            search_ratios(dataset, given.rounds, given.queries, given.k, given.seed)
        if given.only != "search":
            kmeans_ratios(dataset, given.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
