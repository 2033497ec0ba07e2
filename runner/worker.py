"""The fresh process of one job: load, warm up, build, write, and then measure and write every point of the sweep.

It reads a job as one line of JSON from standard input and tells what it does as lines of JSON on standard output;
whatever a library prints goes to standard error instead. `run.run_job` starts it as
`own_process.module_command("runner.worker")`.
"""

import faulthandler
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, cast

import numpy as np

from ..algorithms.index import Index, Unavailable
from ..datasets.distance import distances_to
from ..results.errors import ResultError, UnwritableError
from ..results.run import Point, Run, failed_point
from ..results.store import begin
from ..results.unfinished import add_point
from .answers import check_answers
from .audit import audit
from .conditions import between, look
from .environment import command, environment, libraries
from .floor import measure_floor
from .job import Job
from .lessons import lessons
from .measure import measure
from .memory import peak_bytes, reset_peak, resident_bytes
from .policies import describe_point, policies, search_arguments
from .pristine import Pristine
from .routing import Listed, observe_routing
from .threads import confined_to, limited_to
from .warm_up import warm_up

Tell = Callable[..., None]


def failure(error: Exception) -> tuple[str, str]:
    """Return what stands in the results for an exception: one line, and the status."""
    message = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return message, "memory" if isinstance(error, MemoryError) else "failed"


def _point(
    job: Job, run: Run, pristine: Pristine, index: Index, mode: str, query_parameters: Mapping[str, Any]
) -> tuple[Point, float]:
    # One sweep point, timed first and checked against pristine data afterwards; and its queries per second.
    dataset = pristine.dataset
    threads = 1 if mode == "single" else job.threads
    cores = job.cores[:1] if job.cores and mode == "single" else None
    queries = dataset.test[: job.single_queries] if mode == "single" else dataset.test
    asked: Mapping[str, Any] = {"mode": mode, "threads": threads}
    try:
        arguments = search_arguments(query_parameters)
        with limited_to(threads), confined_to(cores):
            measured = measure(index, queries, job.k, arguments, **asked, repetitions=job.repetitions)
            pristine.refuse_changed()
            found = measured.found
            check_answers(found, dataset.n)
            distances = distances_to(dataset.train, queries, found.ids, dataset.metric)
            slower = audit(index, dataset, run.truth_distances[:, job.k - 1], measured, arguments, **asked)
        point = Point(
            **asked,
            query_parameters=dict(query_parameters),
            ids=found.ids.astype(np.int32, copy=False),
            distances=distances,
            lists_probed=found.probed.astype(np.int64, copy=False),
            points_scanned=found.scanned.astype(np.int64, copy=False),
            seconds=measured.seconds,
            conditions={**measured.conditions, "unseen_queries_slower": slower},
        )
    except Exception as error:  # one failing point must not cost the others
        traceback.print_exc()
        return failed_point(mode, threads, dict(query_parameters), job.k, *failure(error)), 0.0
    return point, len(queries) / float(np.median(measured.seconds.sum(axis=1)))


def _sweep(job: Job, run: Run, pristine: Pristine, index: Index, tell: Tell) -> None:
    # Every point is written when it is done; the runner is told what is going on, to say so should this process die.
    for place in job.places:
        mode, query_parameters = job.sweep[place]
        said = describe_point(query_parameters)
        stage, done, total = f"{mode} queries", place % len(job.points), len(job.points)
        tell("stage", stage=stage, done=done, total=total, remark=said)
        tell("point", place=place, point=f"{mode} {said}".strip())
        point, rate = _point(job, run, pristine, index, mode, query_parameters)
        tell("writing", place=place)
        try:
            add_point(job.result, run, place, point)
        except UnwritableError:
            raise
        except ResultError as error:  # answers of wrong shapes
            point = failed_point(mode, point.threads, dict(query_parameters), job.k, *failure(error))
            add_point(job.result, run, place, point)
        tell("written", place=place)
        remark = f"{said}: {rate:,.0f} queries/s" if point.status == "ok" else f"{said}: {point.message}"
        tell("stage", stage=stage, done=done + 1, total=total, remark=remark.strip(": "))


def work(job: Job, tell: Tell) -> None:
    """Do a job, and leave every part of it in the folder of its unfinished sweep as soon as it is there.

    Parameters
    ----------
    job : Job
    tell : callable
        ``tell(event, **facts)``.
    """

    def progress(stage: str, done: int, total: int, remark: str = "") -> None:
        tell("stage", stage=stage, done=done, total=total, remark=remark)

    algorithm = job.build_algorithm()
    progress("loading", 0, 1, job.dataset_name)
    reset_peak()
    before = resident_bytes()
    pristine = Pristine(job.dataset, job.dataset_sha256)
    dataset = pristine.dataset
    loaded = resident_bytes()
    progress("compiling", 0, 1, "or loading compiled kernels")
    probing = policies(job.points)
    calibrates = any(policy.calibrates for policy in probing)
    compile_seconds = warm_up(algorithm, dataset.metric, dataset.dimension, job.k, job.threads, probing)
    warmed = resident_bytes()
    training, fallback_seconds = lessons(dataset, algorithm, job.seed, job.k, calibrates=calibrates)
    reset_peak()
    began = look()
    with limited_to(job.threads):
        index = algorithm.build(dataset.train, dataset.metric, training, threads=job.threads, progress=progress)
    conditions = between(began, look())
    built = index.built
    # What compiling and importing took is no cost of the index: only the data and the build count.
    peak = peak_bytes() - warmed + (loaded - before)
    notes = dict(built.notes)
    if calibrates and training is not None:
        notes["calibration_source"] = training.source
    if getattr(algorithm, "reads_queries", False):
        notes["codec_knows"] = "rows" if training is None or training.from_train else training.source
    del training
    pristine.refuse_changed()
    truth_distances = distances_to(dataset.train, dataset.test, dataset.neighbors, dataset.metric)
    routing = None
    if "routing" in job.modes:  # before the sweep: should it fail, nothing long is lost with it
        routing = observe_routing(
            cast(Listed, index), dataset.test, dataset.neighbors, job.repetitions, job.threads, progress
        )
    run = Run(
        dataset=job.dataset_name,
        dataset_sha256=job.dataset_sha256,
        metric=dataset.metric,
        synthetic=dataset.synthetic,
        n=dataset.n,
        dimension=dataset.dimension,
        algorithm=job.algorithm,
        parameters=job.parameters,
        k=job.k,
        seed=job.seed,
        threads=job.threads,
        build_seconds=built.build_seconds,
        learn_seconds=built.learn_seconds,
        label_seconds=built.label_seconds + fallback_seconds,
        compile_seconds=compile_seconds,
        index_bytes=index.nbytes,
        router_bytes=index.router_nbytes,
        peak_memory_bytes=max(0, peak),
        train_bytes=dataset.train.nbytes,
        truth_ids=dataset.neighbors,
        truth_distances=truth_distances,
        stored_truth_distances=dataset.distances,
        notes=notes,
        environment={
            **environment(),
            "libraries": libraries(),
            "command": command(),
            "floor": asdict(measure_floor()),
            "conditions_of_the_build": conditions,
        },
        routing=routing,
    )
    tell("writing")
    begin(job.out, run)
    tell("written")
    _sweep(job, run, pristine, index, tell)


def guard() -> None:
    """Have this process's whole group killed as soon as nobody holds the other end of standard input any more."""
    # A process of its own: it must not wait for an interpreter that a kernel keeps busy.
    subprocess.Popen(["/bin/sh", "-c", "read -r _; kill -KILL 0"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main() -> int:
    """Read a job, do it, tell about it."""
    faulthandler.enable(all_threads=False)
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def tell(event: str, **facts: Any) -> None:
        channel.write(json.dumps({"event": event, **facts}) + "\n")
        channel.flush()

    job = Job.from_json(sys.stdin.readline())
    guard()
    try:
        work(job, tell)
    except UnwritableError as error:  # as it would be for every other job
        tell("unwritable", message=str(error))
        return 1
    except Unavailable as error:
        tell("failed", status="skipped", message=" ".join(str(error).split()))
        return 0
    except Exception as error:  # the parent turns it into a row and goes on with the next job
        message, status = failure(error)
        tell("failed", status=status, message=message)
        raise
    tell("finished")
    return 0


if __name__ == "__main__":
    sys.exit(main())
