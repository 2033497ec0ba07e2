"""A question: one curve that two sides are to answer, with the files that both of them read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...datasets.distance import distances_to
from ...results.canonical import canonical_json
from ...results.compare.sides import Answers, Curve, digest
from ...results.recall import recall
from .arms import Arm, SideError


@dataclass(frozen=True, eq=False)
class Data:
    """A dataset as plain files, and as the judge knows it.

    Attributes
    ----------
    name : str
        As people must see it: "drift (synthetic)" where the vectors were made up.
    files : mapping
        Paths of ``train``, ``queries`` and, where there is something to learn from, ``learn``, ``learn_neighbors``.
    metric : str
    train : (n, d) float32
    queries : (q, d) float32
    truth : (q, K) int32
    truth_distances : (q, K) float64
    """

    name: str
    files: Mapping[str, str]
    metric: str
    train: npt.NDArray[np.float32]
    queries: npt.NDArray[np.float32]
    truth: npt.NDArray[np.int32]
    truth_distances: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Question:
    """One curve.

    Attributes
    ----------
    curve : Curve
    task : mapping
        What the worker is told when it opens.
    settings : tuple of mappings
        Query parameters.
    data : Data
    """

    curve: Curve
    task: Mapping[str, Any]
    settings: tuple[Mapping[str, Any], ...]
    data: Data

    @property
    def names(self) -> tuple[str, ...]:
        """The settings as canonical JSON."""
        return tuple(canonical_json(dict(setting)) for setting in self.settings)


def write_data(
    folder: Path,
    name: str,
    metric: str,
    train: npt.NDArray[np.float32],
    queries: npt.NDArray[np.float32],
    truth: npt.NDArray[np.int32],
    learn: tuple[npt.NDArray[np.float32], npt.NDArray[np.int32] | None] | None = None,
) -> Data:
    """Write a dataset's arrays as files that any interpreter with numpy reads.

    `learn`: training queries (m, d), and their neighbours (m, K') where they are known.
    """
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, npt.NDArray[Any]] = {"train": train, "queries": queries}
    if learn is not None:
        arrays["learn"] = learn[0]
        if learn[1] is not None:
            arrays["learn_neighbors"] = learn[1]
    for part, array in arrays.items():
        np.save(folder / f"{part}.npy", array, allow_pickle=False)
    files = {part: str(folder / f"{part}.npy") for part in arrays}
    return Data(name, files, metric, train, queries, truth, distances_to(train, queries, truth, metric))


def answers(arm: Arm, told: Mapping[str, Any], question: Question, folder: Path) -> Answers:
    """Let an open arm answer every setting, and return its answers with their recall against pristine data."""
    digests, recalls, lists, points = [], [], [], []
    data, k = question.data, question.curve.k
    path = folder / "answers.npz"
    for setting in question.settings:
        arm.ask("answer", setting=dict(setting), path=str(path))
        with np.load(path, allow_pickle=False) as held:
            ids = held["ids"]
            lists.append(held["lists"])
            points.append(held["points"])
        digests.append(digest(ids))
        try:
            if ids.shape != (len(data.queries), k):
                raise ValueError(f"found ids {ids.shape}, expected {(len(data.queries), k)}")
            distances = distances_to(data.train, data.queries, ids, data.metric)
            recalls.append(recall(ids, distances, data.truth, data.truth_distances, k, data.metric))
        except (ValueError, IndexError) as error:  # ids that no row has: its fault, and not a wrong question
            raise SideError(arm.side, f"{canonical_json(dict(setting))}: {error}") from None
    return Answers(
        settings=question.names,
        digests=tuple(digests),
        recall=np.stack(recalls),
        lists=np.stack(lists).astype(np.int64),
        points=np.stack(points).astype(np.int64),
        index_bytes=int(told["index_bytes"]),
        build_seconds=float(told["build_seconds"]),
        peak_bytes=int(told["peak_bytes"]),
    )


def describe(setting: str) -> str:
    """Return a setting, canonical JSON, in words: ``nprobe 8``."""
    return ", ".join(f"{name} {value}" for name, value in json.loads(setting).items())
