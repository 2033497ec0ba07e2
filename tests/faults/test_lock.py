"""Two runners never write to one folder, and a lock that nobody holds stops nobody."""

import json
import os
import platform
import signal
import subprocess
import sys

import psutil
import pytest
from ivfbench.runner.errors import RunError
from ivfbench.runner.lock import LOCK, locked, refuse_if_held


class TestTwoRunners:
    def test_the_second_refuses_at_once_or_waits(self, lab, wait_for, all_gone):
        lab = lab("name: a, fault: hang, points: 3, place: 1")
        first = lab.start("--mode", "batch")
        wait_for(lambda: "point a batch 1" in lab.diary)
        before = lab.diary
        second = lab.run("--mode", "batch")
        assert second.returncode == 2
        said = f"process {first.pid} on {platform.node()} writes to it, expected no other runner (--wait waits for it)"
        assert second.stderr == f"ivfbench: {lab.out}: {said}\n"
        dry = lab.run("--mode", "batch", "--dry-run")  # which only reads
        assert "1 to build, 2 sweep points" in dry.stdout

        third = lab.start("--mode", "batch", "--wait", FAULTS_OFF="1")
        wait_for(lambda: f"waiting for process {first.pid} on {platform.node()}" in lab.log)
        assert lab.diary == before
        os.kill(first.pid, signal.SIGKILL)  # which leaves its lock behind
        first.wait()
        assert third.wait(60) == 0, lab.log
        assert lab.diary[len(before) :] == ["build a", "point a batch 1", "point a batch 2"]
        assert not (lab.out / LOCK).exists()
        assert all_gone(lab.processes)


@pytest.fixture
def dead():
    """The number of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


class TestStaleLocks:
    """What lies there when nobody holds the file itself, as on a file system without locks."""

    def taken(self, out, **record):
        out.mkdir(exist_ok=True)
        here = {"host": platform.node(), "pid": os.getpid(), "started": psutil.Process().create_time()}
        (out / LOCK).write_text(json.dumps({**here, **record}))
        refuse_if_held(out)
        with locked(out):
            assert json.loads((out / LOCK).read_text()) == here
        assert not (out / LOCK).exists()

    def test_of_a_dead_process(self, tmp_path, dead):
        self.taken(tmp_path / "out", pid=dead)

    def test_of_a_process_whose_number_is_used_again(self, tmp_path):
        parent = os.getppid()
        self.taken(tmp_path / "out", pid=parent, started=psutil.Process(parent).create_time() - 60)

    @pytest.mark.parametrize("text", ["", "{", '{"pid": "one"}', "[1]"])
    def test_written_by_half(self, tmp_path, text):
        (tmp_path / LOCK).write_text(text)
        with locked(tmp_path):
            pass

    def test_a_living_process_is_believed(self, tmp_path):
        parent = os.getppid()
        with pytest.raises(RunError, match=f"process {parent} on .* writes to it"):
            self.taken(tmp_path, pid=parent, started=psutil.Process(parent).create_time())

    def test_another_machine_cannot_be_asked(self, tmp_path):
        with pytest.raises(RunError, match=r"process 7 on elsewhere \(if it is gone, remove .*\.lock\) writes to it"):
            self.taken(tmp_path, host="elsewhere", pid=7)
        assert (tmp_path / LOCK).exists()

    def test_one_process_takes_it_once(self, tmp_path):
        with locked(tmp_path), pytest.raises(RunError, match=f"process {os.getpid()} on"), locked(tmp_path):
            pass
        with locked(tmp_path):
            pass
