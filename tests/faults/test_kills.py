"""`kill -9` at any moment, and then the same command: the same table, and nothing was done twice."""

import os
import signal
import time
from collections import Counter

import numpy as np
import psutil
import pytest
from ivfbench.results.store import load_runs

SWEEP = 2 * 2 * 4  # points of two algorithms in two modes
KILLS = 5  # for each of CHAINS, before a run is left in peace
CHAINS = 4


@pytest.mark.parametrize("chain", range(CHAINS))
def test_the_runner_at_random_moments(pausing, assert_as_undisturbed, all_gone, wait_for, chain):
    rng = np.random.default_rng([20, chain])
    lab, interrupted = pausing, set()
    for _ in range(KILLS):
        until = len(lab.diary) + rng.integers(5)  # builds and points from here
        process = lab.start()
        wait_for(lambda process=process, until=until: len(lab.diary) >= until or process.poll() is not None)
        time.sleep(rng.uniform(0, 0.05))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert all_gone(lab.processes)  # the worker was not told, and died all the same
        interrupted.add(lab.diary[-1] if lab.diary else "")
        load_runs(lab.out) if lab.out.is_dir() else None  # readers take what is there at any moment
    assert lab.run().returncode == 0
    assert_as_undisturbed(lab)
    counts = Counter(line for line in lab.diary if line.startswith("point"))
    assert len(counts) == SWEEP
    assert {line for line, count in counts.items() if count > 1} <= interrupted
    builds = Counter(line for line in lab.diary if line.startswith("build"))
    assert sum(builds.values()) <= 2 + KILLS


def test_the_worker_at_a_random_moment(pausing, assert_as_undisturbed, wait_for):
    lab, rng = pausing, np.random.default_rng(21)
    process = lab.start()
    for until in (4, 9):
        wait_for(lambda until=until: len(lab.diary) >= until)
        time.sleep(rng.uniform(0, 0.05))
        for child in psutil.Process(process.pid).children():
            child.kill()
    assert process.wait(60) == 1
    lost = [point for run in lab.runs().values() for point in run.points if point.status != "ok"]
    assert {point.status for point in lost} == {"killed"}
    assert 1 <= len(lost) <= 2  # the other may have been written already
    before = len(lab.diary)
    assert lab.run().returncode == 0
    assert len([line for line in lab.diary[before:] if line.startswith("point")]) == len(lost)
    assert_as_undisturbed(lab)
