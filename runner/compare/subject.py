"""A subject file: a module in the style of ann-benchmarks, of this or of any other project, and what to ask it.

::

    dataset: drift                      # a name or a path, as everywhere
    module: benchmarks/my_index.py      # in the checkout of each revision
    constructor: MyIndex
    arguments: ["@metric", {lists: 256}]
    query_arguments: [[1], [2], [4], [8]]
    k: 10                               # the rest has these defaults
    mode: single                        # or batch
    threads: 1
    single_queries: 200                 # timed in single mode; answers are compared for all
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...algorithms.kernels.space import METRICS
from ...datasets.load import load
from ...results.compare.sides import Curve
from ..errors import RunError
from .question import Question, write_data
from .questions import shown_name

Positive = Annotated[int, Field(ge=1)]


class Subject(BaseModel):
    """What a subject file says; see the module's text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str
    module: str
    constructor: str
    arguments: tuple[Any, ...] = ()
    query_arguments: tuple[tuple[Any, ...], ...] = Field(min_length=1)
    k: Positive = 10
    mode: Literal["single", "batch"] = "single"
    threads: Positive = 1
    single_queries: Positive | None = 200


def load_subject(path: Path) -> Subject:
    """Read a subject file.

    Raises
    ------
    RunError
        No such file, no YAML, or something else than a subject: one line.
    """
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RunError(f"{path}: found no readable YAML: {' '.join(str(error).split())}") from None
    try:
        return Subject.model_validate(data)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"]) or "file"
        raise RunError(f"{path}: {where}: {problem['msg'].lower()}") from None


def subject_question(subject: Subject, folder: Path) -> Question:
    """Return the question of a subject, its dataset written as plain files below a folder.

    Raises
    ------
    RunError, DatasetError
        A dataset that cannot be had, or holds too few neighbours.
    """
    dataset = load(subject.dataset)
    if dataset.metric not in METRICS or subject.k > dataset.neighbors.shape[1]:
        held = f"{dataset.neighbors.shape[1]} {dataset.metric} neighbours"
        raise RunError(f"{subject.dataset}: found {held}, expected at least k = {subject.k} of a known metric")
    data = write_data(
        folder,
        shown_name(dataset),
        dataset.metric,
        np.array(dataset.train),
        np.array(dataset.test),
        np.array(dataset.neighbors),
    )
    arguments = [dataset.metric if one == "@metric" else one for one in subject.arguments]
    threads = 1 if subject.mode == "single" else subject.threads
    task = {
        "kind": "module",
        "module": subject.module,
        "constructor": subject.constructor,
        "arguments": arguments,
        "metric": dataset.metric,
        "k": subject.k,
        "mode": subject.mode,
        "threads": threads,
        "timed": subject.single_queries if subject.mode == "single" else None,
        **data.files,
    }
    named = f"{subject.constructor}({', '.join(map(str, arguments))})"
    curve = Curve(data.name, named, subject.k, subject.mode, threads)
    settings = tuple({"arguments": list(one)} for one in subject.query_arguments)
    return Question(curve, task, settings, data)
