"""An index as a file: `IVFIndex.save`, `IVF.load`.

What is saved are the fields of the index, but for what policies computed while it was searched. Beside them the file
says what it holds, for people and for `read_facts`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ... import __version__
from ..codecs.compressed_lists import CompressedLists
from ..index import Built
from ..ivf import IVFIndex
from ..kernels.blocks import LAYOUTS
from ..kernels.lookup import LAYOUT
from ..probing.calibration import Calibration
from ..registry import MEMBERS
from ..value import Value, from_parameters, parameters, text
from .array_file import IndexFileError, read_array_file, read_header, write_array_file
from .parts import LISTS, PARTS, ROUTES
from .spelling import Speller, read_spelled

# The fields of an index, and what each may be.
FIELDS: dict[str, tuple[type, ...]] = {
    "lists": tuple(LISTS.values()),
    "routes": tuple(ROUTES.values()),
    "count": (int,),
    "built": (Built,),
    "centroids": (np.ndarray,),
    "calibration": (Calibration, type(None)),
}


def save_index(index: IVFIndex, path: str | Path) -> None:
    """Write an index into one file, whole or not at all.

    Raises
    ------
    ValueError
        A part that cannot be saved, named.
    OSError
        The file cannot be written; what was there before still is.
    """
    speller = Speller(PARTS)
    spelled = {field: speller.spell(getattr(index, field), f"index.{field}") for field in FIELDS}
    write_array_file(Path(path), {"facts": _facts(index), "index": spelled}, speller.arrays)


def _facts(index: IVFIndex) -> dict[str, Any]:
    made_by = index.algorithm
    return {
        "created_by": f"ivfbench {__version__}",
        "algorithm": None if made_by is None else {"text": text(made_by), "parameters": parameters(made_by)},
        "metric": index.lists.metric,
        "n": int(index.lists.sizes.sum()),
        "d": len(index.lists.space.center),
        "lists": index.count,
        "code_layout": index.lists.layout if isinstance(index.lists, CompressedLists) else None,
    }


def read_facts(path: str | Path) -> Mapping[str, Any]:
    """Return what a file says it holds, without reading any array.

    Returns
    -------
    mapping
        ``created_by``; ``algorithm``: its ``text`` and ``parameters``, or None; ``metric``; ``n``, ``d``, ``lists``;
        ``code_layout``: of 4-bit codes (`kernels.blocks`), None without them.

    Raises
    ------
    IndexFileError
        It is no file that `save_index` wrote, or a damaged one.
    """
    facts: Mapping[str, Any] = read_header(Path(path)).content["facts"]
    return facts


def load_index(path: str | Path, *, mapped: bool = True, verify: bool | None = None) -> IVFIndex:
    """Read an index; the parameters are those of `IVF.load`."""
    path = Path(path)
    header, arrays = read_array_file(path, mapped=mapped, verify=verify)
    try:
        facts, spelled = header.content["facts"], header.content["index"]
        fields = {field: _read_field(spelled, field, arrays) for field in FIELDS}
        fields["lists"] = _in_this_layout(fields["lists"], facts["code_layout"])
        made_by = _algorithm(facts["algorithm"])
    except (ValueError, KeyError, TypeError) as error:
        found = f"found no {error}" if isinstance(error, KeyError) else str(error)
        raise IndexFileError(f"{path}: {found}") from error
    return IVFIndex(**fields, algorithm=made_by)


def _read_field(spelled: Mapping[str, Any], field: str, arrays: list[Any]) -> Any:
    value = read_spelled(spelled[field], f"index.{field}", arrays, PARTS)
    if type(value) not in FIELDS[field]:
        expected = ", ".join(chosen.__name__ for chosen in FIELDS[field])
        raise ValueError(f"index.{field}: found {type(value).__name__}, expected one of {expected}")
    return value


def _in_this_layout(lists: Any, layout: str | None) -> Any:
    # Codes of 4 bits lie as the processor that wrote them looks them up; another one needs them in another order.
    if not isinstance(lists, CompressedLists) or lists.layout is None or layout == LAYOUT:
        return lists
    if layout not in LAYOUTS:
        raise ValueError(f"code_layout: found {layout!r}, expected one of {', '.join(LAYOUTS)}")
    return lists.from_layout(layout)


def _algorithm(said: Mapping[str, Any] | None) -> Value | None:
    # It describes, and no search reads it: parameters that this version does not know do not spoil the index.
    if said is None:
        return None
    try:
        value = from_parameters(said["parameters"], MEMBERS)
    except ValueError:
        return None
    return value if isinstance(value, Value) else None
