"""Folders of ann-benchmarks algorithms: ``FOLDER/*/config.yml``, checked at the door.

A configuration has a section for each point type and metric (``float: {euclidean: [...], any: [...]}``); each lists
algorithms with the grids of their arguments. The vectors here are floats: of a configuration that has none for them, or
none for their metric, one definition is left that says so.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError, field_validator

from ..algorithms.definitions.definition import Definition, is_json
from ..algorithms.definitions.foreign_module import MODULE, folder_digest
from .errors import RunError
from .expansion import constructor_arguments, query_arguments

ANY = "any"
ANY_METRIC = ("euclidean", "angular")  # of vectors of floats, ann-benchmarks knows these
_POINTS = "float"


class RunGroup(BaseModel):
    """One grid; see `expansion`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    args: Any = None
    arg_groups: Any = None
    query_args: Any = None
    query_arg_groups: Any = None


class Entry(BaseModel):
    """One algorithm of a section; what concerns Docker is not read."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(min_length=1)
    module: str = Field(min_length=1)
    constructor: str = Field(min_length=1)
    disabled: bool = False
    base_args: list[Any] = Field(default_factory=list)
    run_groups: dict[Any, RunGroup]

    @field_validator("base_args")
    @classmethod
    def _plain(cls, given: list[Any]) -> list[Any]:
        if not is_json(given):
            raise ValueError(_PLAIN)
        return given

    @field_validator("run_groups")
    @classmethod
    def _expands(cls, groups: dict[Any, RunGroup]) -> dict[Any, RunGroup]:
        for name, group in groups.items():
            spelled = group.model_dump()
            if not is_json(spelled):
                raise ValueError(f"{name}: {_PLAIN}")
            try:
                constructor_arguments([], spelled, {})
                query_arguments(spelled)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        return groups


_PLAIN = "expected finite numbers, texts, true, false, null, lists, and mappings with texts as keys"
Sections = dict[str, dict[str, list[Entry]]]


class _Config(RootModel[Sections]):
    pass


@dataclass(frozen=True, slots=True)
class Folder:
    """The configuration of one folder.

    Attributes
    ----------
    path : Path
        Of the configuration.
    sections : mapping
        Point type to metric to entries.
    modules : mapping
        What entries call their module to its folder and the digest of that.
    """

    path: Path
    sections: Sections
    modules: Mapping[str, tuple[Path, str]]


def read_definitions(folder: Path) -> list[Folder]:
    """Read ``<folder>/*/config.yml``, in the order of their names. Nothing is imported.

    Raises
    ------
    RunError
        No such folder, nothing in it, or a configuration that is none: one line that names file and field.
    """
    if not folder.is_dir():
        raise RunError(f"--definitions {folder}: no such folder")
    paths = [path for path in sorted(folder.glob("*/config.yml")) if path.parent.name != "base"]
    if not paths:
        inside = "; config.yml stands in it, is its parent meant?" if (folder / "config.yml").exists() else ""
        raise RunError(f"--definitions {folder}: found no */config.yml, expected one folder for each algorithm{inside}")
    return [_read(path) for path in paths]


def _read(path: Path) -> Folder:
    try:
        sections = _Config.model_validate(yaml.safe_load(path.read_text("utf-8"))).root
    except ValidationError as error:
        raise RunError(f"{path}: {_first_problem(error)}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{path}: cannot be read as text: {error}") from None
    except Exception as error:  # wrongly tagged scalars escape the loader as KeyError and others
        raise RunError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    modules: dict[str, tuple[Path, str]] = {}
    for point_type, metrics in sections.items():
        for metric, entries in metrics.items():
            for place, entry in enumerate(entries):
                if entry.module not in modules:
                    where = f"{path}: {point_type}.{metric}[{place}].module"
                    home = _home(path.parent, entry.module, where)
                    modules[entry.module] = (home, folder_digest(home))
    return Folder(path, sections, modules)


def _home(own: Path, module: str, where: str) -> Path:
    # Modules are named by where ann-benchmarks has them: the last part is the folder.
    named = own.parent / module.rpartition(".")[2]
    for home in (named, own):
        if (home / MODULE).is_file():
            return home
    raise RunError(f"{where}: found {module!r}, expected the file {named / MODULE}")


def _first_problem(error: ValidationError) -> str:
    problem = error.errors()[0]
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"]).lstrip(".")
    said = problem["msg"].lower().removeprefix("value error, ")
    found = "" if problem["type"] in ("missing", "value_error") else f"found {problem['input']!r}"[:100] + ": "
    return " ".join(f"{place or 'the file'}: {found}{said}".split())


def expand_definitions(
    folders: list[Folder], metric: str, dimension: int, k: int
) -> Iterator[tuple[Definition, tuple[Mapping[str, Any], ...]]]:
    """Yield each definition for the vectors of a dataset, with the sweep points that stand beside it.

    Parameters
    ----------
    folders : list of Folder
    metric : str
        Of the dataset. What stands under ``any`` is for `ANY_METRIC`, other metrics need a section of their own;
        without one, ``normalized`` is served as ``angular``, the same for vectors of unit length.
    dimension, k : int
    """
    for folder in folders:
        own = metric in folder.sections.get(_POINTS, {})
        served = "angular" if metric == "normalized" and not own else metric
        variables = {"@metric": served, "@dimension": dimension, "@count": k}
        chosen = _selected(folder, served)
        for name, entry in chosen.items():
            if entry.disabled:
                continue
            home, content = folder.modules[entry.module]
            for group in entry.run_groups.values():
                spelled = group.model_dump()
                points = _points(query_arguments(spelled))
                for arguments in constructor_arguments(entry.base_args, spelled, variables):
                    yield Definition(name, tuple(arguments), content, str(home), entry.constructor), points
        yield from _refused(folder, served, chosen)


def _selected(folder: Folder, metric: str) -> dict[str, Entry]:
    # A later entry replaces an earlier one of the same name, and the metric's own come last.
    sections = folder.sections.get(_POINTS, {})
    general = sections.get(ANY, []) if metric in ANY_METRIC else []
    return {entry.name: entry for entry in [*general, *sections.get(metric, [])]}


def _refused(
    folder: Folder, metric: str, chosen: Mapping[str, Entry]
) -> Iterator[tuple[Definition, tuple[Mapping[str, Any], ...]]]:
    others: dict[str, tuple[Entry, list[str]]] = {}
    for point_type, metrics in folder.sections.items():
        for name, entries in metrics.items():
            for entry in entries:
                if entry.name not in chosen and not entry.disabled:
                    others.setdefault(entry.name, (entry, []))[1].append(f"{point_type}.{name}")
    for entry, served in others.values():
        home, content = folder.modules[entry.module]
        means = f" ({ANY}: {' and '.join(ANY_METRIC)})" if f"{_POINTS}.{ANY}" in served else ""
        why = f"metric: found {_POINTS}.{metric}, {folder.path} has {entry.name} for {', '.join(served)}{means}"
        yield Definition(entry.name, (), content, str(home), entry.constructor, why), ({},)


def _points(groups: list[list[Any]]) -> tuple[Mapping[str, Any], ...]:
    points: list[Mapping[str, Any]] = []
    for arguments in groups:
        point = {"query_arguments": arguments} if arguments else {}
        if point not in points:
            points.append(point)
    return tuple(points)
