"""A job: one build and its whole sweep. Plain data, so that it crosses to a fresh process as JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..algorithms.index import Algorithm
from ..algorithms.registry import MEMBERS
from ..algorithms.value import from_parameters
from ..results.key import run_folder, run_key, run_name
from ..results.run import Run
from ..results.store import find_run, with_unfinished


@dataclass(frozen=True, slots=True)
class Job:
    """One build, swept.

    Attributes
    ----------
    dataset : str
        Name or path.
    dataset_name, dataset_sha256 : str
        What it was when the run was planned.
    algorithm : str
        Canonical text, without the seed.
    parameters : mapping
        Every field of the algorithm but the seed.
    k, seed, threads : int
        Threads of the build and of batches; single queries always run on one.
    modes : tuple of str
    points : tuple of mappings
        Query parameters of the sweep.
    repetitions : int
    single_queries : int or None
    out : str
        The folder of results.
    timeout : float or None
        Seconds that the build, and each sweep point, may take.
    memory : float or None
        GB (10^9 bytes) that the process and all that it starts may occupy.
    left : tuple of int or None
        Places in `sweep` that are to be measured; None: all.
    cores : tuple of int or None
        That the process may run on, single queries on the first of them; None: all that the runner may.
    """

    dataset: str
    dataset_name: str
    dataset_sha256: str
    algorithm: str
    parameters: Mapping[str, Any]
    k: int
    seed: int
    threads: int
    modes: tuple[str, ...]
    points: tuple[Mapping[str, Any], ...]
    repetitions: int
    single_queries: int | None
    out: str
    timeout: float | None = None
    memory: float | None = None
    left: tuple[int, ...] | None = None
    cores: tuple[int, ...] | None = None

    def to_json(self) -> str:
        """Return the job as JSON text."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> "Job":
        """Return the job that `to_json` wrote."""
        data = json.loads(text)
        tuples = ("modes", "points", "left", "cores")
        return Job(**data | {name: tuple(data[name]) for name in tuples if data[name] is not None})

    @property
    def sweep(self) -> tuple[tuple[str, Mapping[str, Any]], ...]:
        """Every mode that searches, and every setting in it."""
        return tuple((mode, point) for mode in self.modes if mode != "routing" for point in self.points)

    @property
    def places(self) -> tuple[int, ...]:
        """The places in `sweep` that are to be measured."""
        return tuple(range(len(self.sweep))) if self.left is None else self.left

    @property
    def result(self) -> Path:
        """The file that the result lies in, or will."""
        identity = self._identity()
        name = run_name(self.algorithm, run_key(**{key: identity[key] for key in identity if key != "dataset"}))
        return run_folder(Path(self.out), self.dataset_name, self.k) / name

    @property
    def log(self) -> Path:
        """The file for what the process of this job prints."""
        return Path(self.out, "logs", f"{self.result.stem}.log")

    def _identity(self) -> dict[str, Any]:
        return {
            "dataset": self.dataset_name,
            "dataset_sha256": self.dataset_sha256,
            "algorithm": self.algorithm,
            "parameters": self.parameters,
            "k": self.k,
            "seed": self.seed,
            "threads": self.threads,
        }

    def build_algorithm(self) -> Algorithm:
        """Return the algorithm, with the job's seed where it has one."""
        spelled = dict(self.parameters)
        if "seed" in getattr(MEMBERS.get(spelled["type"]), "__dataclass_fields__", {}):
            spelled["seed"] = self.seed
        return from_parameters(spelled, MEMBERS)  # type: ignore[no-any-return]


def earlier_result(job: Job) -> Path | None:
    """Return the result file of the same data, parameters, k, seed and threads, if there is one."""
    return find_run(job.out, **job._identity())


def earlier_run(job: Job) -> Run | None:
    """Return what is measured so far of the same data, parameters, k, seed and threads, finished or not."""
    return with_unfinished(job.result)
