"""Progress for people: what is running, how far it is, and what comes next.

On a terminal, bars; elsewhere (a log, a pipe) one line when a stage begins or ends, so that nothing is drawn twice.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from ..results.run import Run
from .job import Job


def describe_job(job: Job) -> str:
    """Return what a job is, in one short line."""
    return f"{job.algorithm} on {job.dataset_name}, k={job.k}, seed {job.seed}"


def summarise(run: Run) -> str:
    """Return what a finished build cost, in one line."""
    if run.status != "ok":
        return f"{run.status}: {run.message}"
    failed = sum(point.status != "ok" for point in run.points)
    learnt = f" + {run.learn_seconds:.1f} s learning" if run.learn_seconds else ""
    labelled = f" + {run.label_seconds:.1f} s labelling" if run.label_seconds >= 0.05 else ""
    peak = run.peak_memory_bytes / max(1, run.train_bytes)
    return (
        f"built in {run.build_seconds:.1f} s{learnt}{labelled} (compiling {run.compile_seconds:.1f} s), "
        f"index {run.index_bytes / 1e6:.1f} MB, peak memory {peak:.2f}× the vectors, "
        f"{len(run.points)} points"
        + (f", {failed} failed" if failed else "")
        + (", routing" if run.routing is not None else "")
        + "".join(f"; warning: {warning}" for warning in run.notes.get("warnings", ()))
    )


class Lines:
    """One line for each beginning and end: for logs."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.total = self.place = 0
        self.stage_name = self.latest = ""

    def __enter__(self) -> "Lines":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def plan(self, jobs: Sequence[Job], finished: int) -> None:
        """Say how much there is to do."""
        self._flush()
        self.total = len(jobs)
        kept = f", {finished} finished before and kept (--force does them again)" if finished else ""
        self._say(f"{len(jobs)} to build and sweep{kept}")

    def begin(self, job: Job, following: Job | None) -> None:
        """Say what begins, and what comes next."""
        self.place += 1
        self.stage_name = ""
        self._say(f"[{self.place}/{self.total}] {describe_job(job)}")
        if following is not None:
            self._say(f"    next: {describe_job(following)}")

    def stage(self, stage: str, done: int, total: int, remark: str) -> None:
        """Say that a stage begins or ends."""
        if stage != self.stage_name:
            self._flush()
            self.stage_name = stage
        self.latest = f"    {stage} {done}/{total} {remark}".rstrip()
        if done == 0:
            self._flush()

    def end(self, job: Job, run: Run) -> None:
        """Say how a job ended."""
        self._flush()
        self._say(f"    {summarise(run)}")

    def say(self, line: str) -> None:
        """Say something else."""
        self._flush()
        self._say(line)

    def _flush(self) -> None:
        # The latest state of a stage, once.
        if self.latest:
            self._say(self.latest)
        self.latest = ""

    def _say(self, line: str) -> None:
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)


class Bars:
    """Two bars, jobs and the stage of the present one, with the next job below: for terminals."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[remark]}", markup=False),
            console=console,
        )
        self.jobs: TaskID | None = None
        self.present: TaskID | None = None
        self.place = 0
        self.began = 0.0

    def __enter__(self) -> "Bars":
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def plan(self, jobs: Sequence[Job], finished: int) -> None:
        """Show how much there is to do."""
        if finished:
            self.say(f"{finished} finished before and kept (--force does them again)")
        if self.present is not None:
            self.progress.remove_task(self.present)
            self.present = None
        if jobs:
            self.jobs = self.progress.add_task("all", total=len(jobs), remark="")
            self.present = self.progress.add_task("", total=1, remark="")

    def begin(self, job: Job, following: Job | None) -> None:
        """Show what begins, and what comes next."""
        self.place += 1
        self.began = time.monotonic()
        self.say(f"{self.place}. {describe_job(job)}")
        if self.jobs is not None:
            self.progress.update(self.jobs, remark=f"next: {following.algorithm}" if following else "the last one")

    def stage(self, stage: str, done: int, total: int, remark: str) -> None:
        """Move the bar of the present stage."""
        if self.present is None:
            self.present = self.progress.add_task("", total=1, remark="")
        self.progress.update(self.present, description=stage, completed=done, total=total or None, remark=remark)

    def end(self, job: Job, run: Run) -> None:
        """Show how a job ended."""
        self.say(f"   {summarise(run)} [{time.monotonic() - self.began:.0f} s in all]")
        if self.jobs is not None:
            self.progress.advance(self.jobs)

    def say(self, line: str) -> None:
        """Print a line above the bars."""
        self.progress.console.print(line, markup=False, highlight=False)


def make_display(console: Console) -> Bars | Lines:
    """Return bars for a terminal, lines for anything else."""
    return Bars(console) if console.is_terminal else Lines(console)


@contextmanager
def byte_progress(what: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show a bar for work that counts itself, and yield the function that it reports to, ``(done, total or None)``."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}", markup=False), BarColumn(bar_width=24), TaskProgressColumn(),
        TimeElapsedColumn(), console=console, disable=not console.is_terminal,
    ) as progress:  # fmt: skip
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
