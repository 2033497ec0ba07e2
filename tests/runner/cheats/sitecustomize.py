"""Python imports this at its start where this folder is on PYTHONPATH: an algorithm that cheats as its queries say.

It exists in the processes of these tests alone. `CHEATS_DATASET` names the file with the truth, `CHEATS_DIARY` a file
for what it saw of threads and cores.
"""

import ctypes
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from ivfbench.algorithms.found import Found
from ivfbench.algorithms.index import Built
from ivfbench.algorithms.registry import ALGORITHMS, MEMBERS
from ivfbench.algorithms.value import Value

TINY = 512  # rows of the warm-up


def overwrite(array, value):
    """Write through the address, whatever the flags of the array say; twice, in both ways that there are."""
    ctypes.memset(array.ctypes.data, 0, array.nbytes)

    alias = SimpleNamespace(__array_interface__={**array.__array_interface__, "data": (array.ctypes.data, False)})
    np.asarray(alias)[...] = value


@dataclass(frozen=True, slots=True, repr=False)
class Cheat(Value):
    """Exact search that writes over its training rows while it is built, if it is told to."""

    overwrites: bool = False

    learns = False

    def resolve(self, metric, count):
        return self

    def query_grid(self):
        return ({"how": "honest"},)

    def build(self, train, metric, training=None, *, threads=1, progress=None):
        if not self.overwrites:  # while it warms up, as others do
            import faiss  # noqa: F401
            import torch  # noqa: F401
        index = Index(train)
        if self.overwrites and len(train) > TINY:
            overwrite(train, train[:1])
        return index


class Index:
    router_nbytes = 0

    def __init__(self, train):
        self.rows, self.train = train.copy(), train
        self.built, self.nbytes = Built(0.1), train.nbytes

    def search(self, queries, k=10, *, threads=1, how="honest"):
        if len(self.rows) <= TINY:
            how = "honest"
        return getattr(self, how)(queries, k)

    def honest(self, queries, k):
        squares = ((queries[:, None] - self.rows[None]) ** 2).sum(axis=2)
        ids = np.argsort(squares, axis=1, kind="stable")[:, :k].astype(np.int32)
        counts = np.full(len(queries), len(self.rows), dtype=np.int64)
        distances = np.sqrt(np.take_along_axis(squares, ids, 1)).astype(np.float32)
        return Found(ids, distances, np.ones(len(queries), dtype=np.int64), counts)

    def changed(self, queries, k, **fields):
        return self.honest(queries, k)._replace(**fields)

    def writes_train(self, queries, k):
        overwrite(self.train, queries[0])  # every row becomes the query: all are its nearest neighbours
        return self.changed(queries, k, ids=np.tile(np.arange(k, dtype=np.int32), (len(queries), 1)))

    def writes_queries(self, queries, k):
        overwrite(queries, self.rows[0])
        return self.honest(queries, k)

    def truth(self, queries, k):
        """What the file says, and nothing where it says nothing."""
        if not hasattr(self, "known"):
            import h5py

            with h5py.File(os.environ["CHEATS_DATASET"]) as file:
                tests, neighbors = file["test"][()].astype(np.float32), file["neighbors"][()]
            self.known = {row.tobytes(): ids for row, ids in zip(tests, neighbors, strict=True)}
        ids = [self.known.get(row.tobytes(), np.full(k, -1))[:k] for row in queries]
        return self.changed(queries, k, ids=np.array(ids, dtype=np.int32))

    def truth_or_search(self, queries, k):
        found = self.truth(queries, k)
        if (found.ids >= 0).all():
            return found
        time.sleep(0.05)
        return self.honest(queries, k)

    def twice(self, queries, k):
        ids = self.honest(queries, k).ids
        ids[-1, 1] = ids[-1, 0]
        return self.changed(queries, k, ids=ids)

    def beyond(self, queries, k):
        ids = self.honest(queries, k).ids
        ids[-1, 0] = len(self.rows)
        return self.changed(queries, k, ids=ids)

    def below(self, queries, k):
        return self.changed(queries, k, ids=np.full((len(queries), k), -2, dtype=np.int32))

    def nan(self, queries, k):
        return self.changed(queries, k, distances=np.full((len(queries), k), np.nan, dtype=np.float32))

    def floats(self, queries, k):
        return self.changed(queries, k, ids=self.honest(queries, k).ids.astype(np.float32))

    def texts(self, queries, k):
        return self.changed(queries, k, ids=[["1"] * k] * len(queries))

    def many(self, queries, k):
        return self.honest(queries, k + 2)

    def few(self, queries, k):
        return self.honest(queries, k - 1)

    def none(self, queries, k):
        return None

    def negative(self, queries, k):
        return self.changed(queries, k, scanned=np.full(len(queries), -1, dtype=np.int64))

    def tells(self, queries, k):
        """Write down how many threads every library would use, and where threads may run."""
        import faiss
        import numba
        import torch
        from threadpoolctl import threadpool_info

        pools = {f"{pool['internal_api']} {pool['filepath']}": pool["num_threads"] for pool in threadpool_info()}
        told = {**pools, "numba": numba.get_num_threads(), "torch": torch.get_num_threads()}
        told["faiss"] = faiss.omp_get_max_threads()
        threads = [path.name for path in Path("/proc/self/task").iterdir()]
        cores = {tuple(sorted(os.sched_getaffinity(int(task)))) for task in threads}
        with Path(os.environ["CHEATS_DIARY"]).open("a") as diary:
            mode = "single" if len(queries) == 1 else "batch"
            print(json.dumps({"mode": mode, "told": told, "cores": sorted(cores)}), file=diary)
        return self.honest(queries, k)


ALGORITHMS["Cheat"] = MEMBERS["Cheat"] = Cheat
