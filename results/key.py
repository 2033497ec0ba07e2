"""Where a run lives: its identity, and the file name that follows from it.

Readable slugs alone collide ([0.5] and [0, 5] both become ``0_5``), and long ones break file systems. So the
slug is only for people, and the identity is a hash of everything that makes two measurements comparable.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .canonical import canonical_json

SUFFIX = ".hdf5"
SHORT = 12  # hexadecimal digits of the key in a file name: 48 bits


def run_key(
    *,
    dataset_sha256: str,
    algorithm: str,
    parameters: Mapping[str, Any],
    k: int,
    seed: int,
    threads: int,
) -> str:
    """Return the identity of a run, 64 hexadecimal digits.

    Parameters
    ----------
    dataset_sha256
        The hash of the dataset: same name with other vectors is another run.
    algorithm, parameters
        Canonical text and mapping. Both, because two algorithms may have equal (say, no) parameters.
    k, seed, threads
        As in `Run`.

    Raises
    ------
    ResultError
        The parameters have no canonical JSON.
    """
    identity = [dataset_sha256, algorithm, canonical_json(parameters, where="parameters"), k, seed, threads]
    return hashlib.sha256(canonical_json(identity).encode("ascii")).hexdigest()


def run_folder(folder: Path, dataset: str, k: int) -> Path:
    """Return ``<folder>/<dataset>/<k>``, the home of the runs of a dataset at k."""
    return folder / slug(dataset) / str(k)


def run_name(algorithm: str, key: str) -> str:
    """Return ``<readable slug>-<12 hexadecimal digits of the key>.hdf5``."""
    return f"{slug(algorithm)}-{key[:SHORT]}{SUFFIX}"


def slug(text: str, longest: int = 80) -> str:
    """Return `text` as a safe piece of a file name: letters, digits, dots and hyphens.

    Parameters
    ----------
    text
        Anything.
    longest
        The most characters to keep.
    """
    kept = re.sub(r"[^A-Za-z0-9.]+", "-", text)[:longest].strip("-.")
    return kept or "unnamed"
