"""`ivfbench export`: what the command line parses, and what it calls.

As in `__main__`, which adds these commands to its own, rooms are imported inside the commands that enter them.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from ...results.command_options import DEFAULT_OUT, Datasets, Out

export_app = typer.Typer(
    help="Write results in the formats of other suites.", no_args_is_help=True, rich_markup_mode=None
)


@export_app.command("ann-benchmarks")
def export_ann_benchmarks(
    folder: Annotated[Path, typer.Argument(help="A checkout of ann-benchmarks, or a folder to make.")],
    out: Out = DEFAULT_OUT,
    dataset: Datasets = None,
) -> None:
    """Write result files that ann-benchmarks' plot.py, data_export.py and create_website.py read."""
    from ...results.exchange.ann_benchmarks import dataset_label, write_ann_benchmarks

    written, read = (folder / "results").resolve(), out.resolve()
    if written.is_relative_to(read) or read.is_relative_to(written):
        raise typer.BadParameter(f"{folder}: lies in the folder of results, or holds it, expected another")
    runs = _runs(out, dataset)
    paths = write_ann_benchmarks(folder, runs)
    for name in sorted({dataset_label(run) for run in runs}):
        data = folder / "data" / f"{name}.hdf5"
        if not data.exists():
            typer.echo(f"their tools look for the dataset at {data}", err=True)
    typer.echo(f"{len(paths)} result files: {folder / 'results'}")


@export_app.command("csv")
def export_csv(
    file: Annotated[Path, typer.Argument(help="The CSV file to write.")],
    out: Out = DEFAULT_OUT,
    dataset: Datasets = None,
) -> None:
    """Write the table that ann-benchmarks' data_export.py writes: its columns, its definitions."""
    from ...results.exchange.ann_benchmarks_csv import write_ann_benchmarks_csv

    typer.echo(write_ann_benchmarks_csv(file, _runs(out, dataset)))


@export_app.command("cuvs")
def export_cuvs(
    folder: Annotated[Path, typer.Argument(help="The dataset folder of cuVS-bench, or a folder to make.")],
    out: Out = DEFAULT_OUT,
    dataset: Datasets = None,
) -> None:
    """Write the build and search tables that cuVS-bench's plot reads."""
    from ...results.exchange.cuvs import write_cuvs

    for path in write_cuvs(folder, _runs(out, dataset)):
        typer.echo(path)


def _runs(out: Path, dataset: list[str] | None) -> list[Any]:
    from ..exchange.load_results import load_results

    runs = load_results(out, tuple(dataset or ())).runs
    left_out = sum(point.status != "ok" for run in runs for point in run.points)
    if left_out:
        typer.echo(f"{left_out} sweep points that failed are left out", err=True)
    return runs
