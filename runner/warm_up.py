"""Everything compiled, loaded and imported before any clock starts."""

import time
from collections.abc import Sequence
from contextlib import suppress

import numpy as np

from ..algorithms.index import Algorithm
from ..algorithms.kernels.means import sum_of_squares
from ..algorithms.probing.policy import Probing
from ..algorithms.registry import MEMBERS
from ..algorithms.routers.router import TrainingQueries
from ..algorithms.value import from_parameters, parameters

ROWS = 512  # 8-bit quantisers need 256
LISTS = 4
SAMPLE_PER_LIST = 64  # not all rows: k-means assigns the others by a kernel of its own


def warm_up(
    algorithm: Algorithm, metric: str, dimension: int, k: int, threads: int, policies: Sequence[Probing] = ()
) -> float:
    """Build and search a tiny index of the same kind, so that every kernel is compiled and every library loaded.

    An algorithm with a method `load_code` is only loaded: its arguments may not suit a tiny index.

    Parameters
    ----------
    algorithm : Algorithm
    metric : str
    dimension : int
        d of the real data.
    k, threads : int
    policies : sequence of Probing
        What the sweep will search with besides `nprobe`.

    Returns
    -------
    float
        Seconds that this took: compilation, or reading compiled kernels from the cache, and imports.
    """
    started = time.perf_counter()
    if hasattr(algorithm, "load_code"):
        algorithm.load_code()
        return time.perf_counter() - started
    generator = np.random.default_rng(0)
    rows = generator.standard_normal((ROWS, dimension)).astype(np.float32)
    needed = algorithm.learns or any(policy.calibrates for policy in policies)
    training = TrainingQueries(rows, np.zeros((ROWS, 1), dtype=np.int32)) if needed else None
    if hasattr(algorithm, "clustering"):  # k-means asks for it where lists are many, which the tiny index has not
        sum_of_squares(rows, threads)
    index = _tiny(algorithm).build(rows, metric, training, threads=threads)
    grid = _tiny(algorithm).query_grid()
    for point in (*grid[:1], *grid[1:][-1:]):  # few lists are ranked by other kernels than many
        index.search(rows[:1], min(k, 64), threads=1, **point)
        index.search(rows, min(k, 64), threads=threads, **point)
    for policy in policies:
        with suppress(ValueError):  # a policy that refuses the metric says so when its point is measured
            index.search(rows[:1], min(k, 64), threads=1, probing=policy)
            index.search(rows, min(k, 64), threads=threads, probing=policy)
    return time.perf_counter() - started


def _tiny(algorithm: Algorithm) -> Algorithm:
    # The same members with few lists, one iteration and one epoch, wherever they have such a field.
    spelled = parameters(algorithm)
    few = {
        "clustering": {"lists": LISTS, "iterations": 1, "sample_per_list": SAMPLE_PER_LIST},
        "router": {"epochs": 1, "iterations": 1},
    }
    if isinstance(spelled.get("lists"), int):  # of another library's index
        spelled["lists"] = min(LISTS, spelled["lists"])
    for part, limits in few.items():
        for field, limit in limits.items():
            asked = spelled.get(part, {}).get(field, 0)  # no such field: nothing to limit
            if asked is None or asked > limit:
                spelled[part] = {**spelled[part], field: limit}
    return from_parameters(spelled, MEMBERS)  # type: ignore[no-any-return]
