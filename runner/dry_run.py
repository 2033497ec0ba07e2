"""What a run would do, and about how long that would take, from what earlier runs took."""

from collections.abc import Iterator, Sequence

import numpy as np

from ..results.run import Run
from ..results.unfinished import setting
from .display import describe_job
from .job import Job


def describe_work(waiting: Sequence[Job], finished: int, runs: Sequence[Run]) -> Iterator[str]:
    """Yield one line for each job that is to be done, and one on all of them.

    Parameters
    ----------
    waiting : sequence of Job
        What is left of them (`plan.remaining`).
    finished : int
        Jobs of which nothing is left.
    runs : sequence of Run
        Earlier ones, whatever they measured.
    """
    total, unknown = 0.0, 0
    for job in waiting:
        seconds = estimate(job, runs)
        total, unknown = total + (seconds or 0.0), unknown + (seconds is None)
        told = "no earlier run of it" if seconds is None else f"about {duration(seconds)}"
        asked = [f"{len(job.places)} sweep points"] if job.places else []
        asked += ["routing"] if "routing" in job.modes else []
        yield f"{describe_job(job)}: {', '.join(['build', *asked])}: {told}"
    points = sum(len(job.places) for job in waiting)
    known = f"; about {duration(total)}" if len(waiting) > unknown else ""
    beside = f" and {unknown} that no earlier run tells of" if known and unknown else ""
    yield f"{len(waiting)} to build, {points} sweep points, {finished} finished before{known}{beside}"


def estimate(job: Job, runs: Sequence[Run]) -> float | None:
    """Return the seconds that a job may take: those of the most similar run of its algorithm on its data, or None.

    A point that no run has measured counts as much as the mean of those in its mode.
    """
    alike = [
        run
        for run in runs
        if run.status == "ok" and (run.algorithm, run.dataset_sha256) == (job.algorithm, job.dataset_sha256)
    ]
    if not alike:
        return None
    run = min(alike, key=lambda run: (run.threads != job.threads, run.k != job.k, run.seed != job.seed))
    once = {
        setting(point.mode, point.query_parameters): float(np.mean(point.seconds.sum(axis=1)))
        for point in run.points
        if point.status == "ok"
    }
    means = {mode: float(np.mean([taken for (other, _), taken in once.items() if other == mode])) for mode, _ in once}
    asked = [job.sweep[place] for place in job.places]
    swept = [once.get(setting(mode, point), means.get(mode, 0.0)) for mode, point in asked]
    building = run.build_seconds + run.learn_seconds + run.label_seconds + run.compile_seconds
    return building + job.repetitions * sum(swept)


def duration(seconds: float) -> str:
    """Return seconds as people say them: ``40 s``, ``3 min``, ``2.5 h``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
