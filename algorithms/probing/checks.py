"""Numbers that policies take, checked where they are given."""

from typing import Any

LARGEST = 1e300  # anything beyond is no setting but a mistake, and would not survive the arithmetic


def share(value: Any, name: str) -> None:
    """Raise ValueError unless `value` is a number above 0 and at most 1."""
    if not _is_number(value) or not 0 < value <= 1:
        raise ValueError(f"{name}: found {value!r}, expected a number above 0 and at most 1")


def at_least_zero(value: Any, name: str) -> None:
    """Raise ValueError unless `value` is a finite number of at least 0."""
    if not _is_number(value) or not 0 <= value < LARGEST:
        raise ValueError(f"{name}: found {value!r}, expected a finite number of at least 0")


def above_zero(value: Any, name: str) -> None:
    """Raise ValueError unless `value` is a finite number above 0."""
    if not _is_number(value) or not 1 / LARGEST < value < LARGEST:
        raise ValueError(f"{name}: found {value!r}, expected a finite number above 0")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
