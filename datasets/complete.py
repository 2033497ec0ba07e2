"""From vectors to a dataset: the exact neighbours are searched, and the file appears when all of it is there."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .truth import Progress, exact_neighbors
from .write import Attribute, write_dataset


def complete_dataset(
    output: str | Path,
    *,
    train: npt.NDArray[Any],
    test: npt.NDArray[Any],
    learn: npt.NDArray[Any] | None,
    metric: str,
    k: int,
    learn_k: int,
    attributes: Mapping[str, Attribute] | None = None,
    labels: Mapping[str, Sequence[str]] | None = None,
    progress: Progress | None = None,
) -> Path:
    """Search the ground truth of vectors and write all of it as a dataset file.

    Parameters
    ----------
    output
        The HDF5 file to write.
    train, test, learn
        (n, d), (q, d) and, optional, (m, d), in the type they are to be stored in; the ground truth is that of the
        values stored.
    metric
        A canonical metric.
    k, learn_k
        True neighbours per test query and per training query; at most n are stored.
    attributes, labels
        As in `write_dataset`.
    progress
        Called with (queries searched, queries in all).

    Returns
    -------
    pathlib.Path
        The file written.
    """
    total = len(test) + (0 if learn is None else len(learn))
    database = train.astype(np.float32, copy=False)

    def search(queries: npt.NDArray[Any], count: int, before: int) -> tuple[npt.NDArray[np.int32], Any]:
        def report(done: int, _: int | None) -> None:
            if progress is not None:
                progress(before + done, total)

        wanted = queries.astype(np.float32, copy=False)
        return exact_neighbors(database, wanted, min(count, len(database)), metric, progress=report)

    if progress is not None:
        progress(0, total)
    neighbors, distances = search(test, k, 0)
    own = None if learn is None else search(learn, learn_k, len(test))[0]
    return write_dataset(
        output,
        train=train,
        test=test,
        metric=metric,
        neighbors=neighbors,
        distances=distances,
        learn=learn,
        learn_neighbors=own,
        attributes=attributes,
        labels=labels,
    )
