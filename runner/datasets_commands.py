"""`ivfbench datasets derive | embed`: what the command line parses, and what it calls.

As in `__main__`, which adds these commands to its own, rooms are imported inside the commands that enter them.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Store(StrEnum):
    """The type that embeddings are stored in."""

    float16 = "float16"
    float32 = "float32"


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

    from ..datasets.derive import derive
    from ..datasets.load import locate
    from ..datasets.variant import Variant
    from .display import byte_progress, make_display

    variant = Variant(base=base, pca=pca, normalise=normalise, metric=metric, learn=learn, learn_k=learn_k)
    with byte_progress(f"getting {source}") as progress:
        locate(source, progress=progress)
    with make_display(Console(stderr=True)) as display:
        derive(source, output, variant, progress=lambda done, total: display.stage("searching", done, total or 0, ""))
    typer.echo(output)


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

    from ..datasets.embed import Embedding, embed
    from ..datasets.encoder import SentenceEncoder
    from ..datasets.query_split import Split
    from .display import make_display

    split = Split(test_queries, qrels, test_count, test_split, learn_count)
    measured = metric or ("normalized" if normalise else "ip")
    embedding = Embedding(model, normalise, measured, store.value, ids=ids)
    encoder = SentenceEncoder(model, batch=batch, device=device, raw=normalise is False)
    with make_display(Console(stderr=True)) as display:
        embed(
            output, corpus, queries, encoder, embedding, split, lambda stage, at, of: display.stage(stage, at, of, "")
        )
    typer.echo(output)
