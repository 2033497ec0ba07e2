"""`ivfbench run`, behind the command line: from an experiment's name to finished result files."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rich.console import Console

from ..results.run import Run
from ..results.store import check_results, load_runs
from .definitions import Folder, read_definitions
from .display import Bars, Lines, make_display
from .dry_run import describe_work
from .environment import code_digest
from .errors import RunError
from .experiment import Experiment, expand_variants, load_experiment
from .job import Job
from .lock import locked, refuse_if_held
from .plan import Measured, divided, fetch_variants, plan
from .processor import usable_cores
from .run import run_jobs
from .threads import choose_cores


def check_folder(out: Path) -> None:
    """Raise RunError or ResultError unless results can be written to a folder, which need not exist yet."""
    # Before anything is fetched or built, and without making it: a wrong name elsewhere must leave nothing behind.
    nearest = next(path for path in (out, *out.parents) if path.exists() or path.is_symlink())
    if not nearest.exists():
        raise RunError(
            f"{nearest}: is a link to {nearest.readlink()}, which does not exist, expected a folder for results"
        )
    if not nearest.is_dir():
        raise RunError(f"{nearest}: is a file, expected a folder for results")
    try:
        with tempfile.TemporaryFile(dir=nearest):  # permissions alone do not tell: the disk may be read-only
            pass
    except OSError as error:
        raise RunError(f"{nearest}: cannot be written to ({error.strerror}), expected a folder for results") from None
    if out.is_dir():
        check_results(out)


@dataclass(frozen=True)
class Request:
    """What shall be measured.

    Attributes
    ----------
    name : str
        A shipped experiment or a YAML file.
    overrides : mapping
        Fields of `Experiment` that replace the file's.
    pattern : tuple of str
        Globs over canonical texts.
    threads : int or None
        None: all cores.
    out : Path
        Folder of results.
    force : bool
        Measure again what is finished.
    only_failed : bool
        Measure nothing but what failed before.
    definitions : Path or None
        A folder of ann-benchmarks algorithms, whose code is run, to measure instead of the experiment's.
    """

    name: str
    overrides: Mapping[str, Any]
    pattern: tuple[str, ...]
    threads: int | None
    out: Path
    force: bool = False
    only_failed: bool = False
    definitions: Path | None = None


def run_experiment(request: Request, *, wait: bool = False, pin: bool = False) -> tuple[int, list[Run]]:
    """Run an experiment and return how many of its jobs failed, and the runs of all, in their order.

    Parameters
    ----------
    request : Request
    wait : bool
        For another runner that writes to the same folder, instead of refusing.
    pin : bool
        Keep each worker on cores of its own, as many as it has threads.

    Raises
    ------
    RunError, DatasetError
        Before anything is built.
    StoppedError
        The results cannot be written any more.
    """
    experiment, folders = _read(request)
    cores = choose_cores(request.threads or len(usable_cores())) if pin else None
    check_folder(request.out)
    if not wait:
        refuse_if_held(request.out)
    with make_display(Console(stderr=True)) as display:
        described, jobs = _planned(request, experiment, folders, display)
        jobs = [replace(job, cores=cores) for job in jobs]
        with locked(request.out, wait=wait, say=display.say):
            outcome, runs = run_jobs(
                jobs,
                {str(item.path): item for item in (measured.description for measured in described)},
                display,
                force=request.force,
                only_failed=request.only_failed,
            )
    return outcome.failed, runs


def dry_run(request: Request) -> list[str]:
    """Return what `run_experiment` would do, in lines; datasets are fetched, nothing is built.

    Raises
    ------
    RunError, DatasetError
        As `run_experiment` does.
    """
    experiment, folders = _read(request)
    check_folder(request.out)
    with make_display(Console(stderr=True)) as display:
        _, jobs = _planned(request, experiment, folders, display)
    code = code_digest()
    waiting, kept = divided(jobs, code, force=request.force, only_failed=request.only_failed)
    earlier = load_runs(request.out) if request.out.is_dir() else []
    return list(describe_work([left for _, left in waiting], kept, earlier))


def _read(request: Request) -> tuple[Experiment, list[Folder] | None]:
    experiment = _experiment(request.name, request.overrides)
    return experiment, None if request.definitions is None else read_definitions(request.definitions)


def _experiment(name: str, overrides: Mapping[str, Any]) -> Experiment:
    experiment = load_experiment(name)
    try:
        chosen = {**experiment.model_dump(), **overrides}
        if "mode" in overrides and "routing" not in overrides["mode"]:
            chosen["report"] = None  # reports are made of the mode that was just left out
        experiment = Experiment.model_validate(chosen)
    except ValidationError as error:
        raise RunError(f"{error.errors()[0]['loc'][0]}: {error.errors()[0]['msg'].lower()}") from None
    if not experiment.datasets:
        raise RunError(f"experiment {name}: names no datasets, expected some there or --dataset NAME_OR_PATH")
    return experiment


def _planned(
    request: Request, experiment: Experiment, folders: list[Folder] | None, display: Bars | Lines
) -> tuple[list[Measured], list[Job]]:
    described = fetch_variants(experiment.datasets, expand_variants(experiment), display.stage)
    jobs = plan(
        experiment,
        described,
        out=str(request.out),
        threads=request.threads or len(usable_cores()),
        pattern=request.pattern,
        definitions=folders,
    )
    return described, jobs
