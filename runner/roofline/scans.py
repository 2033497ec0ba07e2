"""The float32 kernels at work: scans of lists, and routing."""

import numpy as np

from ...algorithms.kernels.alone import scan_each, scan_together
from ...algorithms.kernels.nearest import nearest
from ...algorithms.kernels.panels import make_panels
from ...algorithms.kernels.search import search_lists
from ...algorithms.kernels.space import identity
from ...algorithms.kernels.vector import QUERIES_PER_TILE
from .lists import PARTS, PROBES, lists_of, normal, probes_of, queries_of
from .sizes import Sizes
from .work import Work

NEIGHBORS = 10
OPERATIONS_AT_ONCE = 40_000_000  # of a batch: a millisecond or less
LARGEST_BATCH = 240  # queries
REPRESENTATIVES = 512
ROUTED = 16  # lists that a router returns
READ_AT_ONCE = 32 << 20  # bytes that a call reads of what is warm: a third of a millisecond

OPERATION = {"ip": "float32 multiply-adds", "manhattan": "float32 differences"}
TERM = {"ip": "products", "manhattan": "differences"}


def _data(cold: bool) -> str:
    return "cold" if cold else "warm"


def _batch(operations_each: int) -> int:
    """Return how many queries make a batch: whole tiles of them, at least two."""
    tiles = min(OPERATIONS_AT_ONCE // operations_each, LARGEST_BATCH) // QUERIES_PER_TILE
    return QUERIES_PER_TILE * max(2, tiles)


def scan_of_one_query(sizes: Sizes, metric: str, cold: bool) -> Work:
    """One query after the other scans its lists."""
    lists = lists_of(sizes, cold)
    queries = max(1, (sizes.part if cold else READ_AT_ONCE) // (PROBES * sizes.list_bytes))
    parts = probes_of(lists, min(queries, lists.count // PROBES) if cold else queries)
    rows = queries_of(len(parts[0]), sizes.dimension)
    pairs = len(parts[0]) * PROBES * sizes.list_size
    return Work(
        f"scan, {TERM[metric]}", _data(cold), pairs * (4 * sizes.dimension + 4),
        {OPERATION[metric]: pairs * sizes.dimension}, lists.bytes,
        lambda i: scan_each(lists.panels, rows[i % PARTS], lists.space, metric, parts[i % len(parts)], NEIGHBORS),
    )  # fmt: skip


def scan_of_a_batch(sizes: Sizes, metric: str) -> Work:
    """Many queries scan the same lists."""
    lists = lists_of(sizes, cold=False)
    (probes,) = probes_of(lists, _batch(PROBES * sizes.list_size * sizes.dimension))
    rows = queries_of(len(probes), sizes.dimension)
    pairs = len(probes) * PROBES * sizes.list_size
    return Work(
        f"batch scan, {TERM[metric]}", "warm", lists.bytes + rows[0].nbytes,
        {OPERATION[metric]: pairs * sizes.dimension}, lists.bytes + rows[0].nbytes,
        lambda i: scan_together(lists.panels, rows[i % PARTS], lists.space, metric, probes, NEIGHBORS),
    )  # fmt: skip


def search_of_one_query(sizes: Sizes, cold: bool) -> Work:
    """A call from Python: scan, exact distances of the winners, counters."""
    lists = lists_of(sizes, cold)
    parts = probes_of(lists, 1)
    rows = queries_of(1, sizes.dimension)
    pairs = PROBES * sizes.list_size
    return Work(
        "whole search", _data(cold), pairs * (4 * sizes.dimension + 4),
        {OPERATION["ip"]: pairs * sizes.dimension}, lists.bytes,
        lambda i: search_lists(lists.panels, rows[i % PARTS], lists.space, "ip", parts[i % len(parts)], NEIGHBORS),
    )  # fmt: skip


def search_of_a_batch(sizes: Sizes) -> Work:
    """The same for many queries in one call."""
    lists = lists_of(sizes, cold=False)
    (probes,) = probes_of(lists, _batch(PROBES * sizes.list_size * sizes.dimension))
    rows = queries_of(len(probes), sizes.dimension)
    pairs = len(probes) * PROBES * sizes.list_size
    return Work(
        "whole batch search", "warm", lists.bytes + rows[0].nbytes,
        {OPERATION["ip"]: pairs * sizes.dimension}, lists.bytes + rows[0].nbytes,
        lambda i: search_lists(lists.panels, rows[i % PARTS], lists.space, "ip", probes, NEIGHBORS),
    )  # fmt: skip


def routing(sizes: Sizes, batch: bool) -> Work:
    """Score the representatives of all lists and keep the best, one query after the other or all at once."""
    representatives = normal(REPRESENTATIVES, sizes.dimension)
    space = identity(sizes.dimension)
    panels = make_panels(representatives, space)
    held = representatives.nbytes + 4 * REPRESENTATIVES
    asked = _batch(REPRESENTATIVES * sizes.dimension) if batch else max(1, READ_AT_ONCE // held)
    rows = queries_of(asked, sizes.dimension)
    operations = {OPERATION["ip"]: asked * REPRESENTATIVES * sizes.dimension}
    if batch:
        return Work(
            "batch routing", "warm", held + rows[0].nbytes, operations, held + rows[0].nbytes,
            lambda i: nearest(panels, rows[i % PARTS], space, ROUTED),
        )  # fmt: skip
    probes = np.zeros((asked, 1), dtype=np.int32)
    return Work(
        "routing", "warm", held * asked, operations, held,
        lambda i: scan_each(panels, rows[i % PARTS], space, "ip", probes, ROUTED),
    )  # fmt: skip
