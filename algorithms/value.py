"""Small frozen values that print themselves canonically: that text is their key in the results.

An algorithm is a frozen dataclass whose fields are numbers, texts or other such values. `text` prints it as
Python would, leaving out what equals the default; `parameters` spells out every field as plain JSON data, and
`from_parameters` reads that back. Nothing here evaluates text.
"""

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from typing import Any


class Value:
    """Base of every algorithm and every part of one; subclasses are frozen dataclasses."""

    __slots__ = ()

    def __repr__(self) -> str:
        return text(self)


def _fields(value: Any) -> list[tuple[dataclasses.Field[Any], Any]]:
    return [(field, getattr(value, field.name)) for field in dataclasses.fields(value)]


def text(value: Any) -> str:
    """Return the canonical text, such as ``IVF(KMeans(lists=328), Learnt(), Float32())``.

    Parts are printed bare, scalars with their names; a scalar that equals its default is left out, and so is a field
    declared with ``repr=False``.
    """
    parts = []
    for field, content in _fields(value):
        if not field.repr:
            continue
        if isinstance(content, Value):
            parts.append(text(content))
        elif field.default is dataclasses.MISSING or content != field.default:
            parts.append(f"{field.name}={content!r}")
    return f"{type(value).__name__}({', '.join(parts)})"


def parameters(value: Any) -> dict[str, Any]:
    """Return every field as JSON data; the key ``type`` names the class."""
    spelled: dict[str, Any] = {"type": type(value).__name__}
    for field, content in _fields(value):
        spelled[field.name] = parameters(content) if isinstance(content, Value) else content
    return spelled


def nearest(found: Any, known: Iterable[str]) -> str:
    """Return ``"; did you mean lists?"``, or nothing where nothing known looks like what was found."""
    close = difflib.get_close_matches(str(found)[:80].lower(), names := {name.lower(): name for name in known}, n=1)
    return f"; did you mean {names[close[0]]}?" if close else ""


def from_parameters(data: Mapping[str, Any], classes: Mapping[str, type]) -> Any:
    """Build the value that `parameters` spelled out.

    Parameters
    ----------
    data : mapping
        With the key ``type``.
    classes : mapping of name to class
        What may be named: see `registry`.

    Raises
    ------
    ValueError
        An unknown type or field, or a field of the wrong type: one line that says which.
    """
    name = data.get("type")
    if not isinstance(name, str) or name not in classes:
        raise ValueError(f"type: found {name!r}, expected one of {', '.join(sorted(classes))}{nearest(name, classes)}")
    chosen = classes[name]
    known = {field.name: field for field in dataclasses.fields(chosen)}
    arguments = {}
    for key, content in data.items():
        if key == "type":
            continue
        if key not in known:
            expected = ", ".join(known) or "none"
            raise ValueError(f"{name}.{key}: no such field, expected one of {expected}{nearest(key, known)}")
        arguments[key] = from_parameters(content, classes) if isinstance(content, Mapping) else content
    try:
        return chosen(**arguments)
    except TypeError as error:
        raise ValueError(f"{name}: {error}") from None
