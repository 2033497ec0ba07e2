"""From an experiment to jobs: what is to be built and swept, and what of it is finished already."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, cast

from ..algorithms.index import Algorithm
from ..algorithms.kernels.space import METRICS
from ..algorithms.value import parameters, text
from ..datasets.dataset import file_sha256
from ..datasets.derive import derived
from ..datasets.layout import Description
from ..datasets.load import locate, peek
from ..datasets.variant import Variant
from ..results.run import FAILURES, Point, Run
from ..results.unfinished import setting
from .definitions import Folder, expand_definitions
from .environment import changed_libraries
from .errors import RunError
from .experiment import Experiment, entry_variants, expand
from .job import Job, earlier_run
from .query_grid import query_points

LARGE = 2**28  # bytes of a dataset whose check takes long enough to be told


def fetch(name_or_path: str, progress: Callable[[str, int, int, str], None]) -> Description:
    """Make sure that a dataset is there and sound, and describe it; its vectors are read by another process."""

    def brought(done: int, total: int | None) -> None:
        progress(f"getting {name_or_path}", done, total or 0, "")

    if locate(name_or_path, progress=brought).stat().st_size > LARGE:
        progress(f"checking {name_or_path}", 0, 1, "all of it, in a process of its own")
    return peek(name_or_path, whole=True)


class Measured(NamedTuple):
    """A dataset, in one variant, under the name that messages give it."""

    name: str
    description: Description
    variant: Variant = Variant()


def fetch_variants(
    names_or_paths: Sequence[str], variants: Sequence[Variant], progress: Callable[[str, int, int, str], None]
) -> list[Measured]:
    """Make sure that every dataset is there in every variant, and describe each under its name.

    All datasets are fetched and all variants checked against them before any is derived.

    Raises
    ------
    DatasetError
        A dataset that cannot be had, or has too little for a variant.
    """
    sources = [(name, fetch(name, progress)) for name in names_or_paths]
    for variant in variants:
        for _, source in sources:
            variant.check(source)
    described: list[Measured] = []
    for name, source in sources:
        for variant in variants:
            shown = f"{source.name}[{variant}]"

            def searched(done: int, total: int | None, shown: str = shown) -> None:
                progress(f"deriving {shown}", done, total or 0, "queries searched")

            changed = source if variant.changes_nothing else derived(name, variant, progress=searched)
            described.append(Measured(name if variant.changes_nothing else shown, changed, variant))
    return described


def plan(
    experiment: Experiment,
    descriptions: Sequence[tuple[str, Description] | Measured],
    *,
    out: str,
    threads: int,
    pattern: Sequence[str] = (),
    definitions: list[Folder] | None = None,
) -> list[Job]:
    """Return the jobs of an experiment: datasets × k × seeds × algorithms, each once however often it is named.

    Parameters
    ----------
    experiment : Experiment
    descriptions : sequence of (name or path, Description)
        The datasets, described; a third part says in which variant, by default in none.
    out : str
        Folder of results.
    threads : int
    pattern : sequence of str
        Keep only algorithms whose canonical text matches one of these globs, whatever the case; none: keep all.
    definitions : list of Folder, optional
        To measure instead of the experiment's algorithms.

    Raises
    ------
    RunError
        A metric that no algorithm knows, k above what the ground truth holds, or a pattern that matches nothing.
    """
    jobs, seen = [], []
    for name, description, variant in (Measured(*item) for item in descriptions):
        if description.metric not in METRICS:
            raise RunError(f"{name}: found metric {description.metric!r}, expected one of {', '.join(METRICS)}")
        for k in experiment.k:
            if k > description.neighbors:
                held = f"the ground truth holds {description.neighbors} neighbours of each query"
                raise RunError(f"{name}: {held}, expected at least k = {k}")
        digest = file_sha256(description.path)
        for resolved, points, wanted in _sweeps(experiment, definitions, description, variant):
            seen.append(text(resolved))
            if pattern and not any(_matches(text(resolved), glob) for glob in pattern):
                continue
            spelled = {field: value for field, value in parameters(resolved).items() if field != "seed"}
            for k in wanted:
                if not (modes := _modes(experiment, resolved, k)):
                    continue
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
                            modes=modes,
                            points=points,
                            repetitions=experiment.repetitions,
                            single_queries=experiment.single_queries,
                            out=out,
                            timeout=experiment.timeout,
                            memory=experiment.memory,
                        )
                    )
    if not jobs and experiment.modes == ("routing",) and not pattern:
        raise RunError(f"mode routing: found no algorithm with lists among {', '.join(dict.fromkeys(seen))}")
    if not seen and definitions is not None:
        raise RunError("--definitions: every entry is disabled or has no arguments, expected at least one to measure")
    if not jobs:
        known = ", ".join(dict.fromkeys(seen))
        raise RunError(f"--algorithm {' '.join(pattern)}: matches none of {known}")
    jobs = _merged(jobs)
    if experiment.shuffle:
        random.Random(experiment.seeds[0]).shuffle(jobs)
    return jobs


def _modes(experiment: Experiment, algorithm: Algorithm, k: int) -> tuple[str, ...]:
    # Routing needs lists, and looks at all neighbours of the truth whatever k is: the first k's build serves all.
    routed = hasattr(algorithm, "clustering") and k == experiment.k[0]
    return tuple(mode for mode in experiment.modes if mode != "routing" or routed)


def _merged(jobs: Sequence[Job]) -> list[Job]:
    # One job for each build: spellings that resolve to the same algorithm share its sweep.
    merged: dict[str, Job] = {}
    for job in jobs:
        build = replace(job, points=()).to_json()
        points = merged[build].points if build in merged else ()
        known = {setting("", point) for point in points}  # not by ==, to which 1 and True are one
        new = tuple(point for point in job.points if setting("", point) not in known)
        merged[build] = replace(job, points=points + new)
    return list(merged.values())


def _sweeps(
    experiment: Experiment, definitions: list[Folder] | None, description: Description, variant: Variant
) -> Iterator[tuple[Algorithm, tuple[Mapping[str, Any], ...], tuple[int, ...]]]:
    # Each algorithm with its sweep points, and the values of k that it is built for.
    if definitions is not None:
        for k in experiment.k:  # which the arguments of a definition may name
            for definition, points in expand_definitions(definitions, description.metric, description.dimension, k):
                yield cast(Algorithm, definition), points, (k,)
        return
    for spelled in experiment.algorithms:
        if variant in entry_variants(spelled, experiment):
            for algorithm, grid in expand(spelled):
                resolved = algorithm.resolve(description.metric, description.n)
                try:
                    points = query_points(resolved, grid)
                except ValueError as error:
                    raise RunError(f"experiment {experiment.name} on {description.name}: {error}") from None
                yield resolved, points, experiment.k


def _takes_seed(algorithm: Algorithm) -> bool:
    return hasattr(algorithm, "seed")


def _matches(canonical: str, glob: str) -> bool:
    return fnmatchcase(canonical.lower(), glob.lower()) or fnmatchcase(canonical.lower(), f"*{glob.lower()}*")


def divided(
    jobs: Sequence[Job], code: str, *, force: bool = False, only_failed: bool = False
) -> tuple[list[tuple[Job, Job]], int]:
    """Return the jobs that have something left to do, each with what is left, and how many are finished.

    Parameters
    ----------
    jobs : sequence of Job
    code, force, only_failed
        As of `remaining`. With `only_failed` a job that was never begun is neither.
    """
    left = [(job, remaining(job, code, force=force, only_failed=only_failed)) for job in jobs]
    waiting = [(job, rest) for job, rest in left if rest is not None]
    return waiting, sum(rest is None and (not only_failed or earlier_run(job) is not None) for job, rest in left)


def remaining(job: Job, code: str, *, force: bool = False, only_failed: bool = False) -> Job | None:
    """Return the job without what was done before, or None where nothing is left to do.

    Parameters
    ----------
    job : Job
    code : str
        The present code's digest: what other code measured counts for nothing.
    force : bool
        Whatever was done is to be done again.
    only_failed : bool
        Only builds that failed, and points.
    """
    run = earlier_run(job)
    if only_failed and run is None:
        return None
    if only_failed and run is not None and run.status == "ok":
        lost = {_setting(point) for point in run.points if point.status in FAILURES}
        if lost and not _comparable(run, code):
            return job  # the others would not be comparable
        left = tuple(place for place, (mode, point) in enumerate(job.sweep) if setting(mode, point) in lost)
        return _narrowed(job, left, routed=True)
    if only_failed and run is not None and run.status not in FAILURES:
        return None
    if force or run is None or run.status != "ok" or not _comparable(run, code):
        return job
    have = _measured(job, run)
    left = tuple(place for place, (mode, point) in enumerate(job.sweep) if setting(mode, point) not in have)
    return _narrowed(job, left, routed=run.routing is not None and len(run.routing.seconds) >= job.repetitions)


def _comparable(run: Run, code: str) -> bool:
    # Measured by the present code with the present versions of every library that it used.
    return run.environment.get("code") == code and not changed_libraries(run.environment)


def _narrowed(job: Job, left: tuple[int, ...], routed: bool) -> Job | None:
    if "routing" in job.modes and routed:
        job = replace(job, modes=tuple(mode for mode in job.modes if mode != "routing"))
    return replace(job, left=left) if left or "routing" in job.modes else None


def _measured(job: Job, run: Run) -> set[tuple[str, str]]:
    # The settings of the points that are as this job would measure them.
    test_queries = len(run.truth_ids)
    wanted = {"single": min(test_queries, job.single_queries or test_queries), "batch": test_queries}
    return {
        _setting(point)
        for point in run.points
        if point.status == "ok" and len(point.seconds) >= job.repetitions and len(point.ids) == wanted[point.mode]
    }


def _setting(point: Point) -> tuple[str, str]:
    return setting(point.mode, point.query_parameters)
