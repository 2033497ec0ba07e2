"""Embeddings as they grow: blocks in a folder, each whole or absent, so that a killed run goes on where it stopped.

Beside the blocks lies ``manifest.json``: everything that a vector depends on. A run with other settings does not go on
with blocks that are not its own; it says what differs.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .encoder import Encoder
from .errors import DatasetError, one_line
from .projection import unit_length
from .vectors import read_vectors_file
from .write import replacing

MANIFEST = "manifest.json"

Settings = Mapping[str, str | int | bool]


def open_parts(folder: Path, settings: Settings) -> None:
    """Make a folder for blocks, or make sure that the one there was begun with the same settings.

    Raises
    ------
    DatasetError
        If it was not, is something else, or cannot be made.
    """
    manifest = folder / MANIFEST
    if manifest.is_file():
        _compare(folder, _read(manifest), settings)
        return
    if folder.exists() and (not folder.is_dir() or any(folder.glob("*.npy"))):
        raise DatasetError(f"{folder}: found no {MANIFEST}, expected embeddings begun before, or nothing")
    with replacing(manifest) as temporary:
        temporary.write_text(json.dumps(dict(settings), indent=2, sort_keys=True) + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Parts:
    """Where blocks grow, and how they are made.

    Attributes
    ----------
    folder
        As made by `open_parts`.
    encoder
        Asked for one block at a time.
    block
        Texts per block.
    normalise
        Bring vectors to unit length before they are stored.
    store
        ``float32`` or ``float16``.
    """

    folder: Path
    encoder: Encoder
    block: int
    normalise: bool
    store: str

    def encode(
        self, kind: str, texts: Iterable[str], count: int, progress: Callable[[int, int], None] | None = None
    ) -> npt.NDArray[Any]:
        """Encode texts block by block, skipping the blocks that are there, and gather all of them.

        Parameters
        ----------
        kind
            What the texts are: the blocks are called ``<kind>-000000.npy`` and so on.
        texts
            `count` texts; consumed once.
        count
            How many, at least 1.
        progress
            Called with (texts done, texts in all).

        Returns
        -------
        numpy.ndarray
            (count, d) of the type stored.

        Raises
        ------
        DatasetError
            If the encoder gives something else than one finite vector per text, or a block is not what it should be.
        """
        remaining = iter(texts)
        out: npt.NDArray[Any] | None = None
        for start in range(0, count, self.block):
            if progress is not None:
                progress(start, count)
            batch = list(islice(remaining, min(self.block, count - start)))
            rows = self._block(kind, start, batch)
            if out is None:
                out = np.empty((count, rows.shape[1]), self.store)
            if rows.shape[1] != out.shape[1]:
                found = f"{kind} texts from {start} on have {rows.shape[1]} dimensions"
                raise DatasetError(f"{self.folder}: {found}, expected {out.shape[1]} as before")
            out[start : start + len(rows)] = rows
        if progress is not None:
            progress(count, count)
        assert out is not None
        return out

    def _block(self, kind: str, start: int, texts: list[str]) -> npt.NDArray[Any]:
        """Read a block, encoding it first where it is not there."""
        path = self.folder / f"{kind}-{start // self.block:06}.npy"
        if not path.is_file():
            made = self._vectors(texts, f"{kind} text {start}")
            with replacing(path) as temporary, temporary.open("wb") as stream:
                np.save(stream, made, allow_pickle=False)
        rows = read_vectors_file(path)
        if len(rows) != len(texts) or rows.dtype != self.store:
            found, expected = f"{len(rows)} rows of {rows.dtype}", f"{len(texts)} of {self.store}"
            raise DatasetError(f"{path}: found {found}, expected {expected}; delete it to make it again")
        return rows

    def _vectors(self, texts: list[str], where: str) -> npt.NDArray[Any]:
        """Encode texts and bring them to the type stored."""
        rows = np.ascontiguousarray(self.encoder.encode(texts), dtype=np.float32)
        if rows.ndim != 2 or len(rows) != len(texts) or not rows.shape[1]:
            raise DatasetError(f"the model gave shape {rows.shape} from {where} on, expected ({len(texts)}, dimension)")
        with np.errstate(over="ignore"):
            out = (unit_length(rows) if self.normalise else rows).astype(self.store)
        bad = np.flatnonzero(~np.isfinite(out).all(axis=1))
        if bad.size:
            raise DatasetError(f"the model gave a vector that is not finite as {self.store}, {bad[0]} after {where}")
        return out


def remove_parts(folder: Path) -> None:
    """Remove what `open_parts` and `Parts` made, and the folder if nothing else is in it."""
    for path in (folder / MANIFEST, *folder.glob("*-[0-9]*.npy"), *folder.glob(".*.tmp")):
        path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def _read(manifest: Path) -> dict[str, Any]:
    try:
        told = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DatasetError(f"{manifest}: cannot be read: {one_line(error)}; delete its folder to start anew") from error
    if not isinstance(told, dict):
        raise DatasetError(f"{manifest}: found {type(told).__name__}, expected an object")
    return told


def _compare(folder: Path, told: Mapping[str, Any], settings: Settings) -> None:
    for key in sorted({*told, *settings}):
        if told.get(key) != settings.get(key):
            begun, found = f"{told.get(key)!r:.80}", f"{settings.get(key)!r:.80}"
            raise DatasetError(f"{folder}: was begun with {key} {begun}, found {found}: expected the same or no folder")
