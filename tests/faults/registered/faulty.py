"""An algorithm that fails as it is told to, and is registered where `sitecustomize` imports this file.

It exists in the processes of these tests alone. What it does it writes into a diary, one line for each build and each
sweep point: the tests read there that nothing was done twice.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from ivfbench.algorithms.found import Found
from ivfbench.algorithms.index import Built
from ivfbench.algorithms.registry import ALGORITHMS, MEMBERS
from ivfbench.algorithms.value import Value

TINY = 512  # rows of the warm-up


def write(line):
    descriptor = os.open(os.environ["FAULTS_DIARY"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{os.getpid()} {line}\n".encode())
    os.close(descriptor)


def leak():
    held = []
    while sum(map(len, held)) < 6e9:
        held.append(b"x" * 50_000_000)
        time.sleep(0.02)


def leave_children():
    """One child in our group and one in a session of its own, and then an interpreter that listens to nobody."""
    for apart in (False, True):
        child = subprocess.Popen(["sleep", "1000"], start_new_session=apart)
        write(f"child {child.pid}")
    hang()


def hang():
    while True:
        with suppress(BaseException):
            ctypes.PyDLL(None).sleep(1000)  # which keeps the interpreter's lock: no other thread gets its turn


def ask_too_much():
    np.ones(1 << 58)


def refuse():
    raise RuntimeError("no such\nluck")


def say_and_exit():
    print("I go", file=sys.stderr)
    os._exit(3)


FAULTS = {
    "segfault": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "illegal": lambda: signal.raise_signal(signal.SIGILL),
    "exit": say_and_exit,
    "hang": hang,
    "leak": leak,
    "children": leave_children,
    "memory": ask_too_much,
    "error": refuse,
}


@dataclass(frozen=True, slots=True, repr=False)
class Faulty(Value):
    """Exact search among the first rows: a share of them at each point. `place` -1 is the build."""

    name: str = "a"
    fault: str = ""
    place: int = 2
    points: int = 4
    pause: float = 0.0
    seed: int = 0

    learns = False

    def resolve(self, metric, count):
        return self

    def query_grid(self):
        return tuple({"place": place} for place in range(self.points))

    def build(self, train, metric, training=None, *, threads=1, progress=None):
        index = Index(self, train)
        if len(train) > TINY:
            write(f"build {self.name}")
            self.fail_at(-1)
        return index

    def fail_at(self, place):
        if place == self.place and self.fault in FAULTS and "FAULTS_OFF" not in os.environ:
            FAULTS[self.fault]()


class Index:
    router_nbytes = 0

    def __init__(self, asked, train):
        self.asked, self.train, self.latest = asked, train, None
        self.built, self.nbytes = Built(0.1), train.nbytes

    def search(self, queries, k=10, *, threads=1, place):
        now = ("single" if len(queries) == 1 else "batch", place)
        if len(self.train) > TINY and now != self.latest:
            self.latest = now
            write(f"point {self.asked.name} {now[0]} {place}")
            time.sleep(self.asked.pause)
            self.asked.fail_at(place)
        rows = self.train[: len(self.train) * (place + 1) // self.asked.points]
        squares = ((queries[:, None] - rows[None]) ** 2).sum(axis=2)
        ids = np.argsort(squares, axis=1, kind="stable")[:, :k].astype(np.int32)
        if self.asked.fault == "shape" and place == self.asked.place:
            ids = ids[:, :-1]
        counts = np.full(len(queries), len(rows), dtype=np.int64)
        return Found(ids, np.take_along_axis(squares, ids, 1).astype(np.float32), counts // len(rows), counts)


ALGORITHMS["Faulty"] = MEMBERS["Faulty"] = Faulty

if "FAULTS_SLOW_DISK" in os.environ:
    sync = os.fsync
    os.fsync = lambda descriptor: (time.sleep(float(os.environ["FAULTS_SLOW_DISK"])), sync(descriptor))
