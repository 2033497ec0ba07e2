"""The command line: it parses and calls, and turns every error of ours into one line.

Rooms are imported inside the commands that enter them, so that ``--help`` answers at once.
"""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from . import __version__
from .plots.commands import report, watch, write_routing_report
from .results.command_options import DEFAULT_OUT, Out, recall_levels, some
from .runner.commands.compare import compare, history
from .runner.commands.datasets import datasets_app
from .runner.commands.doctor import doctor
from .runner.commands.export import export_app
from .runner.commands.figures import Figures
from .runner.commands.run import run
from .runner.commands.table import table

# The base of everything a user can get wrong; typer brings its own click, or uses the installed one, by version.
UsageProblem: Any = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")

STOPPED = 130

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
# those below need several rooms
for command in (run, table, report, watch, compare, history, doctor):
    app.command()(command)


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
    context.obj = Figures(_draw_results, write_routing_report, _draw_fronts, _draw_history)


def _draw_results(runs: list[Any], out: Path) -> None:
    _draw(runs, out, [], ("pdf", "svg", "png"), out / "figures")


def _draw_fronts(*asked: Any) -> Path:
    from .plots.compared_fronts import draw_compared_fronts

    return draw_compared_fronts(*asked)


def _draw_history(*asked: Any) -> Path:
    from .plots.history import draw_history

    return draw_history(*asked)


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
        levels=recall_levels(at_recall) if at_recall else (),
        baseline=relative_to,
        most=most,
    )
    _draw(some(out, loaded.runs), out, [*(kinds or ()), *(kind or ())], formats, figures, options, all_kinds)


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
