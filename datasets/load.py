"""The door of this room: a name or a path goes in, a `Dataset` comes out.

``drift`` is generated here (``drift:n=1000000,dimension=384`` in another size), a catalogue name is downloaded once,
and anything that looks like a path is read where it is. The cache is the folder named by ``IVFBENCH_DATA``, or the
user's cache folder.
"""

import os
from collections.abc import Callable
from pathlib import Path

from .catalogue import GENERATED, entry
from .dataset import Dataset
from .errors import DatasetError
from .isolated import describe_isolated
from .layout import Description
from .reader import read_dataset
from .seal import check_seal

Progress = Callable[[int, int | None], None]


def load(
    name_or_path: str | Path,
    *,
    cache: str | Path | None = None,
    progress: Progress | None = None,
    check: bool = True,
) -> Dataset:
    """Load a dataset, fetching or generating it first where need be.

    Parameters
    ----------
    name_or_path
        ``drift``, ``drift:`` and parameters of `drift.Drift`, a catalogue name, or the path of an HDF5 file.
    cache
        Folder of downloaded and generated files; `cache_folder()` by default.
    progress
        Called with (done, total or None) while a file is brought: bytes of a download, queries of a
        generation.
    check
        Search a sample of the queries again (see `read_dataset`).

    Returns
    -------
    Dataset
        Read-only.

    Raises
    ------
    UnknownDataset
        If the name is none of these, with the nearest that are.
    DatasetError
        If the file cannot be had or is wrong.
    """
    path = locate(name_or_path, cache=cache, progress=progress)
    return read_dataset(path, _name(name_or_path), check)


def peek(
    name_or_path: str | Path,
    *,
    cache: str | Path | None = None,
    progress: Progress | None = None,
    whole: bool = False,
) -> Description:
    """Describe a dataset without loading its vectors; parameters and errors as `load`.

    The file is opened by another process, which may crash over it; where the `whole` of it is asked for, that process
    also reads and checks all that `load` would.
    """
    path = locate(name_or_path, cache=cache, progress=progress)
    return describe_isolated(path, _name(name_or_path), whole=whole)


def locate(name_or_path: str | Path, *, cache: str | Path | None = None, progress: Progress | None = None) -> Path:
    """Make sure the file of a dataset exists and give its path; parameters and errors as `load`."""
    if _is_path(name_or_path):
        path = Path(name_or_path)
        if not path.is_file():
            raise DatasetError(f"{path}: {'is not a file' if path.exists() else 'no such file'}")
        return path
    folder = cache_folder() if cache is None else Path(cache)
    if str(name_or_path).partition(":")[0] == GENERATED:
        from .drift import drift_of, write_drift

        return write_drift(folder, drift_of(str(name_or_path)), progress=progress)
    wanted = entry(str(name_or_path))
    path = folder / f"{wanted.name}.hdf5"
    if path.is_file():
        check_seal(path)
        return path
    from .download import download  # pooch and requests: only for those who download

    return download(wanted.url, path, sha256=wanted.sha256, progress=progress)


def cache_folder() -> Path:
    """Give the folder of downloaded and generated datasets: ``IVFBENCH_DATA``, or the user's cache."""
    told = os.environ.get("IVFBENCH_DATA")
    if told:
        return Path(told)
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("ivfbench")) / "datasets"


def _is_path(name_or_path: str | Path) -> bool:
    if isinstance(name_or_path, Path):
        return True
    separators = [os.sep, *([os.altsep] if os.altsep else [])]
    looks_like_one = any(sign in name_or_path for sign in separators)
    return looks_like_one or name_or_path.endswith((".hdf5", ".h5")) or Path(name_or_path).is_file()


def _name(name_or_path: str | Path) -> str | None:
    return None if _is_path(name_or_path) else str(name_or_path)
