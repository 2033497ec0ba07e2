"""One text per value: the JSON that keys, tables and files all use.

Two parameter sets are the same exactly when their texts are the same, so the text must not depend on the
order of insertion, on spaces, or on whether a number arrived as a Python or a NumPy scalar.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from .errors import ResultError


def canonical_json(value: Any, *, strict: bool = True, where: str = "value") -> str:
    """Return the canonical JSON text of a value: sorted keys, no spaces, ASCII.

    Parameters
    ----------
    value
        Mappings with text keys, lists, tuples, text, numbers, booleans, None; NumPy scalars and arrays too.
    strict
        Refuse NaN and infinities, which are not JSON. Free notes are written with ``strict=False``.
    where
        The name used in error messages.

    Returns
    -------
    str
        Equal texts for equal values; floats keep every bit.

    Raises
    ------
    ResultError
        A key that is not text, a type JSON does not have, or NaN and infinities when strict.
    """
    plain = _plain(value, where)
    try:
        return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=not strict)
    except ValueError as error:
        raise ResultError(f"{where}: found NaN or infinity, expected finite numbers") from error


def _plain(value: Any, where: str) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return _plain(value.tolist(), where)
    if isinstance(value, Mapping):
        return {_key(key, where): _plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, f"{where}[{position}]") for position, item in enumerate(value)]
    if value is None or isinstance(value, str | int | float):
        return value
    raise ResultError(f"{where}: found a {type(value).__name__}, expected text, a number, a list or a mapping")


def _key(key: Any, where: str) -> str:
    if isinstance(key, str):
        return key
    raise ResultError(f"{where}: found the key {key!r} ({type(key).__name__}), expected text keys")
