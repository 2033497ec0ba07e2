"""Was the data written to? An algorithm is handed the very arrays that its answers are scored with.

They are read-only, which stops accidents. Whoever writes through their address all the same, a library in C or a
cheat, is found out here: the arrays are hashed before any algorithm sees them, and again after every point, before
it is scored. A point whose data was changed fails, and the data is read afresh from its file for what follows.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt

from ..datasets.dataset import Dataset
from ..datasets.load import load
from .answers import AnswerError

_NAMES = {
    "train": "the vectors it was built from",
    "test": "the queries",
    "neighbors": "the true neighbours",
    "distances": "the true distances",
}


class Pristine:
    """A dataset, and the means to know that it is as it was read.

    Parameters
    ----------
    source : str
        Name or path.
    sha256 : str
        What the file must hash to.

    Attributes
    ----------
    dataset : Dataset
        Another one after `refuse_changed` has raised.

    Raises
    ------
    ValueError
        The file hashes to something else.
    """

    def __init__(self, source: str, sha256: str) -> None:
        self._source, self._sha256 = source, sha256
        self.dataset = self._read()
        self._digests = _digests(self.dataset)

    def refuse_changed(self) -> None:
        """Raise if anybody has written to the arrays, and read them afresh.

        Raises
        ------
        AnswerError
            What was written to.
        """
        changed = [name for name, digest in _digests(self.dataset).items() if digest != self._digests[name]]
        if changed:
            self.dataset = self._read(check=False)
            what = " and ".join(_NAMES[name] for name in changed)
            raise AnswerError(f"the algorithm wrote to {what}: nothing that it answered can be believed")

    def _read(self, check: bool = True) -> Dataset:
        dataset = load(self._source, check=check)
        if dataset.sha256 != self._sha256:
            raise ValueError(f"{self._source}: the file changed while the run was going on")
        return dataset


def _digests(dataset: Dataset) -> Mapping[str, str]:
    # Not of a map of the file: the system lets nobody write to it, and it has gigabytes to be hashed for each point.
    held = {field.name: getattr(dataset, field.name) for field in fields(dataset)}
    return {name: _digest(held[name]) for name in _NAMES if name in held and not isinstance(held[name], np.memmap)}


def _digest(array: npt.NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()
