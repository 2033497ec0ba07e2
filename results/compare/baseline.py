"""A committed baseline: what an experiment answered and how much work it did, in a small file.

Everything in it is exact on the machine and with the libraries that wrote it: answers and counts are then compared to
the last id. On another processor, or with other versions, sums of float32 are taken in another order (registers are
wider, a library multiplies otherwise), k-means ends in a slightly other place, and so do all lists. There the means
are compared within tolerances, and the report says so.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..canonical import canonical_json
from ..errors import ResultError
from ..files import replacing
from ..run import Run
from .folders import curves_of_runs
from .sides import Answers, Curve

SCHEMA = "ivfbench layer-0 baseline 1"
RECALL, WORK = 0.02, 0.05
"""Elsewhere than where it was written: differences of mean recall, and shares of work and bytes, that say nothing."""


@dataclass(frozen=True)
class Checked:
    """What a check against a baseline found.

    Attributes
    ----------
    exact : bool
        Whether the file was written by the same processor and libraries.
    curves, settings : int
        How many were compared.
    problems : tuple of str
        One line each; none: it holds.
    """

    exact: bool
    curves: int
    settings: int
    problems: tuple[str, ...]


def is_baseline(path: Path) -> bool:
    """Whether a file is a baseline."""
    return _read(path).get("schema") == SCHEMA if path.is_file() and path.suffix == ".json" else False


def write_baseline(path: Path, runs: Iterable[Run]) -> Path:
    """Write the baseline of some runs, whole or not at all; equal runs give equal bytes."""
    found, machine = _held(runs)
    document = {
        "schema": SCHEMA,
        "exact_for": _identity(machine),
        "written_on": {"processor": machine.get("processor"), "packages": machine.get("packages")},
        "curves": {str(curve): _entry(answers) for curve, answers in sorted(found.items(), key=lambda item: item[0])},
    }
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return path


def check_baseline(path: Path, runs: Iterable[Run]) -> Checked:
    """Compare runs with a baseline.

    Raises
    ------
    ResultError
        The file is no baseline, or the runs hold nothing.
    """
    document = _read(path)
    if document.get("schema") != SCHEMA:
        raise ResultError(f"{path}: found no {SCHEMA!r}, expected a file that `--write-baseline` wrote")
    found, machine = _held(runs)
    exact = document["exact_for"] == _identity(machine)
    entries = {str(curve): _entry(answers) for curve, answers in found.items()}
    problems = [f"{name}: not measured" for name in document["curves"] if name not in entries]
    problems += [f"{name}: not in the baseline" for name in entries if name not in document["curves"]]
    both = [name for name in document["curves"] if name in entries]
    for name in both:
        problems += _differences(name, document["curves"][name], entries[name], exact)
    settings = sum(len(entries[name]["settings"]) for name in both)
    return Checked(exact, len(both), settings, tuple(problems))


def _held(runs: Iterable[Run]) -> tuple[dict[Curve, Answers], Mapping[str, Any]]:
    runs = list(runs)
    found = curves_of_runs(runs)
    if not found:
        raise ResultError("baseline: found no search that succeeded, expected at least one")
    return found, runs[0].environment


def _identity(machine: Mapping[str, Any]) -> str:
    identity = {name: machine.get(name) for name in ("processor", "processor_name_of_llvm", "packages")}
    return hashlib.sha256(canonical_json(identity).encode("ascii")).hexdigest()[:16]


def _entry(answers: Answers) -> dict[str, Any]:
    return {
        "index_bytes": answers.index_bytes,
        "settings": {
            setting: {
                "ids": answers.digests[place],
                "recall": round(float(answers.recall[place].mean()), 6),
                "lists": round(float(answers.lists[place].mean()), 3),
                "points": round(float(answers.points[place].mean()), 3),
            }
            for place, setting in enumerate(answers.settings)
        },
    }


def _differences(name: str, was: Mapping[str, Any], found: Mapping[str, Any], exact: bool) -> list[str]:
    problems = _sizes(f"{name}: index bytes", was["index_bytes"], found["index_bytes"], 0.0 if exact else WORK)
    for setting in was["settings"].keys() | found["settings"].keys():
        one, other = was["settings"].get(setting), found["settings"].get(setting)
        where = f"{name} at {setting}"
        if one is None or other is None:
            problems.append(f"{where}: {'not in the baseline' if one is None else 'not measured'}")
            continue
        if exact and one["ids"] != other["ids"]:
            problems.append(f"{where}: other ids")
        if abs(one["recall"] - other["recall"]) > (1e-6 if exact else RECALL):
            problems.append(f"{where}: recall {other['recall']:.4f}, was {one['recall']:.4f}")
        for counted in ("lists", "points"):
            problems += _sizes(f"{where}: {counted}", one[counted], other[counted], 0.0 if exact else WORK)
    return sorted(problems)


def _sizes(where: str, was: float, found: float, share: float) -> list[str]:
    if np.isclose(was, found, rtol=share, atol=1e-3):
        return []
    return [f"{where} {found:,.6g}, was {was:,.6g}"]


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        found = "an unreadable file" if path.exists() else "no such file"
        raise ResultError(f"{path}: found {found}, expected JSON") from error
    return document if isinstance(document, dict) else {}
