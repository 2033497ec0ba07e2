"""How kernels are compiled: one set of flags, one cache, three decorators.

Every jitted function of the project is made by `kernel`, `strict_kernel` or `parallel_kernel`, never by `numba.njit`
directly, so that two properties hold everywhere:

- **One flag set.** `FAST` lets the compiler reorder and fuse sums but keeps the meaning of NaN and infinity. What must
  round alike wherever it is inlined is strict instead: flags belong to the instructions, and come along.
- **A cache that is never stale.** Numba keys a cached function by its own file only: a kernel that inlined
  another file's kernel would survive a change of that file. Here the cache folder is named after the content
  of every source file of `algorithms` and after the compiler settings, so a change anywhere starts an empty
  folder.

`NUMBA_CACHE_DIR`, when set, is honoured as the parent folder.
"""

import functools
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numba
from numba.core import config

FAST = frozenset({"reassoc", "contract", "nsz"})

_decorating = threading.Lock()


def source_digest(folder: Path) -> str:
    """Hash the names and contents of every Python file below `folder`."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


@functools.cache
def cache_folder() -> Path:
    """Return the folder of compiled kernels that belongs to the present sources and compiler settings."""
    # os.path, not pathlib: expanduser leaves ~ as it is where there is no home, Path.home() raises
    parent = os.environ.get("NUMBA_CACHE_DIR") or os.path.join(  # noqa: PTH118
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),  # noqa: PTH111
        "ivfbench",
        "kernels",
    )
    settings = f"-O{config.OPT}-bounds{config.BOUNDSCHECK or 0}"
    return Path(parent) / (source_digest(Path(__file__).parents[1]) + settings)


@contextmanager
def _own_cache() -> Iterator[None]:
    # Numba reads the folder while it decorates; the host program's own setting is put back at once.
    with _decorating:
        before = config.CACHE_DIR
        config.CACHE_DIR = str(cache_folder())
        try:
            yield
        finally:
            config.CACHE_DIR = before


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a serial kernel: nothing but arithmetic over arrays."""
    with _own_cache():
        return numba.njit(cache=True, fastmath=set(FAST), nogil=True, error_model="numpy")(function)


def strict_kernel(function: Callable[..., Any]) -> Any:
    """Compile a serial kernel whose sums and products are rounded one by one, in the order in which they are written.

    Two loops that inline a `kernel` may see it fused or reordered in two ways, each right, that differ in the last bit.
    """
    with _own_cache():
        # said aloud: what is not said is taken over from the kernel that happens to call first
        return numba.njit(cache=True, fastmath=False, nogil=True, error_model="numpy")(function)


def parallel_kernel(function: Callable[..., Any]) -> Any:
    """Compile a parallel shell: a `prange` whose iterations own what they write, and nothing more."""
    with _own_cache():
        return numba.njit(cache=True, fastmath=set(FAST), parallel=True, error_model="numpy")(function)


def available_threads() -> int:
    """Return how many threads Numba may use at most in this process."""
    return int(config.NUMBA_NUM_THREADS)


@contextmanager
def numba_threads(threads: int) -> Iterator[None]:
    """Limit parallel kernels to `threads` threads and restore the former limit afterwards."""
    before = numba.get_num_threads()
    numba.set_num_threads(max(1, min(threads, available_threads())))
    try:
        yield
    finally:
        numba.set_num_threads(before)
