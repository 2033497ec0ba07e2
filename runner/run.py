"""The runner: jobs become fresh processes, processes leave result files.

A job that is finished already (same data, same parameters, same code) is not done again. A job that fails becomes a row
with status ``failed`` and the reason, and the others go on. An algorithm that says that it cannot be measured here, for
want of its library or of a metric, becomes a row with status ``skipped``, and no process is started for it.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Protocol

import numpy as np

from ..datasets.layout import Description
from ..results.run import Run
from ..results.store import load_run, save_run
from .environment import code_digest, environment
from .errors import RunError
from .job import Job, earlier_result
from .plan import is_finished

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
    skipped : int
        Jobs that could not be asked.
    """

    done: int
    kept: int
    failed: int
    skipped: int = 0


def _child_environment(threads: int) -> dict[str, str]:
    return {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads)), "PYTHONUNBUFFERED": "1"}


def _without_build(job: Job, description: Description, status: str, message: str) -> Run:
    # What stands in the results for a build that did not succeed, or was not tried.
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
        status=status,
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


def _unavailable(job: Job, description: Description) -> str:
    # Why an algorithm cannot be measured here, in its own words; empty where it can, or does not say.
    with suppress(ValueError):  # what cannot even be spelled fails in its process, with all that is to be said of it
        algorithm = job.build_algorithm()
        if hasattr(algorithm, "unavailable"):
            return str(algorithm.unavailable(description.metric, description.dimension))
    return ""


def _stored(job: Job, run: Run) -> Run:
    # A run without a build never replaces a measurement.
    earlier = earlier_result(job)
    if earlier is None or load_run(earlier).status != "ok":
        save_run(job.out, run)
    return run


def run_job(job: Job, description: Description, display: Display) -> Run:
    """Do one job in a fresh process and return its run, failed, skipped or well, as it stands in the results."""
    why = _unavailable(job, description)
    if why:
        return _stored(job, _without_build(job, description, "skipped", why))
    status, message, path = "failed", "", None
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
                elif event["event"] in ("failed", "skipped"):
                    status, message = event["event"], event["message"]
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
    return _stored(job, _without_build(job, description, status, message))


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
    skipped = sum(run.status == "skipped" for run in ended.values())
    failed = sum(run.status == "failed" or any(point.status != "ok" for point in run.points) for run in ended.values())
    return Outcome(len(ended) - failed - skipped, len(jobs) - len(waiting), failed, skipped), runs
