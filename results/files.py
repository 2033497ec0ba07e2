"""Write a file whole or not at all.

A reader sees the old file or the new one, never half of one, and a crash leaves the old one in place.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; on success it is synced and renamed to `path`.

    Parameters
    ----------
    path
        The file to create or replace. Missing folders are made.

    Yields
    ------
    Path
        Write here. If the block raises, this file is removed and `path` is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # A plain name instead of `tempfile`: its files are private to the user, results are meant to be shared.
    temporary = path.parent / f".{path.stem[:40]}-{uuid.uuid4().hex}.part"
    try:
        yield temporary
        _sync(temporary)
        os.replace(temporary, path)  # noqa: PTH105  (the atomic call by its name)
        _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
