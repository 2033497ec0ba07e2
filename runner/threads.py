"""Exactly so many threads, in every library that this process has loaded, and the cores that they run on.

A worker begins with the variables of `THREAD_VARIABLES` set, which bind libraries that are loaded later and only once.
Within one worker the number changes, since single queries have one thread and batches several: there limits are set
and put back. A library that takes its number with each call is given it by its wrapper.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from threadpoolctl import threadpool_limits

from ..algorithms.kernels.compile import numba_threads
from .errors import RunError
from .processor import separate_cores

THREAD_VARIABLES = (
    "NUMBA_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "RAYON_NUM_THREADS",
)
_TASKS = "/proc/self/task"


@contextmanager
def limited_to(threads: int) -> Iterator[None]:
    """Hold BLAS, OpenMP, Numba and torch to `threads` threads, and put back what they had.

    OpenMP includes what faiss, scikit-learn and others bring of it.
    """
    with threadpool_limits(limits=threads), numba_threads(threads), _torch_threads(threads):
        yield


@contextmanager
def _torch_threads(threads: int) -> Iterator[None]:
    torch = sys.modules.get("torch")  # whoever has not imported it does not use it
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def choose_cores(threads: int) -> tuple[int, ...]:
    """Return as many of the usable cores as there are threads, of different physical cores as long as there are any.

    Raises
    ------
    RunError
        Fewer cores than threads, or a system without such a thing.
    """
    if not hasattr(os, "sched_setaffinity"):
        raise RunError("--pin: this system keeps no process on a core, expected Linux")
    cores = separate_cores()
    if threads > len(cores):
        raise RunError(f"--pin: found {threads} threads and {len(cores)} usable cores, expected a core for each thread")
    return tuple(cores[:threads])


@contextmanager
def pinned_to(cores: Sequence[int] | None) -> Iterator[None]:
    """Keep this thread on some cores, and what it starts meanwhile; None: wherever it may be already."""
    if cores is None or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def confined_to(cores: Sequence[int] | None) -> Iterator[None]:
    """Keep every thread of this process on some cores, whoever started it; None: wherever they may be already."""
    if cores is None or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = {}
    for thread in _threads_of_this_process():
        with suppress(OSError):  # it has ended
            before[thread] = os.sched_getaffinity(thread)
            os.sched_setaffinity(thread, cores)
    try:
        yield
    finally:
        allowed = before.get(_threads_of_this_process()[0], set(cores))
        for thread in _threads_of_this_process():  # those that were started meanwhile took over the limit
            with suppress(OSError):
                os.sched_setaffinity(thread, before.get(thread, allowed))


def _threads_of_this_process() -> list[int]:
    # The first is the main thread, whose number is that of the process.
    return sorted(map(int, os.listdir(_TASKS)), key=lambda thread: thread != os.getpid())  # noqa: PTH208
