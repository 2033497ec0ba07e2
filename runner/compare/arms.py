"""Processes that take turns: started fresh, told what to do, never running at the same time while a clock runs."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ..errors import RunError
from ..threads import THREAD_VARIABLES

WORKER = Path(__file__).with_name("worker.py")


@dataclass(frozen=True)
class Side:
    """Where one side's code is.

    Attributes
    ----------
    name : str
        In words: a revision, or a folder.
    python : str
        Interpreter.
    path : str
        Put before its import path; empty for nothing.
    root : str
        Folder against which a module's path is read.
    commit : str
        Empty where it is not known.
    """

    name: str
    python: str
    path: str = ""
    root: str = ""
    commit: str = ""


class SideError(RunError):
    """A side could not do what it was told: its own fault, or a wrong question."""

    def __init__(self, side: Side, said: str) -> None:
        super().__init__(f"{side.name}: {said}")
        self.side = side


class Arm:
    """A process of one side. Use `opened`."""

    def __init__(self, side: Side, threads: int, log: IO[bytes]) -> None:
        self.side, self._log = side, log
        path = os.pathsep.join(part for part in (side.path, os.environ.get("PYTHONPATH", "")) if part)
        limits = dict.fromkeys(THREAD_VARIABLES, str(threads))
        self._process = subprocess.Popen(
            # -P: the worker's own folder is not a place to import from
            [side.python, "-P", str(WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env={**os.environ, **limits, "PYTHONPATH": path},
            text=True,
            encoding="utf-8",
        )

    def tell(self, do: str, **facts: Any) -> None:
        """Give an order and do not wait."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **facts}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # `hear` says why

    def hear(self) -> dict[str, Any]:
        """Wait for the answer.

        Raises
        ------
        SideError
            The order failed, or the process died: one line with the reason.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._log.seek(0)
            said = [text.strip() for text in self._log.read().decode("utf-8", "replace").splitlines() if text.strip()]
            raise SideError(self.side, f"its process ended: {said[-1] if said else 'nothing printed'}")
        told: dict[str, Any] = json.loads(line)
        if "failed" in told:
            raise SideError(self.side, told["failed"])
        return told

    def ask(self, do: str, **facts: Any) -> dict[str, Any]:
        """Give an order and wait for the answer."""
        self.tell(do, **facts)
        return self.hear()

    def end(self) -> None:
        """End the process, whatever it is doing."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        self._process.terminate()
        self._process.wait()


@contextmanager
def opened(sides: Sequence[tuple[Side, Mapping[str, Any]]], threads: int) -> Iterator[list[tuple[Arm, dict[str, Any]]]]:
    """Yield a fresh process for each side and its task, all open, with what each told of its index.

    They start at the same time: nothing is timed yet that is judged.
    """
    with ExitStack() as ending:
        arms = []
        for side, task in sides:
            arm = Arm(side, threads, ending.enter_context(tempfile.TemporaryFile()))
            ending.callback(arm.end)
            arm.tell("open", **task)
            arms.append(arm)
        yield [(arm, arm.hear()) for arm in arms]
