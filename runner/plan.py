"""From an experiment to jobs: what is to be built and swept, and what of it is finished already."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from ..algorithms.index import Algorithm
from ..algorithms.kernels.space import METRICS
from ..algorithms.value import parameters, text
from ..datasets.dataset import file_sha256
from ..datasets.derive import derived
from ..datasets.layout import Description
from ..datasets.load import locate, peek
from ..datasets.variant import Variant
from ..results.store import load_run
from .errors import RunError
from .experiment import Experiment, entry_variants, expand
from .job import Job, earlier_result
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
        for algorithm, grid in _algorithms(experiment, variant):
            resolved = algorithm.resolve(description.metric, description.n)
            seen.append(text(resolved))
            if pattern and not any(_matches(text(resolved), glob) for glob in pattern):
                continue
            spelled = {field: value for field, value in parameters(resolved).items() if field != "seed"}
            try:
                points = query_points(resolved, grid)
            except ValueError as error:
                raise RunError(f"experiment {experiment.name} on {name}: {error}") from None
            for k in experiment.k:
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
                        )
                    )
    if not jobs and experiment.modes == ("routing",) and not pattern:
        raise RunError(f"mode routing: found no algorithm with lists among {', '.join(dict.fromkeys(seen))}")
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
        merged[build] = replace(job, points=points + tuple(point for point in job.points if point not in points))
    return list(merged.values())


def _algorithms(experiment: Experiment, variant: Variant) -> Iterator[tuple[Algorithm, Any]]:
    for spelled in experiment.algorithms:
        if variant in entry_variants(spelled, experiment):
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
    if "routing" in job.modes and (run.routing is None or len(run.routing.seconds) < job.repetitions):
        return False
    searched = [mode for mode in job.modes if mode != "routing"]
    return all((mode, json.dumps(dict(point), sort_keys=True)) in have for mode in searched for point in job.points)
