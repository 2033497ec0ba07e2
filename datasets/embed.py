"""Texts into a dataset: embedded block by block, searched exactly, written in the standard layout.

The collections that learnt routers were first measured on (MS MARCO, HotpotQA, FEVER) are published as texts.
``docs/embedding.md`` has the commands.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from .beir import documents
from .complete import complete_dataset
from .dataset import file_sha256
from .embedding_parts import Parts, Settings, open_parts, remove_parts
from .encoder import Encoder, model_label
from .errors import DatasetError
from .metric import canonical_metric
from .query_split import Queries, Query, Split, split_queries
from .write import Attribute

STORES = ("float16", "float32")

_NEIGHBORS, _LEARN_NEIGHBORS = 100, 10

StageProgress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Embedding:
    """How texts become vectors.

    Attributes
    ----------
    model
        What the encoder is called: recorded, and compared when a run goes on.
    normalise
        True: unit length. False: raw, whatever normalisation the model brings was left out. None: as the model gives.
    metric
        Any name `canonical_metric` understands.
    store
        ``float32`` or ``float16``.
    block
        Texts per block: what a killed run may lose.
    ids
        Keep the ids of documents and queries in the file.
    """

    model: str
    normalise: bool | None = None
    metric: str = "ip"
    store: str = "float32"
    block: int = 8192
    ids: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "metric", canonical_metric(self.metric))
        if self.store not in STORES:
            raise DatasetError(f"store: found {self.store!r}, expected one of {', '.join(STORES)}")
        if self.block < 1:
            raise DatasetError(f"block: found {self.block}, expected at least 1")


def embed(
    output: str | Path,
    corpus: str | Path,
    queries: str | Path,
    encoder: Encoder,
    embedding: Embedding,
    split: Split | None = None,
    progress: StageProgress | None = None,
) -> Path:
    """Embed a collection of texts and write it as a dataset with its exact ground truth.

    Parameters
    ----------
    output
        The HDF5 file to write; blocks grow in ``<output>.parts`` until it is complete.
    corpus, queries
        Files in the layout of BEIR (see `beir`).
    encoder
        Deterministic, or a resumed run differs from an undisturbed one.
    embedding
        How texts become vectors.
    split
        Which queries are for testing; a seeded draw by default.
    progress
        Called with (stage, done, in all).

    Returns
    -------
    pathlib.Path
        The file written: 100 true neighbours per test query, 10 per training query, of the values stored.

    Raises
    ------
    DatasetError
        If an input is broken, the output is there already, or a run with other settings was begun for it.
    """
    output, corpus = Path(output), Path(corpus)
    if output.exists():
        raise DatasetError(f"{output}: is there already, expected a new file")
    parted = split_queries(Path(queries), split or Split())
    names = [name for name, _ in documents(corpus)]
    if not names:
        raise DatasetError(f"{corpus}: found no documents, expected at least one")
    settings = _settings(corpus, parted, embedding)
    folder = output.with_name(f"{output.name}.parts")
    open_parts(folder, settings)
    parts = Parts(folder, encoder, embedding.block, embedding.normalise is True, embedding.store)
    test = _encode(parts, "test", _texts(parted.test), len(parted.test), progress)
    learn = _encode(parts, "learn", _texts(parted.learn), len(parted.learn), progress) if parted.learn else None
    train = _encode(parts, "documents", _texts(documents(corpus)), len(names), progress)
    complete_dataset(
        output,
        train=train,
        test=test,
        learn=learn,
        metric=embedding.metric,
        k=_NEIGHBORS,
        learn_k=_LEARN_NEIGHBORS,
        attributes=_attributes(settings, parted, embedding),
        labels=_ids(names, parted) if embedding.ids else None,
        progress=lambda done, total: progress("searching", done, total or 0) if progress else None,
    )
    remove_parts(folder)
    return output


def _encode(
    parts: Parts, kind: str, texts: Iterable[str], count: int, progress: StageProgress | None
) -> npt.NDArray[Any]:
    def report(done: int, total: int) -> None:
        if progress is not None:
            progress(f"encoding {kind}", done, total)

    return parts.encode(kind, texts, count, report)


def _texts(named: Iterable[Query]) -> Iterator[str]:
    return (text for _, text in named)


def _ids(documents: list[str], parted: Queries) -> dict[str, list[str]]:
    ids = {"train_ids": documents, "test_ids": [name for name, _ in parted.test]}
    return {**ids, "learn_ids": [name for name, _ in parted.learn]} if parted.learn else ids


def _settings(corpus: Path, parted: Queries, embedding: Embedding) -> Settings:
    """Everything that a vector, or its place, depends on."""
    return {
        "version": 1,
        "model": embedding.model,
        "normalise": "as the model gives" if embedding.normalise is None else embedding.normalise,
        "store": embedding.store,
        "block": embedding.block,
        "corpus_sha256": file_sha256(corpus),
        "test_sha256": _digest(parted.test),
        "learn_sha256": _digest(parted.learn),
    }


def _digest(texts: tuple[Query, ...]) -> str:
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()


def _attributes(settings: Settings, parted: Queries, embedding: Embedding) -> dict[str, Attribute]:
    label = model_label(embedding.model)
    return {
        "description": f"Texts embedded by {label}.",
        "model": label,
        "normalise": str(settings["normalise"]).lower(),
        "corpus_sha256": settings["corpus_sha256"],
        "learn_dropped": parted.dropped,
    }
