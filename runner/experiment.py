"""Experiment files: what to measure, as YAML, checked at the door.

An experiment names datasets, values of k, modes and algorithms. An algorithm is written as the value it becomes
(`algorithms.registry`), and any field may hold a list of alternatives: the grid is their product.

::

    algorithms:
      - type: IVF
        clustering: {type: KMeans, lists: [256, 512]}
        router: [{type: Centroid}, {type: Learnt, start: scratch}]
        query:
          nprobe: [1, 2, 4, "5%", "10%"]
          probing: [{type: SoftmaxMass, recall: [0.8, 0.9]}, {type: Patience}]  # beside or instead of nprobe
          rerank: [50, 100]  # of a compressed codec: each with each of the above


`variants` changes the datasets (`datasets.variant`), with lists of alternatives too: ``{pca: [null, 128, 64]}``
measures every dataset as it is and with fewer dimensions. Inside an entry of `algorithms` it is for that entry alone.
"""

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from ..algorithms.index import Algorithm
from ..algorithms.registry import ALGORITHMS, MEMBERS
from ..algorithms.value import from_parameters, nearest
from ..datasets.variant import Variant, variant_of
from .errors import RunError
from .plain_yaml import LONGEST, read_plain_yaml
from .query_grid import alternatives, query_grid

Positive = Annotated[int, Field(ge=1)]
Limit = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Mode = Literal["single", "batch", "both", "routing"]
Report = Literal["thesis", "routers", "open-questions"]
MOST_REPETITIONS = 100_000
_SHOWN = 100  # characters of a wrong value
_SAID = 500  # characters of an error


class Experiment(BaseModel):
    """What to measure.

    Attributes
    ----------
    name, description : str
    datasets : tuple of str
        Names or paths.
    variants : tuple of mappings
        Changes, with lists of alternatives: every dataset is measured in each variant; ``{}`` is the dataset itself.
    k : tuple of int
        Each its own build and result file.
    mode : tuple of str
        ``single`` (one query per call, one thread), ``batch`` (all at once), ``both``, or ``routing`` (nothing is
        searched: where the router puts the lists of the true neighbours); several in a list.
    repetitions : int
        Kept, every one of them.
    single_queries : int or None
        Single mode asks this many of the test queries, the first ones; None: all.
    seeds : tuple of int
        Of clustering and training.
    timeout : float or None
        Seconds that a build may take, and then each point of its sweep; what takes longer is ended, the rest goes on.
    memory : float or None
        GB (10^9 bytes) that a build and its sweep may occupy.
    shuffle : bool
        Build in an order drawn with the first seed: a machine that warms up or is shared then favours nobody.
    report : str or None
        Written at the end: ``thesis``, ``routers`` or ``open-questions``; needs the mode ``routing``.
    algorithms : tuple of mappings
        See the module's text.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    description: str = ""
    datasets: tuple[str, ...] = ()
    variants: tuple[dict[str, Any], ...] = Field(({},), min_length=1)
    k: tuple[Positive, ...] = Field((10,), min_length=1)
    mode: tuple[Mode, ...] = Field(("both",), min_length=1)
    repetitions: Annotated[int, Field(ge=1, le=MOST_REPETITIONS)] = 5
    single_queries: Positive | None = 1000
    seeds: tuple[Seed, ...] = Field((0,), min_length=1)
    timeout: Limit | None = None
    memory: Limit | None = None
    shuffle: bool = False
    report: Report | None = None
    algorithms: tuple[dict[str, Any], ...] = Field(min_length=1)

    @field_validator("datasets", "variants", "k", "mode", "seeds", mode="before")
    @classmethod
    def _one_or_many(cls, given: Any) -> Any:
        return given if isinstance(given, list | tuple) else (given,)

    @field_validator("report")
    @classmethod
    def _report_needs_routing(cls, report: str | None, told: ValidationInfo) -> str | None:
        if report is not None and "routing" not in told.data.get("mode", ("routing",)):
            raise ValueError("expected the mode routing too, which every report is made from")
        return report

    @property
    def modes(self) -> tuple[str, ...]:
        """The modes to measure, each once."""
        spelled = (("single", "batch") if mode == "both" else (mode,) for mode in self.mode)
        return tuple(dict.fromkeys(mode for modes in spelled for mode in modes))


def shipped() -> tuple[str, ...]:
    """Return the names of the experiments that come with the package."""
    folder = resources.files("ivfbench.runner.experiments")
    return tuple(sorted(item.name.removesuffix(".yml") for item in folder.iterdir() if item.name.endswith(".yml")))


def load_experiment(name_or_path: str) -> Experiment:
    """Read an experiment: a shipped name, or a YAML file.

    Raises
    ------
    RunError
        No such experiment (with the nearest shipped name), or a file that is not one: one line that says where.
    """
    if name_or_path in shipped():
        where = f"experiment {name_or_path}"
        content = resources.files("ivfbench.runner.experiments").joinpath(f"{name_or_path}.yml").read_text("utf-8")
    else:
        path = Path(name_or_path)
        if os.path.isdir(path):  # noqa: PTH112 - pathlib raises where a name is too long, os.path says no
            raise RunError(f"experiment {name_or_path}: is a folder, expected a YAML file")
        if not os.path.isfile(path):  # noqa: PTH113
            near = difflib.get_close_matches(name_or_path, shipped(), n=1, cutoff=0.4)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise RunError(
                f"experiment {name_or_path}: no such file or shipped experiment ({', '.join(shipped())}){hint}"
            )
        where = str(path)
        try:
            if (size := path.stat().st_size) > LONGEST:
                raise RunError(f"{where}: found {size:,} bytes, expected an experiment of at most {LONGEST:,}")
            content = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RunError(f"{where}: cannot be read as text: {error}") from None
    return parse_experiment(content, where)


def parse_experiment(content: str, where: str) -> Experiment:
    """Check the text of an experiment file and return the experiment.

    Raises
    ------
    RunError
        Not plain YAML, an unknown key (with the nearest known one), a wrong type, or an algorithm that cannot be built.
    """
    try:
        data = read_plain_yaml(content)
    except ValueError as error:
        raise RunError(f"{where}: {_one_line(str(error))}") from None
    if not isinstance(data, dict):
        raise RunError(f"{where}: found {type(data).__name__}, expected a mapping with the key `algorithms`")
    try:
        experiment = Experiment.model_validate({"name": Path(where).stem, **data})
    except ValidationError as error:
        raise RunError(f"{where}: {_first_problem(error)}") from None
    for place, spelled in enumerate(experiment.algorithms):
        try:
            for _ in expand(spelled):
                pass
        except ValueError as error:
            raise RunError(f"{where}: algorithms[{place}]: {_one_line(str(error))}") from None
    try:
        expand_variants(experiment)
    except ValueError as error:
        raise RunError(f"{where}: variants: {_one_line(str(error))}") from None
    return experiment


def expand_variants(experiment: Experiment) -> tuple[Variant, ...]:
    """Return the variants that an experiment's mappings with lists of alternatives stand for, each once.

    Raises
    ------
    ValueError
        An unknown key, or a value that the variant refuses.
    """
    own = [entry_variants(entry, experiment) for entry in experiment.algorithms]
    return tuple(dict.fromkeys(variant for variants in own for variant in variants))


def entry_variants(spelled: Mapping[str, Any], experiment: Experiment) -> tuple[Variant, ...]:
    """Return the variants on which an entry of `algorithms` is measured: its own, or else the experiment's."""
    given = spelled.get("variants", experiment.variants)
    return tuple(dict.fromkeys(variant_of(plain) for plain in alternatives(given)))


def _one_line(said: str) -> str:
    line = " ".join(said.split())
    return line if len(line) <= _SAID else f"{line[:_SAID]}..."


def _first_problem(error: ValidationError) -> str:
    problems = error.errors()
    # An unknown key first: it is often the misspelt name of what is missing.
    problem = next((problem for problem in problems if problem["type"] == "extra_forbidden"), problems[0])
    field = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        known = list(Experiment.model_fields)
        near = difflib.get_close_matches(str(problem["loc"][-1]).lower(), known, n=1, cutoff=0.0)
        return _one_line(f"{field}: no such key, the nearest is {near[0]}")
    if problem["type"] == "missing":
        return f"{field}: found none, expected at least one"
    return _one_line(f"{field}: found {_shown(problem['input'])}: {problem['msg'].lower()}")


def _shown(value: Any) -> str:
    try:
        found = repr(value)
    except ValueError:  # an integer of thousands of digits
        return "a number too long to show"
    return found if len(found) <= _SHOWN else f"{found[:_SHOWN]}..."


def expand(spelled: Mapping[str, Any]) -> Iterator[tuple[Algorithm, Mapping[str, Sequence[Any]]]]:
    """Yield each algorithm that a mapping with lists of alternatives stands for, with its query grid as written.

    Raises
    ------
    ValueError
        An unknown type or field, or a value that the algorithm refuses.
    """
    if spelled.get("type") not in list(ALGORITHMS):  # a list: what is found may have no hash
        found = spelled.get("type")
        raise ValueError(f"type: found {found!r}, expected one of {', '.join(ALGORITHMS)}{nearest(found, ALGORITHMS)}")
    if "seed" in spelled:
        raise ValueError("seed: found here, expected `seeds` beside `algorithms`")
    query = spelled.get("query", {})
    if not isinstance(query, Mapping):
        raise ValueError(f"query: found {query!r}, expected a mapping such as {{nprobe: [1, 2, 4]}}")
    grid = query_grid(query)
    for plain in alternatives({key: content for key, content in spelled.items() if key not in ("query", "variants")}):
        algorithm = from_parameters(plain, MEMBERS)
        if grid and not hasattr(algorithm, "clustering"):
            raise ValueError(f"query: found {query!r}, expected none: {algorithm!r} has no lists to probe")
        yield algorithm, grid
