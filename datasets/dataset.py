"""The value that flows through the project: one dataset, read-only.

Every algorithm gets these very arrays. They cannot be written, so no algorithm can, by accident or otherwise,
normalise the database under the feet of the measurement. The training queries (`learn`) are read from the
file when somebody first asks for them: an index that routes by centroids must not pay memory for them.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .blocks import read_ids, read_vectors
from .errors import DatasetError
from .hdf5 import open_hdf5, stored


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A dataset read from a file.

    Attributes
    ----------
    name
        What results call it.
    metric
        ``euclidean``, ``angular``, ``normalized``, ``ip`` or ``manhattan``.
    train
        (n, d) float32, the database.
    test
        (q, d) float32, the queries results are scored on; never trained on.
    neighbors
        (q, K) int32, rows of `train`, nearest first.
    distances
        (q, K) float32, the distances of `neighbors`.
    path
        The file it came from.
    stamp
        Size in bytes and modification time in nanoseconds of the file when it was read.
    learn_count
        Number of training queries in the file; 0 without.
    has_learn_neighbors
        Whether the file holds neighbours of the training queries.
    synthetic
        Whether a generator made it.
    description
        One sentence, or nothing.
    """

    name: str
    metric: str
    train: npt.NDArray[np.float32]
    test: npt.NDArray[np.float32]
    neighbors: npt.NDArray[np.int32]
    distances: npt.NDArray[np.float32]
    path: Path
    stamp: tuple[int, int]
    learn_count: int = 0
    has_learn_neighbors: bool = False
    synthetic: bool = False
    description: str = ""

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, {self.metric}, n={self.n}, d={self.dimension}, queries={self.queries})"

    @property
    def n(self) -> int:
        """Number of database vectors."""
        return int(self.train.shape[0])

    @property
    def dimension(self) -> int:
        """Number of coordinates of a vector."""
        return int(self.train.shape[1])

    @property
    def queries(self) -> int:
        """Number of test queries."""
        return int(self.test.shape[0])

    @property
    def has_learn(self) -> bool:
        """Whether the file holds training queries."""
        return self.learn_count > 0

    @cached_property
    def learn(self) -> npt.NDArray[np.float32] | None:
        """(m, d) float32 training queries, read on first use, or None."""
        if not self.has_learn:
            return None
        self._refuse_changed()
        with open_hdf5(self.path) as file:
            return read_vectors(stored(file, "learn", "fiu"))

    @cached_property
    def learn_neighbors(self) -> npt.NDArray[np.int32] | None:
        """(m, K') int32 neighbours of the training queries, read on first use, or None."""
        if not self.has_learn_neighbors:
            return None
        self._refuse_changed()
        with open_hdf5(self.path) as file:
            return read_ids(stored(file, "learn_neighbors", "iu"), self.n)

    @cached_property
    def sha256(self) -> str:
        """Hash of the file's bytes in hexadecimal, computed on first use."""
        self._refuse_changed()
        return file_sha256(self.path)

    def _refuse_changed(self) -> None:
        if not self.path.is_file() or file_stamp(self.path) != self.stamp:
            raise DatasetError(f"{self.path}: the file changed or vanished since it was read; read it again")


def file_stamp(path: Path) -> tuple[int, int]:
    """Give a file's size in bytes and modification time in nanoseconds: enough to notice that it changed."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def file_sha256(path: str | Path) -> str:
    """Hash a file's bytes without holding them in memory.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    DatasetError
        If the file cannot be read.
    """
    try:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from error
