"""`ivfbench table`: what the command line parses, and what it calls."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ...results.command_options import DEFAULT_OUT, Datasets, Out, recall_levels, some

TABLE = "results.parquet"


class TableFormat(StrEnum):
    """How a table is written."""

    text = "text"
    csv = "csv"
    markdown = "markdown"
    latex = "latex"
    parquet = "parquet"


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
    from ...results.caption import caption, remarks
    from ...results.render import render
    from ...results.table import table as results_table
    from ..exchange.load_results import load_results

    if relative_to is not None and at_recall is None:
        raise typer.BadParameter("--relative-to: found no --at-recall, expected both or neither")
    if builds and at_recall is not None:
        raise typer.BadParameter("--builds: found --at-recall too, expected one of them")
    if failed and (builds or at_recall is not None):
        raise typer.BadParameter("--failed: found another kind of table too, expected one of them")
    loaded = load_results(out, tuple(dataset or ()))
    runs = some(out, loaded.runs)
    if format is TableFormat.parquet and not loaded.ours:
        raise typer.BadParameter(f"parquet would be written into {out}, which is another suite's; expected csv")
    if failed:
        from ...results.failures import describe_failures, failures

        frame = failures(runs)
        if format is TableFormat.text:
            typer.echo(describe_failures(frame))
            return
    elif builds:
        from ...results.builds import builds as builds_table

        frame = builds_table(runs)
    else:
        must = format is TableFormat.parquet
        frame = save_results_table(out, runs, must=must) if loaded.ours else results_table(runs)
        if at_recall is not None:
            from ...results.comparison import comparison

            frame = comparison(frame, recall_levels(at_recall), relative_to)
        elif format is TableFormat.parquet:
            typer.echo(out / TABLE)
            return
    if format is TableFormat.parquet:
        raise typer.BadParameter(
            "parquet holds the whole table, expected it without --at-recall, --builds and --failed"
        )
    if format is TableFormat.latex:
        from ...results.latex_tables import latex_tables

        typer.echo(latex_tables(frame, runs, relative_to), nl=False)
        return
    if format is TableFormat.markdown:
        from ...results.markdown_tables import markdown_tables

        typer.echo(markdown_tables(frame, runs, relative_to), nl=False)
        return
    typer.echo(render(frame, format.value), nl=False)
    if format is TableFormat.text:
        typer.echo()
        typer.echo(" ".join([caption(frame), *remarks(runs)]))


def save_results_table(out: Path, runs: list[Any], must: bool = True) -> Any:
    """Make the table of runs, write it into their folder, and return it.

    Raises
    ------
    ResultError
        It cannot be written, and ``must`` be.
    """
    from ...results.errors import ResultError
    from ...results.table import save_table, table

    frame = table(runs)
    try:
        save_table(out, frame)
    except (OSError, ResultError) as error:  # results on read-only media can be looked at
        if must:
            raise ResultError(f"{out / TABLE}: cannot be written: {error}") from None
    return frame
