"""One runner for one folder of results: the second is refused, or waits.

The lock is a file that says who holds it. Where the file system can, it is locked as well, so that the system itself
lets go when its holder dies; and where it cannot, the process named in it is looked for.
"""

import fcntl
import json
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from .errors import RunError, StoppedError

LOCK = ".lock"
PAUSE = 0.5  # seconds between two tries


@contextmanager
def locked(out: Path, *, wait: bool = False, say: Callable[[str], None] = lambda line: None) -> Iterator[None]:
    """Hold a folder of results, which is made where there is none.

    Parameters
    ----------
    out : Path
    wait : bool
        Until whoever holds it has let go, instead of refusing.
    say : callable
        Told once whom it waits for.

    Raises
    ------
    RunError
        Another runner holds the folder.
    """
    descriptor = _take(out)
    if not isinstance(descriptor, int) and wait:
        say(f"waiting for {descriptor}, which writes to {out}")
    while not isinstance(descriptor, int):
        if not wait:
            raise RunError(f"{out}: {descriptor} writes to it, expected no other runner (--wait waits for it)")
        time.sleep(PAUSE)
        descriptor = _take(out)
    try:
        yield
    finally:
        (out / LOCK).unlink(missing_ok=True)  # before the lock goes: nobody else can hold this file
        os.close(descriptor)


def refuse_if_held(out: Path) -> None:
    """Raise RunError if another runner holds a folder; nothing is written."""
    with suppress(FileNotFoundError):
        descriptor = os.open(out / LOCK, os.O_RDONLY)  # it may be another user's
        try:
            holder = _holder(descriptor, out)
        finally:
            os.close(descriptor)
        if holder:
            raise RunError(f"{out}: {holder} writes to it, expected no other runner (--wait waits for it)")


def _take(out: Path) -> int | str:
    # The open lock file, or who holds it.
    try:
        out.mkdir(parents=True, exist_ok=True)
        while True:
            descriptor = os.open(out / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
            holder = _holder(descriptor, out)
            if holder:
                os.close(descriptor)
                return holder
            if _is_file(descriptor, out / LOCK):
                break
            os.close(descriptor)  # its holder removed it after we had opened it
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(_record(os.getpid())).encode(), 0)
    except OSError as error:
        raise StoppedError(f"{out / LOCK}: cannot be written: {error.strerror}") from error
    return descriptor


def _holder(descriptor: int, out: Path) -> str:
    # Who else holds the file, in words; empty where nobody does: then it is ours until it is closed.
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        free = True
    except BlockingIOError:
        free = False
    except OSError:  # a file system without locks
        free = True
    try:
        record = json.loads(os.pread(descriptor, 4096, 0) or b"{}")
        host, pid, started = str(record.get("host", "")), int(record.get("pid", 0)), float(record.get("started", 0.0))
    except (ValueError, TypeError, AttributeError):
        host, pid, started = "", 0, 0.0  # written by half: whoever began it is dead, or holds the lock
    said = f"process {pid} on {host}"
    if not free:
        return said if pid else "another process"
    if host and host != platform.node():
        return f"{said} (if it is gone, remove {out / LOCK})"
    return said if pid != os.getpid() and _is_alive(pid, started) else ""


def _record(pid: int) -> Mapping[str, Any]:
    return {"pid": pid, "started": psutil.Process(pid).create_time(), "host": platform.node()}


def _is_alive(pid: int, started: float) -> bool:
    # A number is used again in time: only with its start it names a process.
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - started) < 1.0 and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, ValueError):
        return False


def _is_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
