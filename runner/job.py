"""A job: one build and its whole sweep. Plain data, so that it crosses to a fresh process as JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..algorithms.index import Algorithm
from ..algorithms.registry import MEMBERS
from ..algorithms.value import from_parameters
from ..results.store import find_run


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

    def to_json(self) -> str:
        """Return the job as JSON text."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> "Job":
        """Return the job that `to_json` wrote."""
        data = json.loads(text)
        return Job(**{**data, "modes": tuple(data["modes"]), "points": tuple(data["points"])})

    def build_algorithm(self) -> Algorithm:
        """Return the algorithm, with the job's seed where it has one."""
        spelled = dict(self.parameters)
        if "seed" in getattr(MEMBERS.get(spelled["type"]), "__dataclass_fields__", {}):
            spelled["seed"] = self.seed
        return from_parameters(spelled, MEMBERS)  # type: ignore[no-any-return]


def earlier_result(job: Job) -> Path | None:
    """Return the result file of the same data, parameters, k, seed and threads, if there is one."""
    return find_run(
        job.out,
        dataset=job.dataset_name,
        dataset_sha256=job.dataset_sha256,
        algorithm=job.algorithm,
        parameters=job.parameters,
        k=job.k,
        seed=job.seed,
        threads=job.threads,
    )
