"""The runner: jobs become fresh processes, processes leave result files.

What is finished already (same data, same parameters, same code) is not done again. A build that fails becomes a row
with the reason, whatever ended it, and so does a point of a sweep: the others go on, after a crash in a new process. An
algorithm that says that it cannot be measured here, for want of its library or of a metric, becomes a row with status
``skipped``, and no process is started for it.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from ..datasets.layout import Description
from ..results.errors import ResultError, UnwritableError
from ..results.run import FAILURES, Run, failed_point
from ..results.store import clear_leftovers, fold, load_run, save_run, set_aside, whole
from ..results.unfinished import add_point, load_sweep, same_code, setting
from .child import Ending, Event, attend
from .environment import code_digest, environment
from .errors import RunError, StoppedError
from .job import Job, earlier_result
from .plan import divided, remaining


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

    def say(self, line: str) -> None:
        """Something that people should know."""


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


def _without_build(job: Job, description: Description, status: str, message: str, peak_bytes: int = 0) -> Run:
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
        peak_memory_bytes=peak_bytes,
        train_bytes=4 * description.n * description.dimension,
        truth_ids=np.empty((0, width), dtype=np.int32),
        truth_distances=np.empty((0, width), dtype=np.float64),
        stored_truth_distances=np.empty((0, width), dtype=np.float32),
        environment=environment(),
        status=status,
        message=message,
    )


def _unavailable(job: Job, description: Description) -> str:
    # Why an algorithm cannot be measured here, in its own words; empty where it can, or does not say.
    with suppress(ValueError):  # what cannot even be spelled fails in its process, with all that is to be said of it
        algorithm = job.build_algorithm()
        if hasattr(algorithm, "unavailable"):
            return str(algorithm.unavailable(description.metric, description.dimension))
    return ""


def _stored(job: Job, run: Run) -> Run:
    # A run without a build never replaces a measurement by the same code, and sets one by other code aside where it
    # failed: the table must not show that code's numbers for this one's.
    path = earlier_result(job)
    earlier = whole(path) if path else None
    if path and earlier and earlier.status == "ok":
        if run.status not in FAILURES or same_code(earlier, run):
            return run
        set_aside(path)
    save_run(job.out, run)
    return run


class _Sitting:
    """What the processes of one job have done so far."""

    def __init__(self, job: Job, display: Display) -> None:
        self.display = display
        self.left = list(job.places)
        self.begin()

    def begin(self) -> None:
        """A new process begins."""
        self.built = False
        self.present: int | None = None  # the point that is being measured
        self.progressed = False

    def hear(self, event: Event) -> None:
        """Follow a worker."""
        kind = event["event"]
        if kind == "stage":
            self.display.stage(event["stage"], event["done"], event["total"], event["remark"])
        elif kind == "point":
            self.present = event["place"]
        elif kind == "written":
            self.built, self.present = True, None
            if "place" in event:  # it was no build
                self.progressed = True
                self.left.remove(event["place"])
        elif kind == "unwritable":
            raise UnwritableError(event["message"])

    def lost(self) -> list[int]:
        """The points that are lost with the process: all that are left, where it could not even build the index."""
        if not self.built:
            return self.left[:]
        if self.present is not None:
            return [self.present]
        return [] if self.progressed else self.left[:1]  # between two points; but whoever goes on must get further


def run_job(job: Job, description: Description, display: Display) -> Run:
    """Do one job in fresh processes and return its run, as it stands in the results but for what failed just now.

    A process that dies in a point of the sweep is followed by another one, which builds the index again and goes on
    with the next point.
    """
    why = _unavailable(job, description)
    if why:
        return _stored(job, _without_build(job, description, "skipped", why))
    fold(job.result)
    _begin_log(job)
    sitting, peak = _Sitting(job, display), 0
    try:
        while True:
            built = load_sweep(job.result) is not None
            sitting.begin()
            now = replace(job, left=tuple(sitting.left), modes=_modes(job, built))
            ending = attend(now.to_json(), job.threads, job.log, job.timeout, job.memory, sitting.hear, job.cores)
            peak = max(peak, ending.peak_bytes)
            if ending.status == "ok" or not _fail_points(job, sitting, ending):
                break
    except BaseException:
        with suppress(ResultError):  # where nothing can be written, it is for the next command
            fold(job.result)
        raise
    finally:
        if not job.log.stat().st_size:
            job.log.unlink()
    lost = load_sweep(job.result)
    if lost is None:
        fold(job.result)  # of which nothing came
        return _stored(job, _without_build(job, description, ending.status, ending.message, peak))
    run = fold(job.result, {"watched_peak_bytes": peak, **_limits(job)})
    assert run is not None
    failures = {setting(point.mode, point.query_parameters): point for point in lost.points if point.status != "ok"}
    points = (failures.get(setting(point.mode, point.query_parameters), point) for point in run.points)
    return replace(run, points=tuple(points))


def _modes(job: Job, built: bool) -> tuple[str, ...]:
    # Where the index is built again, the router was observed before.
    return tuple(mode for mode in job.modes if mode != "routing" or not built)


def _limits(job: Job) -> dict[str, float]:
    limits = {"time_limit_seconds": job.timeout, "memory_limit_gigabytes": job.memory}
    return {name: limit for name, limit in limits.items() if limit is not None}


def _fail_points(job: Job, sitting: _Sitting, ending: Ending) -> bool:
    # Returns whether others remain to be measured.
    build = load_sweep(job.result)
    if build is None:
        return False
    written = {setting(point.mode, point.query_parameters) for point in build.points}
    lost = sitting.lost()
    for place in lost:
        mode, query_parameters = job.sweep[place]
        sitting.left.remove(place)
        if setting(mode, query_parameters) not in written:  # it may have died between writing it and saying so
            threads = 1 if mode == "single" else job.threads
            point = failed_point(mode, threads, dict(query_parameters), job.k, ending.message, ending.status)
            add_point(job.result, build, place, point)
    return bool(sitting.left)


def _begin_log(job: Job) -> None:
    try:
        job.log.parent.mkdir(parents=True, exist_ok=True)
        job.log.write_bytes(b"")
    except OSError as error:
        raise UnwritableError(f"{job.log}: cannot be written: {error.strerror}") from error


def _finished(job: Job) -> Run:
    path = earlier_result(job)
    if path is None:
        raise RunError(f"{job.out}: the result of {job.algorithm} vanished while the run was going on")
    return load_run(path)


def run_jobs(
    jobs: Sequence[Job],
    descriptions: dict[str, Description],
    display: Display,
    *,
    force: bool = False,
    only_failed: bool = False,
) -> tuple[Outcome, list[Run]]:
    """Do all jobs, one after the other: nothing else is running while one is timed.

    Where the results cannot be written any more, nothing else is begun.

    Parameters
    ----------
    jobs : sequence of Job
    descriptions : mapping of path to Description
    display : Display
    force : bool
        Do finished jobs again.
    only_failed : bool
        Do nothing but what failed before; jobs that were never begun are left out of the runs that are returned.

    Returns
    -------
    outcome : Outcome
    runs : list of Run
        Of all jobs, in their order.

    Raises
    ------
    StoppedError
        The disk is full, or refuses: what was finished is kept.
    """
    try:
        return _run_jobs(jobs, descriptions, display, force, only_failed)
    except UnwritableError as error:
        raise StoppedError(f"{error}; what was finished is kept, the same command goes on from there") from error


def _run_jobs(
    jobs: Sequence[Job], descriptions: dict[str, Description], display: Display, force: bool, only_failed: bool
) -> tuple[Outcome, list[Run]]:
    code = code_digest()
    for job in jobs:
        fold(job.result)  # what a killed run left behind
    for out in {job.out for job in jobs}:
        clear_leftovers(out)
    waiting, kept = divided(jobs, code, force=force, only_failed=only_failed)
    display.plan([job for job, _ in waiting], kept)
    ended: dict[str, Run] = {}
    try:
        for place, (job, left) in enumerate(waiting):
            display.begin(job, waiting[place + 1][0] if place + 1 < len(waiting) else None)
            run = run_job(left, descriptions[job.dataset], display)
            ended[job.to_json()] = run
            display.end(job, run)
    except KeyboardInterrupt:
        display.say(_still_to_do([job for job, _ in waiting[len(ended) :]], code, force))
        raise
    known = [job for job in jobs if not only_failed or job.to_json() in ended or earlier_result(job)]
    runs = [ended.get(job.to_json()) or _finished(job) for job in known]
    skipped = sum(run.status == "skipped" for run in ended.values())
    failed = sum(_failed(run) for run in ended.values())
    return Outcome(len(ended) - failed - skipped, kept, failed, skipped), runs


def _failed(run: Run) -> bool:
    return run.status in FAILURES or any(point.status != "ok" for point in run.points)


def _still_to_do(jobs: Sequence[Job], code: str, force: bool) -> str:
    # With --force what was measured now counts, since nothing says what was measured before.
    present = jobs[0] if force else remaining(jobs[0], code) or jobs[0]
    done = len(jobs[0].sweep) - len(present.places)
    begun = f", the first with {done} of its {len(jobs[0].sweep)} points done" if done else ""
    return f"left: {len(jobs)} to build and sweep{begun}"
