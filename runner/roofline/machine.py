"""The limits of one thread of this machine."""

from collections.abc import Callable, Mapping

from ...algorithms.kernels.limits import CHAINS, OPERATIONS, compute, read, readable
from ...results.roofline import Limits
from .clock import fastest
from .sizes import Sizes

STEPS = 1_200_000 // CHAINS  # a third of a millisecond at one step per cycle
READ_AT_ONCE = 32 << 20  # bytes, of an array that a cache holds: a third of a millisecond

Calls = Mapping[int, tuple[Callable[[int], object], int]]


class Machine:
    """The arrays that are read, held so that limits can be measured again and again."""

    def __init__(self, sizes: Sizes) -> None:
        self._reads: Calls = {size: self._read(size, sizes) for size in sorted(set(sizes.arrays))}

    def limits(self, seconds: float) -> Limits:
        """Measure every bandwidth and every peak, each for so many seconds."""
        bandwidths = {size: count / fastest(call, seconds) for size, (call, count) in self._reads.items()}
        return Limits(bandwidths, {kind: _peak(kind, seconds) for kind in OPERATIONS})

    @staticmethod
    def _read(size: int, sizes: Sizes) -> tuple[Callable[[int], object], int]:
        # What a call reads: the next part of what is cold, or all of what a cache holds, many times.
        data = readable(size)
        if size < sizes.cold:
            passes = max(1, READ_AT_ONCE // size)
            return lambda _: read(data, passes), len(data) * passes
        part = min(sizes.part, len(data))
        parts = [data[start : start + part] for start in range(0, len(data) - part + 1, part)]
        return lambda i: read(parts[i % len(parts)]), part


def _peak(kind: str, seconds: float) -> float:
    _, operations = compute(kind, STEPS)
    return operations / fastest(lambda _: compute(kind, STEPS), seconds)


def higher(one: Limits, other: Limits) -> Limits:
    """Return the higher of each limit of two that have the same: a limit is what was seen at best."""
    return Limits(
        {size: max(value, other.bandwidths[size]) for size, value in one.bandwidths.items()},
        {kind: max(value, other.peaks[kind]) for kind, value in one.peaks.items()},
    )
