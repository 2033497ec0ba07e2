"""Changes that are accepted beforehand, each for a reason: a small YAML file under version control.

::

    - commit: 4f1c2ab            # of head; the beginning is enough
      reason: searches exactly now, as promised in 2.0
      curve: "*Centroid*"        # a glob; without it, all curves

A failure of such a curve at such a commit does not fail the comparison, and a step of its history there is no news.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from ..errors import ResultError
from .comparison import Comparison
from .sides import Curve

_KEYS = {"commit", "reason", "curve"}
_SHORTEST = 7  # digits of a commit


@dataclass(frozen=True)
class Accepted:
    """One accepted change."""

    commit: str
    reason: str
    curve: str = "*"


def load_accepted(path: Path) -> list[Accepted]:
    """Read an accept file.

    Raises
    ------
    ResultError
        No such file, no YAML, or an entry without a commit of at least 7 digits or without a reason: one line.
    """
    try:
        entries: Any = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ResultError(f"{path}: found no readable YAML: {' '.join(str(error).split())}") from None
    if not isinstance(entries, list):
        raise ResultError(f"{path}: found {type(entries).__name__}, expected a list of commit, reason and curve")
    return [_entry(entry, f"{path}: entry {place}") for place, entry in enumerate(entries, 1)]


def _entry(entry: Any, where: str) -> Accepted:
    if not isinstance(entry, dict) or not set(entry) <= _KEYS:
        raise ResultError(f"{where}: found {entry!r}, expected commit, reason and, if need be, curve")
    commit, reason = str(entry.get("commit", "")), str(entry.get("reason") or "").strip()
    if len(commit) < _SHORTEST:
        raise ResultError(f"{where}: found the commit {commit!r}, expected at least {_SHORTEST} digits (in quotes)")
    if not reason:
        raise ResultError(f"{where}: found no reason, expected one")
    return Accepted(commit, reason, str(entry.get("curve", "*")))


def reasons(accepted: list[Accepted], comparison: Comparison) -> dict[Curve, str]:
    """Return the curves of a comparison whose failure is accepted, each with its reason."""
    commit = str(comparison.machine.get("head_commit") or "")
    return {
        one.curve: entry.reason
        for one in comparison.judged
        for entry in accepted
        if commit.startswith(entry.commit) and fnmatchcase(str(one.curve), entry.curve)
    }
