"""A recorded sweep of the flagship's choices: lists, sub-quantisers, storage, nprobe and candidates.

    python tests/benchmarks/tune.py DATASET [--lists 328,656,1312] [--subquantisers 64,96] [--router learnt,centroid]
                                    [--storage float16] [--codec pq] [--csv sweep.csv]

Every index answers the second half of the test queries, which no reported figure should rest on alone: recall@10, µs of
a query on its own (one thread, one call each) and of a query of a batch (two threads). The table under each index names
its fastest setting for each recall level, single and batched; the last table names the fastest index.
"""

import argparse
import csv
import itertools
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.codecs.int8 import Int8
from ivfbench.algorithms.codecs.product_quantiser import ProductQuantiser
from ivfbench.algorithms.ivf import IVF
from ivfbench.algorithms.routers.centroid import Centroid
from ivfbench.algorithms.routers.learnt import Learnt
from ivfbench.algorithms.routers.router import TrainingQueries
from ivfbench.datasets.distance import distances_to
from ivfbench.datasets.learn import training_queries
from ivfbench.datasets.load import load
from ivfbench.results.recall import recall

LEVELS = (0.9, 0.95, 0.99)
K = 10
ROUTERS = {"learnt": Learnt(), "centroid": Centroid(), "normalised": Centroid(scoring="normalised")}


def best_of(action: Any, rounds: int) -> float:
    """Return the seconds of the fastest of so many rounds: the machine is noisy, and only ever slower than it is."""
    least = float("inf")
    for _ in range(rounds):
        started = time.perf_counter()
        action()
        least = min(least, time.perf_counter() - started)
    return least


def sweep(index: Any, queries: np.ndarray, score: Any, shares: list[float], reranks: list[int], rounds: int) -> list:
    """Return (recall, µs single, µs batched, nprobe, rerank) of every setting."""
    rows = [queries[i : i + 1] for i in range(min(800, len(queries)))]
    points = []
    for nprobe, rerank in itertools.product(sorted({max(1, round(s * index.count)) for s in shares}), reranks):
        found = index.search(queries, K, nprobe=nprobe, rerank=rerank, threads=2)
        reached = score(found.ids)
        single = best_of(lambda p=nprobe, r=rerank: [index.search(q, K, nprobe=p, rerank=r) for q in rows], rounds)
        batch = best_of(lambda p=nprobe, r=rerank: index.search(queries, K, nprobe=p, rerank=r, threads=2), rounds)
        points.append((reached, 1e6 * single / len(rows), 1e6 * batch / len(queries), nprobe, rerank))
    return points


def fastest(points: list, level: float, column: int) -> tuple | None:
    """Return the fastest setting that reaches a recall, by column 1 (single) or 2 (batched)."""
    return min((point for point in points if point[0] >= level), key=lambda point: point[column], default=None)


def main() -> int:
    """Build, sweep, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("--lists", default="328,656,1312")
    parser.add_argument("--subquantisers", default="64,96")
    parser.add_argument("--width", default="0", help="coordinates of a sub-quantiser; 0: all dimensions are kept")
    parser.add_argument("--router", default="learnt")
    parser.add_argument("--storage", default="float16")
    parser.add_argument("--codec", default="pq", help="pq or int8")
    parser.add_argument("--shares", default="0.01,0.015,0.02,0.03,0.045,0.065,0.09,0.12,0.16,0.22,0.3")
    parser.add_argument("--rerank", default="20,40,60,100,160")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--csv", type=Path)
    given = parser.parse_args()
    dataset = load(given.dataset)
    lessons = training_queries(dataset, seed=0, exact=True)
    training = TrainingQueries(lessons.queries, lessons.neighbors, lessons.source, not dataset.has_learn)
    half = len(dataset.test) // 2
    queries = np.ascontiguousarray(dataset.test[half:])
    truth = dataset.neighbors[half:, :K]
    truth_distances = distances_to(dataset.train, queries, truth, dataset.metric)

    def score(ids: np.ndarray) -> float:
        distances = distances_to(dataset.train, queries, ids, dataset.metric)
        return float(recall(ids, distances, truth, truth_distances, K, dataset.metric).mean())

    lines, shares = [], [float(share) for share in given.shares.split(",")]
    reranks = [int(count) for count in given.rerank.split(",")]
    choices = itertools.product(
        given.router.split(","), given.lists.split(","), given.subquantisers.split(","), given.width.split(",")
    )
    for router, lists, parts, width in choices:
        codec = Int8(given.storage) if given.codec == "int8" else ProductQuantiser(
            int(parts) or None, int(width) or None, given.storage
        )  # fmt: skip
        algorithm = IVF(KMeans(lists=int(lists)), ROUTERS[router], codec, routing="int8")
        started = time.perf_counter()
        learns = training if algorithm.learns else None
        index = algorithm.build(dataset.train, dataset.metric, learns, threads=2)
        seconds = time.perf_counter() - started
        points = sweep(index, queries, score, shares, reranks, given.rounds)
        lines += [(algorithm, seconds, index.built.learn_seconds, index.nbytes, *point) for point in points]
        print(f"\n{algorithm!r}: built in {seconds:.1f} s, {index.nbytes / 2**20:.0f} MiB")
        for level, (column, mode) in itertools.product(LEVELS, ((1, "single"), (2, "batch"))):
            point = fastest(points, level, column)
            if point:
                print(
                    f"  recall {level}: {mode:6} {1e6 / point[column]:8,.0f} q/s ({point[column]:5.1f} µs) at nprobe"
                    f" {point[3]}, rerank {point[4]}, recall {point[0]:.4f}",
                    flush=True,
                )
    if given.csv:
        with given.csv.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            names = "algorithm build_seconds learn_seconds bytes recall single_us batch_us nprobe rerank"
            writer.writerow(names.split(" "))
            writer.writerows([[repr(line[0]), *line[1:]] for line in lines])
    print("\nfastest index for each recall")
    for level, (column, mode) in itertools.product(LEVELS, ((5, "single"), (6, "batch"))):
        line = min((line for line in lines if line[4] >= level), key=lambda line: line[column], default=None)
        if line:
            print(f"  {level} {mode:6} {1e6 / line[column]:8,.0f} q/s  {line[0]!r} nprobe {line[7]} rerank {line[8]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
