"""What the roofline times: a kernel with arrays to work on, and what a call of it has to do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...results.roofline import Measurement
from .clock import fastest


@dataclass(frozen=True, slots=True)
class Work:
    """A kernel, ready to be called.

    Attributes
    ----------
    kernel, data, bytes, operations, working_set
        As of `Measurement`. Vectors count, padding does not.
    call : callable
        Given 0, 1, 2, ...: of cold data, each call reads the next part.
    """

    kernel: str
    data: str
    bytes: int
    operations: Mapping[str, int]
    working_set: int
    call: Callable[[int], object]


def measure_work(work: Work, seconds: float) -> Measurement:
    """Time a kernel for so many seconds."""
    taken = fastest(work.call, seconds)
    return Measurement(work.kernel, work.data, work.bytes, work.operations, work.working_set, taken)
