"""The runner: experiments become jobs, jobs become fresh processes, processes leave result files.

A job that is finished already (same data, same parameters, same code) is not done again. A job that fails becomes a row
with status ``failed`` and the reason, and the others go on.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import IO, Any, Protocol

import numpy as np

from ..algorithms.index import Algorithm
from ..algorithms.kernels.space import METRICS
from ..algorithms.value import parameters, text
from ..datasets.dataset import file_sha256
from ..datasets.layout import Description
from ..datasets.load import peek
from ..results.run import Run
from ..results.store import load_run, save_run
from .environment import code_digest, environment
from .errors import RunError
from .experiment import Experiment, expand, query_points
from .job import Job, earlier_result

THREAD_VARIABLES = (
    "NUMBA_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


class Display(Protocol):
    """Who shows what is going on; see `display`."""

    def plan(self, jobs: Sequence[Job], finished: int) -> None:
        """The run begins: `finished` further jobs were done before."""

    def begin(self, job: Job, following: Job | None) -> None:
        """A job begins; `following` comes after it."""

    def stage(self, stage: str, done: int, total: int, remark: str) -> None:
        """A job is at `done` of `total` steps of a stage."""

    def end(self, job: Job, run: Run) -> None:
        """A job has ended, well or not."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run.

    Attributes
    ----------
    done, kept, failed : int
        Jobs measured now, found finished, and failed; failed sweep points count as failures of their job.
    """

    done: int
    kept: int
    failed: int


def fetch(name_or_path: str, progress: Callable[[str, int, int, str], None]) -> Description:
    """Make sure that a dataset is there, and describe it without loading its vectors."""

    def brought(done: int, total: int | None) -> None:
        progress(f"getting {name_or_path}", done, total or 0, "")

    return peek(name_or_path, progress=brought)


def plan(
    experiment: Experiment,
    descriptions: Sequence[tuple[str, Description]],
    *,
    out: str,
    threads: int,
    pattern: Sequence[str] = (),
) -> list[Job]:
    """Return the jobs of an experiment: datasets × k × seeds × algorithms, each once however often it is named.

    Parameters
    ----------
    experiment : Experiment
    descriptions : sequence of (name or path, Description)
        The datasets, described.
    out : str
        Folder of results.
    threads : int
    pattern : sequence of str
        Keep only algorithms whose canonical text matches one of these globs, whatever the case; none: keep all.

    Raises
    ------
    RunError
        A metric that no algorithm knows, k above what the ground truth holds, or a pattern that matches nothing.
    """
    jobs, seen = [], []
    for name, description in descriptions:
        if description.metric not in METRICS:
            raise RunError(f"{name}: found metric {description.metric!r}, expected one of {', '.join(METRICS)}")
        for k in experiment.k:
            if k > description.neighbors:
                held = f"the ground truth holds {description.neighbors} neighbours of each query"
                raise RunError(f"{name}: {held}, expected at least k = {k}")
        digest = file_sha256(description.path)
        for algorithm, grid in _algorithms(experiment):
            resolved = algorithm.resolve(description.metric, description.n)
            seen.append(text(resolved))
            if pattern and not any(_matches(text(resolved), glob) for glob in pattern):
                continue
            spelled = {field: value for field, value in parameters(resolved).items() if field != "seed"}
            for k in experiment.k:
                for seed in experiment.seeds if _takes_seed(resolved) else experiment.seeds[:1]:
                    jobs.append(
                        Job(
                            dataset=str(description.path),
                            dataset_name=description.name,
                            dataset_sha256=digest,
                            algorithm=text(resolved),
                            parameters=spelled,
                            k=k,
                            seed=seed,
                            threads=threads,
                            modes=experiment.modes,
                            points=query_points(resolved, grid),
                            repetitions=experiment.repetitions,
                            single_queries=experiment.single_queries,
                            out=out,
                        )
                    )
    if not jobs:
        known = ", ".join(dict.fromkeys(seen))
        raise RunError(f"--algorithm {' '.join(pattern)}: matches none of {known}")
    return _merged(jobs)


def _merged(jobs: Sequence[Job]) -> list[Job]:
    # One job for each build: spellings that resolve to the same algorithm share its sweep.
    merged: dict[str, Job] = {}
    for job in jobs:
        build = replace(job, points=()).to_json()
        points = merged[build].points if build in merged else ()
        merged[build] = replace(job, points=points + tuple(point for point in job.points if point not in points))
    return list(merged.values())


def _algorithms(experiment: Experiment) -> Iterator[tuple[Algorithm, Any]]:
    for spelled in experiment.algorithms:
        yield from expand(spelled)


def _takes_seed(algorithm: Algorithm) -> bool:
    return hasattr(algorithm, "seed")


def _matches(canonical: str, glob: str) -> bool:
    return fnmatchcase(canonical.lower(), glob.lower()) or fnmatchcase(canonical.lower(), f"*{glob.lower()}*")


def is_finished(job: Job, code: str) -> bool:
    """Return whether a result file holds every point of the job, measured by the present code with these settings."""
    path = earlier_result(job)
    if path is None:
        return False
    run = load_run(path)
    if run.status != "ok" or run.environment.get("code") != code:
        return False
    test_queries = len(run.truth_ids)
    wanted = {
        "single": min(test_queries, job.single_queries or test_queries),
        "batch": test_queries,
    }
    have = {
        (point.mode, json.dumps(dict(point.query_parameters), sort_keys=True))
        for point in run.points
        if point.status == "ok" and len(point.seconds) >= job.repetitions and len(point.ids) == wanted[point.mode]
    }
    return all((mode, json.dumps(dict(point), sort_keys=True)) in have for mode in job.modes for point in job.points)


def _child_environment(threads: int) -> dict[str, str]:
    return {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads)), "PYTHONUNBUFFERED": "1"}


def _failed_run(job: Job, description: Description, message: str) -> Run:
    # What stands in the results for a build that did not succeed.
    width = description.neighbors
    return Run(
        dataset=job.dataset_name,
        dataset_sha256=job.dataset_sha256,
        metric=description.metric,
        synthetic=description.synthetic,
        n=description.n,
        dimension=description.dimension,
        algorithm=job.algorithm,
        parameters=job.parameters,
        k=job.k,
        seed=job.seed,
        threads=job.threads,
        build_seconds=float("nan"),
        learn_seconds=float("nan"),
        label_seconds=float("nan"),
        compile_seconds=float("nan"),
        index_bytes=0,
        router_bytes=0,
        peak_memory_bytes=0,
        train_bytes=4 * description.n * description.dimension,
        truth_ids=np.empty((0, width), dtype=np.int32),
        truth_distances=np.empty((0, width), dtype=np.float64),
        stored_truth_distances=np.empty((0, width), dtype=np.float32),
        environment=environment(),
        status="failed",
        message=message,
    )


def _last_line(log: IO[bytes]) -> str:
    log.seek(0)
    lines = [line.strip() for line in log.read().decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1] if lines else "nothing printed"


def _ending(code: int, log: IO[bytes]) -> str:
    # Why a process that told nothing ended: out of memory, the system kills without a word.
    if code < 0:
        return f"the process was killed by signal {-code} ({signal.strsignal(-code)}): {_last_line(log)}"
    return f"the process ended with code {code}: {_last_line(log)}"


def run_job(job: Job, description: Description, display: Display) -> Run:
    """Do one job in a fresh process and return its run, failed or not, as it stands in the results."""
    message, path = "", None
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "ivfbench.runner.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=_child_environment(job.threads),
            text=True,
            encoding="utf-8",
        )
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            with suppress(BrokenPipeError):  # it died already: what it printed says why
                child.stdin.write(job.to_json() + "\n")
                child.stdin.close()
            for line in child.stdout:
                event = json.loads(line)
                if event["event"] == "stage":
                    display.stage(event["stage"], event["done"], event["total"], event["remark"])
                elif event["event"] == "failed":
                    message = event["message"]
                elif event["event"] == "finished":
                    path = event["path"]
            code = child.wait()
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()
            child.stdout.close()
        if path is not None and code == 0:
            return load_run(path)
        message = message or _ending(code, log)
    failed = _failed_run(job, description, message)
    earlier = earlier_result(job)
    if earlier is None or load_run(earlier).status != "ok":  # a failure never replaces a measurement
        save_run(job.out, failed)
    return failed


def _finished(job: Job) -> Run:
    path = earlier_result(job)
    if path is None:
        raise RunError(f"{job.out}: the result of {job.algorithm} vanished while the run was going on")
    return load_run(path)


def run_jobs(
    jobs: Sequence[Job], descriptions: dict[str, Description], display: Display, *, force: bool = False
) -> tuple[Outcome, list[Run]]:
    """Do all jobs, one after the other: nothing else is running while one is timed.

    Parameters
    ----------
    jobs : sequence of Job
    descriptions : mapping of path to Description
    display : Display
    force : bool
        Do finished jobs again.

    Returns
    -------
    outcome : Outcome
    runs : list of Run
        Of all jobs, in their order.
    """
    code = code_digest()
    waiting = [job for job in jobs if force or not is_finished(job, code)]
    display.plan(waiting, len(jobs) - len(waiting))
    ended = {}
    for place, job in enumerate(waiting):
        display.begin(job, waiting[place + 1] if place + 1 < len(waiting) else None)
        run = run_job(job, descriptions[job.dataset], display)
        ended[job.to_json()] = run
        display.end(job, run)
    runs = [ended.get(job.to_json()) or _finished(job) for job in jobs]
    failed = sum(run.status != "ok" or any(point.status != "ok" for point in run.points) for run in ended.values())
    return Outcome(len(ended) - failed, len(jobs) - len(waiting), failed), runs
