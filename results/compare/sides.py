"""What a comparison is made of: two sides' answers, which need no clock, and their times, which were taken in turns.

Symbols: s settings of a sweep, q queries, k neighbours, p pairs of fresh processes, r passes of a process.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..probing import PLAIN
from ..run import FloatArray64, IntArray64

ARMS = ("base", "head", "control")
"""The arms of a measurement; the control is base once more, in processes of its own."""
CLOCKS = ("wall", "processor")
"""Time that passed, and time that processors worked for the process: who waits for a core does not work."""


@dataclass(frozen=True, order=True)
class Curve:
    """One sweep of one index: what is compared with itself at another time or revision.

    Attributes
    ----------
    dataset, algorithm : str
        Name, and canonical text.
    k : int
    mode : str
        ``single`` or ``batch``.
    threads, seed : int
    probing : str
        The kind of probing policy; settings of different kinds are different curves.
    """

    dataset: str
    algorithm: str
    k: int
    mode: str
    threads: int = 1
    seed: int = 0
    probing: str = ""

    def __str__(self) -> str:
        extra = f", {self.probing}" if self.probing not in ("", *PLAIN) else ""
        seeded = f", seed {self.seed}" if self.seed else ""
        return f"{self.dataset}, {self.algorithm}, k = {self.k}, {self.mode}, threads {self.threads}{extra}{seeded}"


@dataclass(frozen=True, eq=False)
class Answers:
    """What one side answered at every setting of a curve, and the work that it did.

    Attributes
    ----------
    settings : tuple of str
        Query parameters as canonical JSON.
    digests : tuple of str
        Hash of the ids at each setting.
    recall : (s, q) float64
        Of each query.
    lists, points : (s, q) int64
        Lists probed and points scanned for each query; 0 where they are not told.
    index_bytes : int
    build_seconds : float
        NaN where nothing was built.
    peak_bytes : int
        Most memory that the process held which built; 0 where it is not known.
    """

    settings: tuple[str, ...]
    digests: tuple[str, ...]
    recall: FloatArray64
    lists: IntArray64
    points: IntArray64
    index_bytes: int
    build_seconds: float = float("nan")
    peak_bytes: int = 0

    @property
    def mean_recall(self) -> FloatArray64:
        """Mean over queries, (s,)."""
        return np.asarray(self.recall.mean(axis=1), np.float64)

    @property
    def log_frugality(self) -> FloatArray64:
        """Logarithm of queries per point scanned, (s,): a rate that needs no clock. NaN where points are not told."""
        mean = self.points.mean(axis=1)
        return np.asarray(-np.log(np.where(mean > 0, mean, np.nan)), np.float64)


@dataclass(frozen=True, eq=False)
class Times:
    """Seconds per pass over all queries, taken in turns.

    Attributes
    ----------
    settings : tuple of str
        In the order of the last axis.
    queries : int
        Of a pass.
    seconds : mapping of clock and arm to (p, r, s) float64
    reference : (p, r) float64
        Seconds of the frozen reference kernel, in the same passes.
    load, steal : (p, r) float64
        Load average, and the share of processor time that the hypervisor gave to others; NaN where not told.
    """

    settings: tuple[str, ...]
    queries: int
    seconds: Mapping[tuple[str, str], FloatArray64]
    reference: FloatArray64 = field(default_factory=lambda: np.empty((0, 0)))
    load: FloatArray64 = field(default_factory=lambda: np.empty((0, 0)))
    steal: FloatArray64 = field(default_factory=lambda: np.empty((0, 0)))

    @property
    def pairs(self) -> int:
        """How many pairs of fresh processes were measured."""
        return len(self.seconds["wall", "base"])


def digest(ids: npt.NDArray[np.int32]) -> str:
    """Return 16 hexadecimal digits that name (q, k) ids, in their order."""
    plain = np.ascontiguousarray(ids, dtype="<i4")
    return hashlib.sha256(repr(plain.shape).encode() + plain.tobytes()).hexdigest()[:16]
