"""A dataset out of a dataset: one `Variant` applied, the ground truth searched exactly, the origin recorded.

The test queries go through the same map as everything else and have no part in making it. The file names its source
by name and hash, so that a result on a variant can be traced to the bytes it came from.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from .complete import complete_dataset
from .dataset import Dataset, file_sha256
from .errors import DatasetError
from .layout import Description, describe
from .load import cache_folder, load, peek
from .projection import Projection, principal_projection, unit_length
from .truth import Progress
from .variant import Variant
from .write import Attribute

DERIVATION_VERSION = 1  # of what a variant means: part of the names of cached files

_NEIGHBORS, _LEARN_NEIGHBORS = 100, 10
_SEED = 20_260  # of the draws: fixed, so that a variant is one dataset and not a family

_Matrix = npt.NDArray[np.float32]


def derive(
    source: str | Path,
    output: str | Path,
    variant: Variant,
    *,
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write a variant of a dataset as a dataset file of its own.

    Parameters
    ----------
    source
        As in `load`: a name or a path.
    output
        The HDF5 file to write, whole or not at all.
    variant
        What to change.
    cache
        As in `load`.
    progress
        Called with (queries searched, queries in all).

    Returns
    -------
    pathlib.Path
        The file: float32, at least 100 true neighbours per test query and 10 per training query unless the database is
        smaller, more where the source holds more; `learn_k` decides for training queries where given.

    Raises
    ------
    DatasetError
        If the source cannot be had, has too little for the variant, or is the output.
    """
    told = peek(source, cache=cache)
    variant.check(told)
    if Path(output).exists() and Path(output).samefile(told.path):
        raise DatasetError(f"{output}: is the source itself, expected another file")
    dataset = load(source, cache=cache)
    metric = variant.metric or dataset.metric
    learn = dataset.learn
    held = 0 if dataset.learn_neighbors is None else dataset.learn_neighbors.shape[1]
    train, test, learn, projection = _vectors(dataset, learn, variant, metric)
    return complete_dataset(
        output,
        train=train,
        test=test,
        learn=learn,
        metric=metric,
        k=max(_NEIGHBORS, dataset.neighbors.shape[1]),
        learn_k=variant.learn_k or max(_LEARN_NEIGHBORS, held),
        attributes=_origin(dataset, variant, projection),
        progress=progress,
    )


def derived(
    source: str | Path,
    variant: Variant,
    *,
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> Description:
    """Describe a variant of a dataset, deriving it into the cache first where it is not there yet.

    Parameters
    ----------
    source, cache, progress
        As in `derive`; `cache` is also where the variants go, in the folder ``derived``.
    variant
        One that changes nothing describes the source itself.

    Returns
    -------
    Description
        Named ``<name of the source>[<variant>]``.

    Raises
    ------
    DatasetError
        As in `derive`.
    """
    told = peek(source, cache=cache)
    if variant.changes_nothing:
        return told
    variant.check(told)
    folder = (cache_folder() if cache is None else Path(cache)) / "derived"
    path = folder / f"{file_sha256(told.path)[:16]}-v{DERIVATION_VERSION}-{variant}.hdf5"
    if not path.is_file():
        derive(source, path, variant, cache=cache, progress=progress)
    return describe(path, f"{told.name}[{variant}]")


def _vectors(
    dataset: Dataset, learn: _Matrix | None, variant: Variant, metric: str
) -> tuple[_Matrix, _Matrix, _Matrix | None, Projection | None]:
    """Apply the variant: database, test queries, training queries, and the projection used."""
    train, test = _drawn(dataset.train, variant.base), dataset.test
    learn = None if learn is None else _drawn(learn, variant.learn)
    projection = None
    if variant.pca is not None:
        projection = principal_projection(train, variant.pca, metric, variant.normalise)
        train, test = projection(train), projection(test)
        learn = None if learn is None else projection(learn)
    if variant.normalise:
        train, test = unit_length(train), unit_length(test)
        learn = None if learn is None else unit_length(learn)
    return train, test, learn, projection


def _drawn(rows: _Matrix, count: int | None) -> _Matrix:
    """Draw rows, kept in their order: the first `count` of one fixed shuffle, so that draws are nested."""
    if count is None or count == len(rows):
        return rows
    chosen = np.random.default_rng(_SEED).permutation(len(rows))[:count]
    return rows[np.sort(chosen)]


def _origin(dataset: Dataset, variant: Variant, projection: Projection | None) -> dict[str, Attribute]:
    origin: dict[str, Attribute] = {
        "source": dataset.name,
        "source_sha256": dataset.sha256,
        "variant": str(variant),
        "derivation_version": DERIVATION_VERSION,
        "synthetic": dataset.synthetic,
    }
    if dataset.description:
        origin["description"] = dataset.description
    if projection is not None:
        origin["pca_kept"] = projection.kept
        origin["pca_of"] = "covariance" if projection.centred else "second moment"
    return origin
