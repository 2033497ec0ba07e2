"""`ivfbench report` and `ivfbench watch`: what the command line parses, and what it calls.

`ivfbench plot` draws results of other suites too, which `plots` cannot load: it is in `__main__`.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ..results.command_options import DEFAULT_OUT, Out, some


class ReportKind(StrEnum):
    """What a report is about."""

    site = "site"
    thesis = "thesis"
    routers = "routers"
    open_questions = "open-questions"


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
    from ..results.store import load_runs

    if kind is not ReportKind.site:
        write_routing_report(some(out, load_runs(out)), kind.value, kind.value, out, baseline)
        return
    from ..results.competition import BASELINE
    from .site.write import write_site

    typer.echo(f"report: {write_site(some(out, load_runs(out)), out / 'report', baseline or BASELINE)[0]}")


def write_routing_report(runs: list[Any], kind: str, name: str, out: Path, baseline: str | None = None) -> None:
    """Write a report on routing into OUT/report, tables and figures, and say where.

    Raises
    ------
    ResultError
        The runs hold no routing, or nothing matches the baseline.
    """
    from ..results.competition import BASELINE
    from ..results.curves import curves
    from ..results.laboratory import laboratory
    from ..results.relevant_lists import relevant_lists
    from ..results.report import write_report
    from .report import draw_report

    frame = laboratory(runs, baseline or BASELINE)
    folder = out / "report"
    pictures = draw_report(kind, name, frame, curves(runs, baseline or BASELINE), folder)
    relevant = relevant_lists(runs, baseline or BASELINE) if kind == "open-questions" else None
    for path in write_report(folder, kind, name, frame, pictures, relevant):
        typer.echo(f"report: {path}")


def watch(
    out: Out = DEFAULT_OUT,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks at the results.")] = 2.0,
) -> None:
    """Follow a run: write its report anew as results arrive, and say here who leads and what failed.

    Open OUT/report/index.html; the page reloads by itself. Ctrl-C ends it, not the run.
    """
    from rich.console import Console

    from .site.watch import watch as watched

    console = Console()
    try:
        for said in watched(out, out / "report", every):
            console.clear()  # where it is a terminal
            typer.echo(f"{said}\nreport: {out / 'report' / 'index.html'} (Ctrl-C ends)")
    except KeyboardInterrupt:
        typer.echo()
