"""`ivfbench datasets`: what the command line parses, and what it calls.

As in `__main__`, which adds these commands to its own, rooms are imported inside the commands that enter them.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

datasets_app = typer.Typer(
    help="List, inspect, fetch, verify, make, derive and embed datasets.", no_args_is_help=True, rich_markup_mode=None
)


class Store(StrEnum):
    """The type that embeddings are stored in."""

    float16 = "float16"
    float32 = "float32"


@datasets_app.command("list")
def datasets_list(
    collection: Annotated[str | None, typer.Option(help="Only ann-benchmarks or vibe.")] = None,
) -> None:
    """List the datasets that can be named, and where each comes from."""
    from ...datasets.command import list_lines

    for line in list_lines(collection):
        typer.echo(line)


@datasets_app.command("info")
def datasets_info(name: Annotated[str, typer.Argument(help="Name or path.")]) -> None:
    """Show what is in a dataset, without loading its vectors."""
    from ...datasets.command import info_lines

    for line in info_lines(name):
        typer.echo(line)


@datasets_app.command("get")
def datasets_get(name: Annotated[str, typer.Argument(help="Name.")]) -> None:
    """Download or generate a dataset into the cache, and print its path."""
    from ...datasets.load import locate
    from ..display import byte_progress

    with byte_progress(f"getting {name}") as progress:
        path = locate(name, progress=progress)
    typer.echo(path)


@datasets_app.command("verify")
def datasets_verify(
    path: Annotated[str, typer.Argument(help="Path, or the name of a dataset in the cache.")],
    sample: Annotated[int | None, typer.Option(min=1, help="Search only so many queries again. Default: all.")] = None,
) -> None:
    """Check a file: layout, values, and the ground truth of every query, searched again exactly."""
    from ...datasets.command import verify_lines
    from ...datasets.load import peek
    from ...datasets.verify import verify
    from ..display import byte_progress

    with byte_progress("searching") as progress:
        report = verify(peek(path).path, sample, progress)
    for line in verify_lines(report):
        typer.echo(line)


@datasets_app.command("make")
def datasets_make(
    output: Annotated[Path, typer.Argument(help="The HDF5 file to write.")],
    base: Annotated[Path, typer.Option(help="Vectors to search in: .npy, .fvecs, .bvecs, .fbin, .u8bin, .i8bin.")],
    queries: Annotated[Path, typer.Option(help="Test queries.")],
    metric: Annotated[str, typer.Option(help="euclidean, angular, normalized, ip or manhattan.")],
    learn: Annotated[Path | None, typer.Option(help="Training queries.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="Neighbours of each test query to store.")] = 100,
    learn_k: Annotated[int, typer.Option(min=1, help="Neighbours of each training query to store.")] = 10,
    dtype: Annotated[str | None, typer.Option(help="Store vectors as this type. Default: as they come.")] = None,
) -> None:
    """Make a standard dataset from files of vectors, computing the exact ground truth."""
    from ...datasets.make import make_dataset
    from ..display import byte_progress

    with byte_progress("searching") as progress:
        path = make_dataset(output, base, queries, metric, learn, k, learn_k, dtype, progress)
    typer.echo(path)


@datasets_app.command("derive")
def datasets_derive(
    source: Annotated[str, typer.Argument(help="Name or path.")],
    output: Annotated[Path, typer.Argument(help="The HDF5 file to write.")],
    metric: Annotated[str | None, typer.Option(help="Another metric: euclidean, angular, normalized, ip, ...")] = None,
    normalise: Annotated[bool, typer.Option("--normalise", help="Bring every vector to unit length.")] = False,
    pca: Annotated[int | None, typer.Option(min=1, help="Keep so many principal components of the database.")] = None,
    base: Annotated[int | None, typer.Option(min=1, help="Keep so many vectors to search in, drawn at random.")] = None,
    learn: Annotated[int | None, typer.Option(min=1, help="Keep so many training queries, drawn at random.")] = None,
    learn_k: Annotated[
        int | None, typer.Option(min=1, max=100, help="Neighbours of each training query to store.")
    ] = None,
) -> None:
    """Make a variant of a dataset, computing the exact ground truth anew."""
    from rich.console import Console

    from ...datasets.derive import derive
    from ...datasets.load import peek
    from ...datasets.variant import Variant
    from ..display import byte_progress, make_display

    variant = Variant(base=base, pca=pca, normalise=normalise, metric=metric, learn=learn, learn_k=learn_k)
    with byte_progress(f"getting {source}") as progress:
        peek(source, progress=progress)
    with make_display(Console(stderr=True)) as display:
        derive(source, output, variant, progress=lambda done, total: display.stage("searching", done, total or 0, ""))
    typer.echo(output)


@datasets_app.command("embed")
def datasets_embed(
    output: Annotated[Path, typer.Argument(help="The HDF5 file to write.")],
    corpus: Annotated[Path, typer.Option(help="Documents, as JSON lines of _id, title and text.")],
    queries: Annotated[Path, typer.Option(help="Queries, as JSON lines of _id and text.")],
    model: Annotated[str, typer.Option(help="A sentence-transformers model: name or folder.")],
    test_queries: Annotated[
        Path | None, typer.Option(help="Test queries; those of --queries are then all for training.")
    ] = None,
    test_count: Annotated[
        int | None, typer.Option(min=1, help="Draw so many test queries. Default: a fifth, at most 10,000.")
    ] = None,
    qrels: Annotated[
        Path | None,
        typer.Option(help="Folder of judgements: test.tsv or dev.tsv is for testing, train.tsv for training."),
    ] = None,
    test_split: Annotated[str | None, typer.Option(help="With --qrels: test on this file, such as dev.")] = None,
    learn_count: Annotated[int | None, typer.Option(min=1, help="Keep at most so many training queries.")] = None,
    normalise: Annotated[
        bool | None,
        typer.Option("--normalise/--raw", help="Unit length, or no normalisation at all. Default: as the model does."),
    ] = None,
    metric: Annotated[str | None, typer.Option(help="Default: normalized with --normalise, ip without.")] = None,
    batch: Annotated[int, typer.Option(min=1, help="Texts that the model sees at a time.")] = 64,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps, ...")] = "auto",
    store: Annotated[Store, typer.Option(help="Store vectors as this type.")] = Store.float32,
    ids: Annotated[bool, typer.Option(help="Keep the ids of documents and queries.")] = True,
) -> None:
    """Embed texts and make a dataset of them; a stopped run goes on where it was."""
    from rich.console import Console

    from ...datasets.embed import Embedding, embed
    from ...datasets.encoder import SentenceEncoder
    from ...datasets.query_split import Split
    from ..display import make_display

    split = Split(test_queries, qrels, test_count, test_split, learn_count)
    measured = metric or ("normalized" if normalise else "ip")
    embedding = Embedding(model, normalise, measured, store.value, ids=ids)
    encoder = SentenceEncoder(model, batch=batch, device=device, raw=normalise is False)
    with make_display(Console(stderr=True)) as display:
        embed(
            output, corpus, queries, encoder, embedding, split, lambda stage, at, of: display.stage(stage, at, of, "")
        )
    typer.echo(output)
