"""One worker process under watch: its words are heard, its time and memory limited, its whole family ended.

The worker leads a session of its own, so that Ctrl-C reaches the runner alone, and so that whatever it started can be
killed with it. It keeps one end of a pipe that the runner holds open: when the runner dies, however that may be, the
worker's family is killed by a guard of its own (`worker.guard`).
"""

import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil

from ..datasets.own_process import module_command
from .threads import THREAD_VARIABLES, pinned_to

PAUSE = 0.1  # seconds between two looks at the memory of the processes that are known: some tens of microseconds
SEARCH = 2.0  # seconds between two searches for new ones: some milliseconds, since all of the system are read
PATIENCE = 10.0  # seconds that a worker may go on writing after Ctrl-C
_LINES = 3  # of a log that a message tells
_TAIL = 1 << 16  # bytes of it that are read
_LONGEST = 200  # characters of each

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a worker ended.

    Attributes
    ----------
    status : str
        ``ok``, or one of `results.run.FAILURES`.
    message : str
        Why not well, in one line.
    peak_bytes : int
        High-water mark of the resident memory of the worker and all that it started, as far as the looks saw it.
    """

    status: str
    message: str
    peak_bytes: int


class _Watch:
    """The clock and the scales of one worker."""

    def __init__(self, pid: int, seconds: float | None, gigabytes: float | None) -> None:
        self.leader = psutil.Process(pid)
        self.family: list[psutil.Process] = [self.leader]
        self.seconds, self.gigabytes = seconds, gigabytes
        self.peak = 0
        self.began = self.looked = self.searched = time.monotonic()
        self.step = "the build"

    def begin(self, step: str) -> None:
        """Start the clock anew."""
        self.began, self.step = time.monotonic(), step

    def exceeded(self) -> tuple[str, str] | None:
        """Return the status and the message of a limit that is exceeded."""
        now = time.monotonic()
        if self.seconds is not None and now - self.began > self.seconds:
            return "timeout", f"{self.step} took more than {self.seconds:g} s, the limit (--timeout)"
        if now - self.looked >= PAUSE:
            self.looked = now
            held = self.look(search=now - self.searched >= SEARCH)
            if self.gigabytes is not None and held > self.gigabytes * 1e9:
                return "memory", f"{self.step} took {held / 1e9:.2f} GB, expected at most {self.gigabytes:g} (--memory)"
        return None

    def look(self, search: bool) -> int:
        """Return the bytes that the family holds now."""
        held = 0
        if search:
            self.searched = time.monotonic()
            with suppress(psutil.Error):
                self.family = [self.leader, *self.leader.children(recursive=True)]
        for process in self.family:
            with suppress(psutil.Error):
                held += process.memory_info().rss
        self.peak = max(self.peak, held)
        return held


def attend(
    job: str,
    threads: int,
    log: Path,
    seconds: float | None,
    gigabytes: float | None,
    hear: Callable[[Event], None],
    cores: Sequence[int] | None = None,
) -> Ending:
    """Run a worker to its end, and leave nothing of it running.

    Parameters
    ----------
    job : str
        What the worker is to do, as JSON.
    threads : int
        Of every library that reads the number from its environment.
    log : Path
        What the worker and its libraries print is appended here.
    seconds, gigabytes : float or None
        Limits: of the build and of each sweep point; of the resident memory of the worker and all that it started.
    hear : callable
        Given every event of the worker. What it raises ends the worker, and so does Ctrl-C, which lets the worker
        finish what it is writing.
    cores : sequence of int, optional
        That it may run on, with all that it starts.
    """
    killed_before, printed_before = _system_kills(), log.stat().st_size if log.exists() else 0
    with log.open("ab") as stream, _uninterrupted() as interrupted, pinned_to(cores):
        child = subprocess.Popen(
            module_command("runner.worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stream,
            env={**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads)), "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        said: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        reader = threading.Thread(target=_pump, args=(child.stdout, said), daemon=True)
        reader.start()
        watch = _Watch(child.pid, seconds, gigabytes)
    told: dict[str, Event] = {}  # the latest event of each kind
    latest = ""

    def listen(line: bytes) -> None:
        nonlocal latest
        try:
            event = json.loads(line)
        except ValueError:  # cut off by death
            return
        latest = event["event"]
        told[latest] = event
        if latest == "point":
            watch.begin(event["point"])
        hear(event)

    exceeded = None
    try:
        if interrupted:
            raise KeyboardInterrupt
        with suppress(BrokenPipeError):  # it died already: what it printed says why
            child.stdin.write(job.encode() + b"\n")
            child.stdin.flush()
        while exceeded is None and (line := _next(said, child)) is not None:
            if line:
                listen(line)
            exceeded = watch.exceeded()
    except KeyboardInterrupt:
        until = time.monotonic() + PATIENCE
        while latest == "writing" and time.monotonic() < until and (line := _next(said, child)) is not None:
            listen(line)
        raise
    finally:
        code = _end(child, watch)
        with suppress(BrokenPipeError):
            child.stdin.close()
        reader.join(timeout=1.0)
        child.stdout.close()
    if exceeded is not None:
        return Ending(*exceeded, watch.peak)
    if "finished" in told and code == 0:
        return Ending("ok", "", watch.peak)
    if "failed" in told:
        return Ending(told["failed"]["status"], told["failed"]["message"], watch.peak)
    short_of_memory = code == -signal.SIGKILL and _system_kills() > killed_before
    status = "memory" if short_of_memory else "killed" if code < 0 else "failed"
    because = "the process was killed by the system, which ran out of memory" if short_of_memory else _how(code)
    return Ending(status, f"{because}: {last_words(log, printed_before)}", watch.peak)


@contextmanager
def _uninterrupted() -> Iterator[list[int]]:
    # Ctrl-C is noted instead of raised: a process that is started half cannot be ended.
    noted: list[int] = []
    if threading.current_thread() is not threading.main_thread():  # which Ctrl-C does not reach
        yield noted
        return
    before = signal.signal(signal.SIGINT, lambda number, frame: noted.append(number))
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before)


def _pump(pipe: IO[bytes], said: "queue.SimpleQueue[bytes]") -> None:
    with suppress(ValueError):  # closed while a stray grandchild still held the other end
        for line in pipe:
            said.put(line)


def _next(said: "queue.SimpleQueue[bytes]", child: "subprocess.Popen[bytes]") -> bytes | None:
    # A line; nothing after a pause; None when there will be no more.
    over = child.poll() is not None  # asked first: what it said before it ended is in the pipe
    try:
        return said.get(timeout=PAUSE)
    except queue.Empty:
        return None if over else b""


def _end(child: "subprocess.Popen[bytes]", watch: _Watch) -> int:
    # Whoever leads a session of its own is in the family; whose parent has died is in the group.
    if child.poll() is None:
        watch.look(search=True)
    for process in watch.family:
        with suppress(psutil.Error):
            if process.pid != child.pid or child.poll() is None:
                process.kill()
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    return child.wait()


def _how(code: int) -> str:
    if code >= 0:
        return f"the process ended with code {code}, before its work did"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"the process was killed by {name} ({signal.strsignal(-code)})"


def _system_kills() -> int:
    # Processes that Linux killed for want of memory since it started; 0 where it does not tell.
    with suppress(OSError):
        for line in Path("/proc/vmstat").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0


def last_words(log: Path, since: int = 0) -> str:
    """Return the last lines of a log, from a byte on, as one; of a fault that Python reports, its first."""
    with log.open("rb") as stream:
        stream.seek(max(since, log.stat().st_size - _TAIL))
        lines = [line.strip() for line in stream.read().decode("utf-8", "replace").splitlines() if line.strip()]
    fault = next((place for place, line in enumerate(lines) if line.startswith("Fatal Python error")), None)
    told = lines[-_LINES:] if fault is None else lines[fault : fault + _LINES]
    return " | ".join(line[:_LONGEST] for line in told) or "nothing printed"
