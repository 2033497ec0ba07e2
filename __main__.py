"""The command line: it parses and calls, and turns every error of ours into one line.

Rooms are imported inside the commands that enter them, so that ``--help`` answers at once.
"""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from . import __version__
from .runner.compare_commands import Figures, register
from .runner.datasets_commands import datasets_app
from .runner.doctor_command import doctor
from .runner.export_commands import DEFAULT_OUT, Datasets, Out, export_app

# The base of everything a user can get wrong; typer brings its own click, or uses the installed one, by version.
UsageProblem: Any = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")

TABLE = "results.parquet"
STOPPED = 130
CENTROID = "*, Centroid(*"  # the router that others are compared with where it is the only one of its kind

app = typer.Typer(
    name="ivfbench",
    help="Measure inverted-file indices and the ways to route in them: recall against queries per second.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(datasets_app, name="datasets")
app.add_typer(export_app, name="export")
register(app)
app.command()(doctor)


class Mode(StrEnum):
    """How queries are asked."""

    single = "single"
    batch = "batch"
    both = "both"
    routing = "routing"


class ReportKind(StrEnum):
    """What a report is about."""

    site = "site"
    thesis = "thesis"
    routers = "routers"
    open_questions = "open-questions"


class Facet(StrEnum):
    """What becomes a panel instead of a figure."""

    dataset = "dataset"


class RecallAxis(StrEnum):
    """How the axis of recall is scaled."""

    linear = "linear"
    logit = "logit"
    nines = "nines"


class FigureWidth(StrEnum):
    """How wide a figure is in print."""

    single = "single"
    double = "double"


class TableFormat(StrEnum):
    """How a table is written."""

    text = "text"
    csv = "csv"
    markdown = "markdown"
    latex = "latex"
    parquet = "parquet"


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ivfbench {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    context.obj = Figures(_draw_fronts, _draw_history)


def _draw_fronts(*asked: Any) -> Path:
    from .plots.compared_fronts import draw_compared_fronts

    return draw_compared_fronts(*asked)


def _draw_history(*asked: Any) -> Path:
    from .plots.history import draw_history

    return draw_history(*asked)


@app.command()
def run(
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
    from .results.store import load_runs
    from .runner import command
    from .runner.experiment import load_experiment

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
    asked: Any = {
        "threads": threads,
        "out": out,
        "force": force,
        "only_failed": only_failed,
        "definitions": definitions,
    }
    if dry_run:
        typer.echo("\n".join(command.dry_run(experiment, overrides, tuple(algorithm or ()), **asked)))
        return
    failed, runs = command.run_experiment(experiment, overrides, tuple(algorithm or ()), wait=wait, pin=pin, **asked)
    _save_table(out, load_runs(out))
    _show_results(runs)
    typer.echo(f"table: {out / TABLE}")
    if figures and any(point.status == "ok" for run in runs for point in run.points):
        _draw(runs, out, [], ("pdf", "svg", "png"), out / "figures")
    if written.report and any(run.routing is not None for run in runs):
        _report(runs, written.report, written.name, out)
    if failed:
        typer.echo(f"{failed} failed: `ivfbench table --failed --out {out}` says why, logs in {out / 'logs'}", err=True)
        raise typer.Exit(1)


def _show_results(runs: list[Any]) -> None:
    from .results.caption import caption, remarks
    from .results.comparison import comparison, names_one
    from .results.render import render
    from .results.table import table

    frame = table(runs)
    if frame.empty:  # routers were observed alone, without any search
        return
    typer.echo()
    typer.echo(render(frame, "text"))
    baseline = CENTROID if names_one(frame, CENTROID) else None
    typer.echo(render(comparison(frame, (0.8, 0.9, 0.95, 0.99), baseline), "text"))
    typer.echo(" ".join([caption(frame), *remarks(runs)]) + "\n")


def _some(out: Path, runs: list[Any]) -> list[Any]:
    from .results.errors import ResultError

    if not runs:
        raise ResultError(f"{out}: found no results, expected some (ivfbench run --out {out})")
    return runs


def _save_table(out: Path, runs: list[Any], must: bool = True) -> Any:
    from .results.errors import ResultError
    from .results.table import save_table, table

    frame = table(runs)
    try:
        save_table(out, frame)
    except (OSError, ResultError) as error:  # results on read-only media can be looked at
        if must:
            raise ResultError(f"{out / TABLE}: cannot be written: {error}") from None
    return frame


@app.command()
def table(
    out: Out = DEFAULT_OUT,
    format: Annotated[TableFormat, typer.Option(help="How to write it.")] = TableFormat.text,
    at_recall: Annotated[
        str | None,
        typer.Option(help="Interpolate each front at these recalls, such as 0.9,0.95,0.99, never beyond its ends."),
    ] = None,
    relative_to: Annotated[
        str | None,
        typer.Option(
            help="With --at-recall: ratios to the algorithm that matches this glob, or to best-peer, the fastest of "
            "other libraries at each recall."
        ),
    ] = None,
    builds: Annotated[
        bool, typer.Option("--builds", help="One row per build instead: costs, memory, notes, messages.")
    ] = False,
    dataset: Datasets = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="What failed instead: builds and sweep points, each with the reason.")
    ] = False,
) -> None:
    """Print the results as a table, made anew from the raw result files, also those of ann-benchmarks and VIBE."""
    from .results.caption import caption, remarks
    from .results.render import render
    from .results.table import table as results_table
    from .runner.exchange.load_results import load_results

    if relative_to is not None and at_recall is None:
        raise typer.BadParameter("--relative-to: found no --at-recall, expected both or neither")
    if builds and at_recall is not None:
        raise typer.BadParameter("--builds: found --at-recall too, expected one of them")
    if failed and (builds or at_recall is not None):
        raise typer.BadParameter("--failed: found another kind of table too, expected one of them")
    loaded = load_results(out, tuple(dataset or ()))
    runs = _some(out, loaded.runs)
    if format is TableFormat.parquet and not loaded.ours:
        raise typer.BadParameter(f"parquet would be written into {out}, which is another suite's; expected csv")
    if failed:
        from .results.failures import describe_failures, failures

        frame = failures(runs)
        if format is TableFormat.text:
            typer.echo(describe_failures(frame))
            return
    elif builds:
        from .results.builds import builds as builds_table

        frame = builds_table(runs)
    else:
        must = format is TableFormat.parquet
        frame = _save_table(out, runs, must=must) if loaded.ours else results_table(runs)
        if at_recall is not None:
            from .results.comparison import comparison

            frame = comparison(frame, _levels(at_recall), relative_to)
        elif format is TableFormat.parquet:
            typer.echo(out / TABLE)
            return
    if format is TableFormat.parquet:
        raise typer.BadParameter(
            "parquet holds the whole table, expected it without --at-recall, --builds and --failed"
        )
    if format is TableFormat.latex:
        from .results.latex_tables import latex_tables

        typer.echo(latex_tables(frame, runs, relative_to), nl=False)
        return
    typer.echo(render(frame, format.value), nl=False)
    if format is TableFormat.text:
        typer.echo()
        typer.echo(" ".join([caption(frame), *remarks(runs)]))


def _levels(text: str) -> tuple[float, ...]:
    try:
        levels = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"--at-recall: found {text!r}, expected numbers such as 0.9,0.95,0.99") from None
    if not all(0 < level <= 1 for level in levels):
        raise typer.BadParameter(f"--at-recall: found {text!r}, expected recalls above 0 and at most 1")
    return levels


@app.command()
def plot(
    kinds: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KIND",
            help="Kinds of figures; see docs/figures.md. Default: recall-qps, recall-points and recall-lists.",
        ),
    ] = None,
    out: Out = DEFAULT_OUT,
    kind: Annotated[list[str] | None, typer.Option(help="The same as KIND, as an option.")] = None,
    all_kinds: Annotated[bool, typer.Option("--all", help="Every kind that these results can show.")] = False,
    dataset: Annotated[
        list[str] | None,
        typer.Option(
            help="Only datasets of this glob; of another suite's results, the dataset they belong to. Repeatable."
        ),
    ] = None,
    algorithm: Annotated[
        list[str] | None,
        typer.Option("--algorithm", "--algorithms", help="Only algorithms of this glob; repeat for several."),
    ] = None,
    facet: Annotated[Facet | None, typer.Option(help="One figure with a panel for each dataset.")] = None,
    axis: Annotated[
        RecallAxis, typer.Option(help="Of recall: linear, logit, or nines (1 - recall, logarithmic).")
    ] = RecallAxis.linear,
    at_recall: Annotated[
        str | None, typer.Option(help="Recalls at which costs and queries are compared, such as 0.9,0.95.")
    ] = None,
    relative_to: Annotated[
        str | None, typer.Option(help="What speed-ups are relative to: an algorithm's glob, or best-peer.")
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="Algorithms in colour, the best; others are grey.")] = 10,
    format: Annotated[str, typer.Option(help="pdf, svg, png, pgf, csv, separated by commas.")] = "pdf,svg,png",
    width: Annotated[FigureWidth, typer.Option(help="One column of a paper, or two.")] = FigureWidth.double,
    output: Annotated[Path | None, typer.Option(help="Folder of figures. Default: OUT/figures.")] = None,
) -> None:
    """Draw figures for papers: fronts, costs, growth, queries, ranks."""
    from .plots.kind import Options
    from .runner.exchange.load_results import load_results

    formats = tuple(part.strip() for part in format.split(",") if part.strip())
    loaded = load_results(out, tuple(dataset or ()))
    figures = output or out / "figures"
    if not loaded.ours and figures.resolve().is_relative_to(out.resolve()):
        raise typer.BadParameter(f"--output: found {figures}, expected a folder outside {out}, another suite's results")
    options = Options(
        axis=axis.value,
        width=width.value,
        facet=facet is not None,
        algorithms=tuple(algorithm or ()),
        datasets=tuple(dataset or ()) if loaded.ours else (),
        levels=_levels(at_recall) if at_recall else (),
        baseline=relative_to,
        most=most,
    )
    _draw(_some(out, loaded.runs), out, [*(kinds or ()), *(kind or ())], formats, figures, options, all_kinds)


def _draw(
    runs: list[Any],
    out: Path,
    kinds: list[str],
    formats: tuple[str, ...],
    output: Path,
    options: Any = None,
    all_kinds: bool = False,
) -> None:
    from .plots.command import draw_kinds
    from .plots.kind import Options, Source

    for path in draw_kinds(Source(runs, out), kinds, output, formats, options or Options(), all_kinds=all_kinds):
        typer.echo(f"figure: {path}")


@app.command()
def report(
    out: Out = DEFAULT_OUT,
    kind: Annotated[
        ReportKind,
        typer.Option(
            help="Pages to explore; or, for papers, compare all routers, lay out the thesis' tables, or show what the "
            "gain depends on."
        ),
    ] = ReportKind.site,
    baseline: Annotated[
        str | None,
        typer.Option(help="Compare with the router of this glob. Default: normalised centroids, else the best ones."),
    ] = None,
) -> None:
    """Write a report into OUT/report: pages that open in a browser without a server or a network.

    The other kinds are on routing alone: tables in Markdown, LaTeX and CSV, with figures.
    """
    from .results.store import load_runs

    if kind is not ReportKind.site:
        _report(_some(out, load_runs(out)), kind.value, kind.value, out, baseline)
        return
    from .plots.site.write import write_site
    from .results.competition import BASELINE

    typer.echo(f"report: {write_site(_some(out, load_runs(out)), out / 'report', baseline or BASELINE)[0]}")


def _report(runs: list[Any], kind: str, name: str, out: Path, baseline: str | None = None) -> None:
    from .plots.report import draw_report
    from .results.competition import BASELINE
    from .results.curves import curves
    from .results.laboratory import laboratory
    from .results.relevant_lists import relevant_lists
    from .results.report import write_report

    frame = laboratory(runs, baseline or BASELINE)
    folder = out / "report"
    pictures = draw_report(kind, name, frame, curves(runs, baseline or BASELINE), folder)
    relevant = relevant_lists(runs, baseline or BASELINE) if kind == "open-questions" else None
    for path in write_report(folder, kind, name, frame, pictures, relevant):
        typer.echo(f"report: {path}")


@app.command()
def watch(
    out: Out = DEFAULT_OUT,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks at the results.")] = 2.0,
) -> None:
    """Follow a run: write its report anew as results arrive, and say here who leads and what failed.

    Open OUT/report/index.html; the page reloads by itself. Ctrl-C ends it, not the run.
    """
    from rich.console import Console

    from .plots.site.watch import watch as watched

    console = Console()
    try:
        for said in watched(out, out / "report", every):
            console.clear()  # where it is a terminal
            typer.echo(f"{said}\nreport: {out / 'report' / 'index.html'} (Ctrl-C ends)")
    except KeyboardInterrupt:
        typer.echo()


@app.command()
def roofline(
    out: Out = DEFAULT_OUT,
    dimension: Annotated[int, typer.Option(min=1, help="Of the vectors.")] = 128,
    list_size: Annotated[int, typer.Option(min=1, help="Vectors of a list.")] = 300,
    memory: Annotated[int, typer.Option(min=1, help="MiB of cold data: many times the last cache.")] = 512,
    seconds: Annotated[float, typer.Option(min=0.0, help="Time for each kernel and each limit.")] = 0.4,
) -> None:
    """Measure what one thread of this machine can do, and how near to that each kernel comes.

    Writes roofline.csv, .md, .png and .svg into OUT. Nothing else should run meanwhile.
    """
    from .plots.kinds.roofline import draw_roofline
    from .results.roofline import render_roofline, write_roofline
    from .runner.roofline.command import run_roofline

    measured = run_roofline(out, dimension, list_size, memory, seconds)
    typer.echo(render_roofline(measured.table, measured.limits))
    for path in write_roofline(measured.table, measured.limits, out, measured.remark):
        typer.echo(f"table: {path}")
    for path in draw_roofline(measured.table, measured.limits, out):
        typer.echo(f"figure: {path}")


def _is_ours(error: Exception) -> bool:
    return type(error).__module__.startswith("ivfbench.")


def main() -> None:
    """Run the command line: exit code 0, 1 when something failed, 2 for what was asked wrongly, 130 when stopped."""
    try:
        code = app(standalone_mode=False)
    except UsageProblem as error:
        asked_nothing = type(error).__name__ == "NoArgsIsHelpError"  # its message is the help text
        typer.echo(error.format_message() if asked_nothing else f"ivfbench: {error.format_message()}", err=True)
        sys.exit(2)
    except (typer.Abort, KeyboardInterrupt):
        code = STOPPED
    except Exception as error:
        if not _is_ours(error):
            raise
        typer.echo(f"ivfbench: {error}", err=True)
        sys.exit(getattr(error, "exit_code", 2))
    if code == STOPPED:  # some versions of typer turn Ctrl-C into this code themselves
        typer.echo("ivfbench: stopped; what was finished is kept, the same command goes on from there", err=True)
    sys.exit(code or 0)


if __name__ == "__main__":
    main()
