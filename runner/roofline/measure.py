"""The roofline of this machine: its limits and its kernels, in turns."""

from collections.abc import Callable, Sequence

from ...algorithms.progress import Progress, silent
from ...results.roofline import Limits, Measurement
from .kernels import KERNELS
from .machine import Machine, higher
from .sizes import Sizes
from .work import Work, measure_work

AGAIN = 8  # beside each kernel the limits get so small a part of their time


def measure_roofline(
    sizes: Sizes, kernels: Sequence[Callable[[Sizes], Work]] = KERNELS, progress: Progress = silent
) -> tuple[Limits, list[Measurement]]:
    """Measure every limit and every kernel, on one thread.

    Limits are measured again, shortly, beside every kernel, and the highest counts: a machine that is faster for a
    while is so for both.

    Returns
    -------
    limits : Limits
    measurements : list of Measurement
        One per kernel, in their order.
    """
    progress("limits", 0, 1, "")
    machine = Machine(sizes)
    limits = machine.limits(sizes.seconds)
    progress("limits", 1, 1, "")
    measurements = []
    for place, make in enumerate(kernels):
        work = make(sizes)
        progress("kernels", place, len(kernels), f"{work.kernel}, {work.data}")
        measurements.append(measure_work(work, sizes.seconds))
        limits = higher(limits, machine.limits(sizes.seconds / AGAIN))
    progress("kernels", len(kernels), len(kernels), "")
    return limits, measurements
