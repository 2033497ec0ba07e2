"""A module of ann-benchmarks, imported from its folder: this runs the code that is in there.

Such a module believes that it lives in the package ``ann_benchmarks.algorithms`` and imports ``..base.module``, or
another algorithm's module, from there. A package of that name is set up for it: its folder is the folder of all
algorithms, and its ``base`` is ours. ann-benchmarks need not be installed; what is installed is not looked at. In a
checkout (the folder is called ``algorithms``) the other files of ann-benchmarks can be imported too.
"""

import hashlib
import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from ..base import module as base
from ..index import Unavailable

PACKAGE = "ann_benchmarks.algorithms"
MODULE = "module.py"
_NOT_CODE = ("config.yml", "Dockerfile")  # grids and images: what they change is in the arguments, or outside


def folder_digest(folder: Path) -> str:
    """Hash the names and contents of an algorithm's files, its grids left out: 12 hexadecimal digits."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and "__pycache__" not in name.parts and str(name) not in _NOT_CODE:
            digest.update(name.as_posix().encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def constructor_of(folder: Path, name: str, content: str) -> Any:
    """Import ``<folder>/module.py`` and return the class that it calls `name`.

    Parameters
    ----------
    folder : Path
        Of one algorithm, beside others that it may import.
    name : str
    content : str
        `folder_digest` of what is to be measured.

    Raises
    ------
    Unavailable
        The module imports what is not installed.
    ValueError
        The files are others than those that were to be measured, or there is no such class.
    """
    if folder_digest(folder) != content:
        raise ValueError(f"{folder}: the files changed while the run was going on")
    _set_up(folder.resolve().parent, content)
    try:
        found = importlib.import_module(f"{PACKAGE}.{folder.resolve().name}.{Path(MODULE).stem}")
    except ModuleNotFoundError as error:
        raise Unavailable(f"{folder / MODULE} imports {error.name}, which is not installed") from error
    if not callable(getattr(found, name, None)):
        raise ValueError(f"{folder / MODULE}: found no class {name}, expected the one that config.yml names")
    return getattr(found, name)


def _set_up(algorithms: Path, content: str) -> None:
    # Anew for other files, so that no module of theirs survives its own change.
    present = getattr(sys.modules.get(PACKAGE), "stands_for", None)
    if present == (algorithms, content):
        return
    above = PACKAGE.partition(".")[0]
    for name in [name for name in sys.modules if name == above or name.startswith(f"{above}.")]:
        del sys.modules[name]
    importlib.invalidate_caches()
    outer = _package(above, [algorithms.parent] if algorithms.name == "algorithms" else [])
    inner = _package(PACKAGE, [algorithms])
    ours = _package(f"{PACKAGE}.base", [])
    vars(outer)["algorithms"], vars(inner)["base"], vars(ours)["module"] = inner, ours, base
    vars(inner)["stands_for"] = (algorithms, content)
    sys.modules[f"{PACKAGE}.base.module"] = base


def _package(name: str, folders: list[Path]) -> ModuleType:
    package = ModuleType(name)
    package.__path__ = [str(folder) for folder in folders]
    sys.modules[name] = package
    return package
