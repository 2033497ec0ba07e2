"""The clock of the roofline: the fastest of many short calls.

Limits and kernels are compared, so both are taken at their best: whatever else happens on a machine makes a call slower
and never faster. Calls are short, a millisecond or so, that some of them are left alone.
"""

import time
from collections.abc import Callable

LEAST = 5  # calls, however long they take


def fastest(call: Callable[[int], object], seconds: float) -> float:
    """Return the seconds of the fastest call.

    Parameters
    ----------
    call : callable
        Given 0, 1, 2, ...: what has several parts does the next of them. The first call is not timed.
    seconds : float
        How long to go on.
    """
    call(0)
    best, spent, count = float("inf"), 0.0, 0
    while spent < seconds or count < LEAST:
        count += 1
        started = time.perf_counter_ns()
        call(count)
        taken = (time.perf_counter_ns() - started) / 1e9
        best, spent = min(best, taken), spent + taken
    return best
