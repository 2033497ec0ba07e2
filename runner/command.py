"""`ivfbench run`, behind the command line: from an experiment's name to finished result files."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rich.console import Console

from ..results.run import Run
from ..results.store import check_results
from .display import make_display
from .errors import RunError
from .experiment import Experiment, expand_variants, load_experiment
from .plan import fetch_variants, plan
from .run import run_jobs


def available_cores() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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


def run_experiment(
    name: str,
    overrides: Mapping[str, Any],
    pattern: tuple[str, ...],
    *,
    threads: int | None,
    out: Path,
    force: bool,
) -> tuple[int, list[Run]]:
    """Run an experiment and return how many of its jobs failed, and the runs of all, in their order.

    Parameters
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
    force : bool

    Raises
    ------
    RunError, DatasetError
        Before anything is built.
    """
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
    check_folder(out)
    with make_display(Console(stderr=True)) as display:
        described = fetch_variants(experiment.datasets, expand_variants(experiment), display.stage)
        jobs = plan(experiment, described, out=str(out), threads=threads or available_cores(), pattern=pattern)
        outcome, runs = run_jobs(
            jobs,
            {str(item.path): item for item in (measured.description for measured in described)},
            display,
            force=force,
        )
    return outcome.failed, runs
