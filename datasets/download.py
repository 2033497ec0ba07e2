"""From a URL to a file that can be trusted: locked, complete, checked, and under its name only then.

pooch does the last steps (hash, rename); `transfer` brings the bytes. A second process that wants the same
file is told so instead of writing into the first one's part.
"""

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import pooch

from .dataset import file_sha256
from .errors import DatasetError, one_line
from .seal import write_seal
from .transfer import Progress, fetch


def download(
    url: str,
    destination: str | Path,
    *,
    sha256: str | None = None,
    progress: Progress | None = None,
    attempts: int = 3,
    pause: float = 1.0,
) -> Path:
    """Download an HDF5 file, resuming an earlier attempt, and record its hash beside it.

    Parameters
    ----------
    url
        Where from.
    destination
        Where to; it appears when it is complete and checked.
    sha256
        The hash it must have; None accepts any.
    progress
        Called with (bytes done, bytes in all or None).
    attempts, pause
        See `transfer.fetch`.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    DatasetError
        If the file cannot be had, is not HDF5, or has another hash; nothing appears at `destination` then.
    """
    destination = Path(destination)
    part = destination.with_name(destination.name + ".part")

    def bring(_: str, output: str, __: object) -> None:
        fetch(url, part, progress=progress, attempts=attempts, pause=pause)
        if not h5py.is_hdf5(part):
            part.unlink()
            raise DatasetError(f"{url}: what arrived is not an HDF5 file; nothing was kept")
        part.replace(output)

    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with _alone(part), _quiet():
            pooch.retrieve(
                url,
                known_hash=None if sha256 is None else f"sha256:{sha256}",
                fname=destination.name,
                path=destination.parent,
                downloader=bring,
            )
    except DatasetError:
        raise
    except ValueError as error:  # pooch: the hash differs; its text names both
        raise DatasetError(f"{url}: {one_line(error)}") from error
    except OSError as error:
        raise DatasetError(f"{destination}: cannot be written: {error.strerror or error}") from error
    destination.chmod(0o644)
    write_seal(destination, sha256 or file_sha256(destination))
    return destination


@contextmanager
def _alone(part: Path) -> Iterator[None]:
    """Hold the lock of a download; the lock file stays, since removing it would let two processes in."""
    lock = part.with_name(f".{part.name}.lock")
    with lock.open("ab") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DatasetError(f"{part}: another process is downloading it; run again when it is done") from None
        yield


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep pooch from announcing what the progress callback already tells."""
    logger = pooch.get_logger()
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(before)
