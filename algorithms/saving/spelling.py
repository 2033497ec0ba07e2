"""Values of arrays spelled out as JSON data, and read back: one walk for every class.

Whatever is made of arrays, numbers, texts, True, False and None, by dataclasses, named tuples, tuples, lists and
mappings, becomes a tree of JSON and a list of arrays. Classes are named in the tree; which names may be read is said by
the caller, and nothing is imported or evaluated because a file says so.

None, True, False, integers, finite floats and texts stand for themselves, a list for a list. All else is an object
whose ``kind`` says what it is:

- ``array``: ``at``, its place among the arrays;
- ``number``: ``type`` and ``value`` of a NumPy number, or of a float that JSON has no word for (a text, such as "inf");
- ``tuple``: ``items``;
- ``mapping``: ``items``, pairs of key and value in their order;
- ``part``: ``class`` and ``fields``.
"""

import dataclasses
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from .array_file import DTYPES

Classes = Mapping[str, type]


class Speller:
    """Spells values out, and collects their arrays.

    Parameters
    ----------
    classes : mapping of name to class
        What parts may be.

    Attributes
    ----------
    arrays : dict of name to array
        By the place where each was met first; an array that is met again is not kept twice.
    """

    def __init__(self, classes: Classes) -> None:
        self.arrays: dict[str, npt.NDArray[Any]] = {}
        self._names = {chosen: name for name, chosen in classes.items()}
        self._places: dict[Any, int] = {}

    def spell(self, value: Any, name: str) -> Any:
        """Return a value as JSON data.

        Parameters
        ----------
        value
        name : str
            What to call it in an error, and its arrays in the file.

        Raises
        ------
        ValueError
            It holds something that cannot be saved.
        """
        if value is None or type(value) in (bool, int, str) or (type(value) is float and math.isfinite(value)):
            return value
        if isinstance(value, np.ndarray):
            return {"kind": "array", "at": self._place(value, name)}
        if type(value) is float or (isinstance(value, np.generic) and value.dtype.name in DTYPES):
            return _spelled_number(value)
        if type(value) in self._names:
            fields = {field: self.spell(getattr(value, field), f"{name}.{field}") for field in _fields(type(value))}
            return {"kind": "part", "class": self._names[type(value)], "fields": fields}
        if type(value) is list:
            return self._spelled_items(value, name)
        if type(value) is tuple:
            return {"kind": "tuple", "items": self._spelled_items(value, name)}
        if isinstance(value, Mapping):
            items = [[self.spell(key, f"{name} key"), self.spell(value[key], f"{name}[{key!r}]")] for key in value]
            return {"kind": "mapping", "items": items}
        raise ValueError(
            f"{name}: found {type(value).__name__}, which cannot be saved, expected arrays, numbers, texts or one of "
            f"{', '.join(sorted(self._names.values()))}"
        )

    def _spelled_items(self, items: Iterable[Any], name: str) -> list[Any]:
        return [self.spell(item, f"{name}[{place}]") for place, item in enumerate(items)]

    def _place(self, array: npt.NDArray[Any], name: str) -> int:
        if array.dtype.name not in DTYPES:
            raise ValueError(f"{name}: found an array of {array.dtype}, expected one of {', '.join(DTYPES)}")
        # The same memory seen in the same way: the space of lists and routes, for one. All live as long as the value.
        same = (array.ctypes.data, array.shape, array.strides, array.dtype.str) if array.size else name
        if same not in self._places:
            self._places[same] = len(self.arrays)
            self.arrays[name] = array
        return self._places[same]


def read_spelled(tree: Any, name: str, arrays: list[npt.NDArray[Any]], classes: Classes) -> Any:
    """Return the value that was spelled out.

    Parameters
    ----------
    tree : JSON data
    name : str
        What to call it in an error.
    arrays : list of array
        In the order in which they were collected.
    classes : mapping of name to class
        What may be named.

    Raises
    ------
    ValueError
        An unknown class, unknown or missing fields, or no tree at all.
    """
    if isinstance(tree, list):
        return [read_spelled(item, f"{name}[{place}]", arrays, classes) for place, item in enumerate(tree)]
    if not isinstance(tree, dict):
        return tree
    match tree:
        case {"kind": "array", "at": int(at)} if 0 <= at < len(arrays):
            return arrays[at]
        case {"kind": "number", "type": str(kind), "value": number}:
            return _read_number(kind, number, name)
        case {"kind": "tuple", "items": list(items)}:
            return tuple(read_spelled(items, name, arrays, classes))
        case {"kind": "mapping", "items": list(items)}:
            return dict(read_spelled(items, name, arrays, classes))
        case {"kind": "part", "class": str(chosen), "fields": dict(fields)}:
            return _read_part(chosen, fields, name, arrays, classes)
    raise ValueError(f"{name}: found {str(tree)[:80]}, expected an array, a number, a tuple, a mapping or a part")


def _read_part(chosen: str, fields: dict[str, Any], name: str, arrays: list[npt.NDArray[Any]], classes: Classes) -> Any:
    if chosen not in classes:
        raise ValueError(f"{name}: found class {chosen!r}, expected one of {', '.join(sorted(classes))}")
    known = _fields(classes[chosen])
    missing = [field for field, required in known.items() if required and field not in fields]
    if missing or not fields.keys() <= known.keys():
        raise ValueError(
            f"{name}: found {chosen} with fields {', '.join(fields) or 'none'}, expected {', '.join(known)}"
        )  # fmt: skip
    return classes[chosen](
        **{field: read_spelled(value, f"{name}.{field}", arrays, classes) for field, value in fields.items()}
    )


def _fields(chosen: type) -> dict[str, bool]:
    # Each field of a dataclass or named tuple, and whether it must be given: one added later has a default, and files
    # from before remain readable.
    if dataclasses.is_dataclass(chosen):
        absent = dataclasses.MISSING
        return {
            field.name: field.default is absent and field.default_factory is absent
            for field in dataclasses.fields(chosen)
        }
    defaults: Mapping[str, Any] = chosen._field_defaults  # type: ignore[attr-defined]
    return {field: field not in defaults for field in chosen._fields}  # type: ignore[attr-defined]


def _spelled_number(value: Any) -> dict[str, Any]:
    plain = value.item() if isinstance(value, np.generic) else value
    kind = value.dtype.name if isinstance(value, np.generic) else "float"
    finite = not isinstance(plain, float) or math.isfinite(plain)
    return {"kind": "number", "type": kind, "value": plain if finite else str(plain)}


def _read_number(kind: str, number: Any, name: str) -> Any:
    if kind not in ("float", *DTYPES) or isinstance(number, list | dict) or number is None:
        raise ValueError(f"{name}: found a number of type {kind!r}, expected float or one of {', '.join(DTYPES)}")
    plain = float(number) if isinstance(number, str) else number
    try:
        return plain if kind == "float" else np.dtype(kind).type(plain)
    except OverflowError:
        raise ValueError(f"{name}: found {number}, expected a number of type {kind}") from None
