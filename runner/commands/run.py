"""`ivfbench run`: what the command line parses, and what it calls."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ...results.command_options import DEFAULT_OUT, Out
from .table import TABLE, save_results_table


class Mode(StrEnum):
    """How queries are asked."""

    single = "single"
    batch = "batch"
    both = "both"
    routing = "routing"


def run(
    context: typer.Context,
    experiment: Annotated[str, typer.Argument(help="A shipped experiment (quickstart) or a YAML file.")] = "quickstart",
    dataset: Annotated[
        list[str] | None,
        typer.Option(help="Dataset name or path; repeat for several. Default: the experiment's."),
    ] = None,
    algorithm: Annotated[
        list[str] | None,
        typer.Option(help="Only algorithms whose text matches this glob, such as '*Learnt*'; repeat for several."),
    ] = None,
    definitions: Annotated[
        Path | None,
        typer.Option(
            help="Measure the ann-benchmarks algorithms of this folder, DEFINITIONS/*/config.yml, instead of the "
            "experiment's. This runs their code."
        ),
    ] = None,
    k: Annotated[
        list[int] | None,
        typer.Option("-k", "--neighbors", min=1, help="Neighbours to find. Default: the experiment's."),
    ] = None,
    mode: Annotated[
        list[Mode] | None,
        typer.Option(
            help="One query per call on one thread, all in one call, both, or the router alone; repeat for several."
        ),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads of builds and of batches. Default: all cores.")
    ] = None,
    pin: Annotated[
        bool, typer.Option("--pin", help="Keep builds and queries on as many cores as they have threads.")
    ] = False,
    out: Out = DEFAULT_OUT,
    repetitions: Annotated[int | None, typer.Option(min=1, help="Timed passes over the queries, all kept.")] = None,
    single_queries: Annotated[
        int | None, typer.Option(min=0, help="Single mode asks the first so many test queries; 0: all.")
    ] = None,
    seed: Annotated[
        list[int] | None, typer.Option(min=0, help="Seed of clustering and training; repeat for several.")
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(help="Seconds that a build may take, and then each point. Default: the experiment's."),
    ] = None,
    memory: Annotated[
        float | None, typer.Option(help="GB that a build and its sweep may occupy. Default: the experiment's.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force/--resume", help="Measure all again, or go on where the last run ended.")
    ] = False,
    only_failed: Annotated[bool, typer.Option("--only-failed", help="Measure what failed before, no more.")] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Say what would be measured and about how long it takes; builds nothing."),
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for another run that writes to OUT, instead of refusing.")
    ] = False,
    figures: Annotated[bool, typer.Option(help="Draw the figures at the end.")] = True,
) -> None:
    """Build indices, sweep them, and write results, tables and figures.

    Each build runs in a fresh process. What is finished already, for the same data, parameters and code, is kept, point
    by point. What fails or is killed becomes a row that says why, and the rest goes on; what it printed is in OUT/logs.
    """
    from ...results.store import load_runs
    from .. import command
    from ..experiment import load_experiment

    written = load_experiment(experiment)
    chosen: dict[str, Any] = {
        "datasets": tuple(dataset) if dataset else None,
        "k": tuple(k) if k else None,
        "mode": tuple(item.value for item in mode) if mode else None,
        "repetitions": repetitions,
        "seeds": tuple(seed) if seed else None,
        "timeout": timeout,
        "memory": memory,
    }
    overrides = {field: value for field, value in chosen.items() if value is not None}
    if single_queries is not None:
        overrides["single_queries"] = single_queries or None
    if force and only_failed:
        raise typer.BadParameter("--only-failed: found --force too, expected one of them")
    request = command.Request(
        experiment,
        overrides,
        tuple(algorithm or ()),
        threads,
        out,
        force=force,
        only_failed=only_failed,
        definitions=definitions,
    )
    if dry_run:
        typer.echo("\n".join(command.dry_run(request)))
        return
    failed, runs = command.run_experiment(request, wait=wait, pin=pin)
    save_results_table(out, load_runs(out))
    _show_results(runs)
    typer.echo(f"table: {out / TABLE}")
    if figures and any(point.status == "ok" for run in runs for point in run.points):
        context.obj.results(runs, out)
    if written.report and any(run.routing is not None for run in runs):
        context.obj.report(runs, written.report, written.name, out)
    if failed:
        typer.echo(f"{failed} failed: `ivfbench table --failed --out {out}` says why, logs in {out / 'logs'}", err=True)
        raise typer.Exit(1)


def _show_results(runs: list[Any]) -> None:
    from ...results.caption import caption, remarks
    from ...results.comparison import CENTROID, comparison, names_one
    from ...results.render import render
    from ...results.table import table

    frame = table(runs)
    if frame.empty:  # routers were observed alone, without any search
        return
    typer.echo()
    typer.echo(render(frame, "text"))
    baseline = CENTROID if names_one(frame, CENTROID) else None
    typer.echo(render(comparison(frame, (0.8, 0.9, 0.95, 0.99), baseline), "text"))
    typer.echo(" ".join([caption(frame), *remarks(runs)]) + "\n")
