"""The float64 kernels at work: exact distances of winners, and of centroids."""

import numpy as np

from ...algorithms.kernels.alone import finish_each
from ...algorithms.kernels.centroid_distances import centroid_distances
from ...algorithms.kernels.heap import make_key
from ...algorithms.kernels.space import identity
from .lists import lists_of, normal
from .scans import NEIGHBORS, REPRESENTATIVES, ROUTED
from .sizes import Sizes
from .work import Work

KIND = "float64 multiply-adds"
QUERIES = 64


def winners(sizes: Sizes, cold: bool) -> Work:
    """Exact distances of k vectors, wherever in the panels they lie."""
    lists = lists_of(sizes, cold)
    rows = normal(QUERIES, sizes.dimension, seed=1)
    slots = np.flatnonzero(lists.panels.ids.reshape(-1) >= 0)
    count = QUERIES * NEIGHBORS
    chosen = np.resize(np.random.default_rng(1).permutation(slots), max(1, len(slots) // count) * count)
    parts = [
        np.array([make_key(0.0, slot) for slot in chosen[start : start + count]], dtype=np.uint64)
        for start in range(0, min(len(chosen), 64 * count), count)
    ]
    keys = [part.reshape(QUERIES, NEIGHBORS) for part in parts]
    return Work(
        "distances of winners", "cold" if cold else "warm", count * sizes.dimension * 4,
        {KIND: count * sizes.dimension}, lists.bytes,
        lambda i: finish_each(lists.panels, rows, "euclidean", keys[i % len(keys)]),
    )  # fmt: skip


def centroids(sizes: Sizes) -> Work:
    """Distances of queries from the centroids of the lists they are routed to."""
    held = normal(REPRESENTATIVES, sizes.dimension)
    rows = normal(QUERIES, sizes.dimension, seed=1)
    space = identity(sizes.dimension)
    lists = np.random.default_rng(1).integers(0, REPRESENTATIVES, (QUERIES, ROUTED)).astype(np.int32)
    return Work(
        "distances of centroids", "warm", lists.size * sizes.dimension * 4,
        {KIND: lists.size * sizes.dimension}, held.nbytes,
        lambda _: centroid_distances(rows, space, held, lists),
    )  # fmt: skip
