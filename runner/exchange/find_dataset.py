"""The dataset that somebody's results were measured on: told, or beside them, or in the cache; never downloaded.

A table is asked for in passing, and a dataset may be gigabytes: what is not here is named, with the command that gets
it.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from ...datasets.catalogue import GENERATED
from ...datasets.dataset import Dataset
from ...datasets.load import cache_folder, load
from ...results.key import slug
from ..errors import RunError

_DEPTH = 8  # folders above a result file in which data/ is looked for


def find_dataset(name: str, told: Sequence[str], files: Iterable[Path]) -> Dataset:
    """Load the dataset of this name.

    Parameters
    ----------
    name
        As results call it.
    told
        Names or paths that the user gave; one that is called so, apart from punctuation, is taken.
    files
        Result files: ``data/<name>.hdf5`` is looked for beside the folders that hold them, nearest first.

    Raises
    ------
    RunError
        There is none.
    DatasetError
        It cannot be used.
    """
    plain = name.removesuffix("-synthetic")  # as we export generated data
    for given in told:
        if slug(Path(given).stem if given.endswith((".hdf5", ".h5")) else given) in (slug(name), slug(plain)):
            return load(given)
    for path in files:
        for folder in list(path.resolve().parents)[:_DEPTH]:
            if (folder / "data" / f"{name}.hdf5").is_file():
                return load(folder / "data" / f"{name}.hdf5")
    if plain == GENERATED or (cache_folder() / f"{plain}.hdf5").is_file():
        return load(plain)
    raise RunError(
        f"dataset {name!r}: found neither beside the results nor in the cache, expected --dataset FILE, "
        f"or first `ivfbench datasets get {name}`"
    )
