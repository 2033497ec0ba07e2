"""One arm of a paired measurement: a fresh process that answers and times when it is told to.

This file is run as a script, by the interpreter and with the import path of the revision that is measured: the ruler
is always that of the comparing version, and only what is measured comes from the revision. It therefore asks for
little: numpy, and either `ivfbench.algorithms` or a module in the style of ann-benchmarks.

It reads one JSON object a line and answers each with one. Whatever a library prints goes to standard error.
"""

import contextlib
import importlib
import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.float32]
Answer = tuple[Any, Any, Any]  # ids (q, k), lists probed (q,), points scanned (q,)


class Engine(Protocol):
    """What answers."""

    index_bytes: int
    build_seconds: float

    def search(self, rows: Rows, k: int, setting: Mapping[str, Any], threads: int) -> Any:
        """Search for (q, d) rows in one call: what a clock sees."""

    def answer(self, found: Any, rows: Rows, k: int) -> Answer:
        """Return what the latest `search` found as arrays, with the work that it did: no clock sees this."""


def _array(path: str) -> Any:
    return np.load(path, allow_pickle=False)


class OwnIndex:
    """An algorithm of `ivfbench.algorithms`, opened from a file or built."""

    def __init__(self, task: Mapping[str, Any]) -> None:
        self._policies: Any = None
        file = Path(task["index"]) if task.get("index") else None
        values = importlib.import_module("ivfbench.algorithms.value")
        members = importlib.import_module("ivfbench.algorithms.registry").MEMBERS
        started = time.perf_counter()
        if file is not None and file.exists():
            self._index = importlib.import_module("ivfbench.algorithms.ivf").IVF.load(file)
        else:
            algorithm = values.from_parameters(task["parameters"], members)
            self._index = algorithm.build(
                _array(task["train"]), task["metric"], self._lessons(task), threads=task["threads"]
            )
            if file is not None and hasattr(self._index, "save"):
                with contextlib.suppress(ValueError, NotImplementedError):  # a part that no file can hold: built anew
                    self._index.save(file)
        self.build_seconds = time.perf_counter() - started
        self.index_bytes = int(self._index.nbytes)

    @staticmethod
    def _lessons(task: Mapping[str, Any]) -> Any:
        if not task.get("learn"):
            return None
        router = importlib.import_module("ivfbench.algorithms.routers.router")
        known = task.get("learn_neighbors")
        return router.TrainingQueries(_array(task["learn"]), _array(known) if known else None)

    def search(self, rows: Rows, k: int, setting: Mapping[str, Any], threads: int) -> Any:
        """Search in one call."""
        if "probing" in setting:
            self._policies = self._policies or importlib.import_module("ivfbench.runner.policies")
            setting = self._policies.search_arguments(setting)
        return self._index.search(rows, k, threads=threads, **setting)

    def answer(self, found: Any, rows: Rows, k: int) -> Answer:
        """Take the arrays out."""
        return found.ids, found.probed, found.scanned


class Module:
    """A class in the style of ann-benchmarks: `fit`, `set_query_arguments`, `query` or `batch_query`."""

    def __init__(self, task: Mapping[str, Any]) -> None:
        path = Path(task["module"])
        specification = importlib.util.spec_from_file_location(path.stem, path)
        if specification is None or specification.loader is None:
            raise ValueError(f"{path}: found no Python module, expected one in the style of ann-benchmarks")
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        self._measured = getattr(module, task["constructor"])(*task["arguments"])
        started = time.perf_counter()
        self._measured.fit(_array(task["train"]))
        self.build_seconds = time.perf_counter() - started
        told = getattr(self._measured, "get_memory_usage", lambda: None)()
        self.index_bytes = int(1024 * (told or 0))
        self._set: Any = None
        self._counted = 0

    def search(self, rows: Rows, k: int, setting: Mapping[str, Any], threads: int) -> Any:
        """Search in one call where the module can, else query by query."""
        if setting != self._set:
            self._measured.set_query_arguments(*setting["arguments"])
            self._set, self._counted = setting, self._count()
        if len(rows) > 1 and hasattr(self._measured, "batch_query"):
            self._measured.batch_query(rows, k)
            return self._measured.get_batch_results()
        return [self._measured.query(row, k) for row in rows]

    def answer(self, found: Any, rows: Rows, k: int) -> Answer:
        """Lay the ids out, and see how far the module's count of distances went on."""
        ids = np.full((len(rows), k), -1, np.int32)
        for place, answer in enumerate(found):
            ids[place, : min(k, len(answer))] = answer[:k]
        before, self._counted = self._counted, self._count()
        points = np.full(len(rows), (self._counted - before) // max(1, len(rows)), np.int64)
        return ids, np.zeros(len(rows), np.int64), points

    def _count(self) -> int:
        told: Mapping[str, Any] = getattr(self._measured, "get_additional", dict)() or {}
        return int(told.get("dist_comps", 0))


ENGINES: dict[str, Callable[[Mapping[str, Any]], Engine]] = {"ivfbench": OwnIndex, "module": Module}


class Arm:
    """An open engine and the queries that it is asked."""

    def __init__(self, task: Mapping[str, Any]) -> None:
        self.engine = ENGINES[task["kind"]](task)
        self.k, self.mode, self.threads = task["k"], task["mode"], task["threads"]
        self.queries = _array(task["queries"])
        timed = self.queries[: task.get("timed")]
        # A slow-down that is known: so many queries, evenly spread, are asked once more.
        again = np.linspace(0, len(timed) - 1, round(task.get("extra", 0.0) * len(timed))).astype(int)
        self.asked = np.ascontiguousarray(np.concatenate([timed, timed[again]]))
        self.rows = [self.asked[place : place + 1] for place in range(len(self.asked))]

    def answer(self, setting: Mapping[str, Any], path: str) -> dict[str, Any]:
        """Write what is found and the work done into a file."""
        if self.mode == "single":
            rows = (self.queries[place : place + 1] for place in range(len(self.queries)))
            parts = [self.engine.answer(self.engine.search(row, self.k, setting, 1), row, self.k) for row in rows]
            ids, lists, points = (np.concatenate([part[place] for part in parts]) for place in range(3))
        else:
            found = self.engine.search(self.queries, self.k, setting, self.threads)
            ids, lists, points = self.engine.answer(found, self.queries, self.k)
        np.savez(path, ids=ids, lists=lists, points=points)
        return {}

    def warm(self, setting: Mapping[str, Any]) -> dict[str, Any]:
        """One untimed pass."""
        return self.time(setting, 1)

    def time(self, setting: Mapping[str, Any], repeat: int) -> dict[str, Any]:
        """Seconds of one pass, mean of `repeat` in a row: those that passed, and those that the processor worked."""
        search, k, threads = self.engine.search, self.k, self.threads
        worked, started = time.process_time_ns(), time.perf_counter_ns()
        if self.mode == "single":
            for _ in range(repeat):
                for row in self.rows:
                    search(row, k, setting, 1)
        else:
            for _ in range(repeat):
                search(self.asked, k, setting, threads)
        passed, worked = time.perf_counter_ns() - started, time.process_time_ns() - worked
        return {"wall": passed / 1e9 / repeat, "processor": worked / 1e9 / repeat}


def _peak_bytes() -> int:
    # Most memory so far; `ru_maxrss` may be the parent's, who was there before this program began.
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> int:
    """Serve until the input ends."""
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    arm: Arm | None = None
    for line in sys.stdin:
        order = json.loads(line)
        do = order.pop("do")
        told: dict[str, Any]
        try:
            if do == "open":
                arm = Arm(order)
                told = {
                    "index_bytes": arm.engine.index_bytes,
                    "build_seconds": arm.engine.build_seconds,
                    "peak_bytes": _peak_bytes(),
                }
            else:
                assert arm is not None
                told = getattr(arm, do)(**order)
        except Exception as error:  # the parent says which arm it was, in one line
            told = {"failed": f"{type(error).__name__}: {' '.join(str(error).split())}"}
        channel.write(json.dumps(told) + "\n")
        channel.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
