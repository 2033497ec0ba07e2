"""From an experiment to questions: the curves that two sides are to answer."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...algorithms.routers.router import TrainingQueries
from ...algorithms.value import text
from ...datasets.dataset import Dataset
from ...datasets.load import load
from ...results.compare.sides import Curve
from ...results.probing import probing_name
from ..errors import RunError
from ..experiment import Experiment, expand_variants
from ..job import Job
from ..lessons import lessons
from ..plan import fetch_variants, plan
from ..policies import policies
from .question import Data, Question, write_data


def questions(
    experiment: Experiment,
    folder: Path,
    *,
    threads: int,
    pattern: Sequence[str] = (),
    progress: Callable[[str, int, int, str], None],
) -> list[Question]:
    """Return the curves of an experiment, with its datasets written as plain files below a folder.

    Parameters
    ----------
    experiment
        As `load_experiment` gives it; its repetitions do not count, rounds are added as they are needed.
    folder
        For files that live as long as the comparison.
    threads, pattern
        As for `plan`.
    progress
        What the fetching of datasets tells.

    Raises
    ------
    RunError, DatasetError
        Before anything is built; also where there is nothing to compare.
    """
    described = fetch_variants(experiment.datasets, expand_variants(experiment), progress)
    jobs = plan(experiment, described, out=str(folder), threads=threads, pattern=pattern)
    written: dict[tuple[Any, ...], Data] = {}
    found = []
    for job in jobs:
        for mode in (mode for mode in job.modes if mode != "routing"):
            algorithm = job.build_algorithm()
            calibrates = any(policy.calibrates for policy in policies(job.points))
            reads = calibrates or algorithm.learns or getattr(algorithm, "reads_queries", False)
            key = (job.dataset, text(algorithm), job.seed, job.k, calibrates) if reads else (job.dataset,)
            if key not in written:
                dataset = load(job.dataset)
                given, _ = lessons(dataset, algorithm, job.seed, job.k, calibrates=calibrates)
                written[key] = _data(Path(tempfile.mkdtemp(dir=folder)), dataset, given)
            found += _of_job(job, mode, written[key])
    if not found:
        found_modes = f"experiment {experiment.name}: found only the mode routing"
        raise RunError(f"{found_modes}, expected single or batch to compare")
    return found


def _of_job(job: Job, mode: str, data: Data) -> list[Question]:
    kinds = dict.fromkeys(probing_name(point) for point in job.points)
    threads = 1 if mode == "single" else job.threads
    task = {
        "kind": "ivfbench",
        "parameters": {**job.parameters, **({"seed": job.seed} if hasattr(job.build_algorithm(), "seed") else {})},
        "metric": data.metric,
        "k": job.k,
        "mode": mode,
        "threads": threads,
        "timed": job.single_queries if mode == "single" else None,
        **data.files,
    }
    return [
        Question(
            Curve(data.name, job.algorithm, job.k, mode, threads, job.seed, kind),
            task,
            tuple(point for point in job.points if probing_name(point) == kind),
            data,
        )
        for kind in kinds
    ]


def shown_name(dataset: Dataset) -> str:
    """Return the dataset's name as people must see it, as in the tables of results."""
    return f"{dataset.name} (synthetic)" if dataset.synthetic else dataset.name


def _data(folder: Path, dataset: Dataset, given: TrainingQueries | None) -> Data:
    # Answers are compared for all test queries, whatever the mode; the clock may look at fewer.
    return write_data(
        folder,
        shown_name(dataset),
        dataset.metric,
        np.array(dataset.train),
        np.array(dataset.test),
        np.array(dataset.neighbors),
        None if given is None else (given.queries, given.neighbors),
    )
