"""Ctrl-C, a runner that is ended, and a disk that is full: nothing that was written is lost, and nothing stays."""

import os
import resource
import shutil
import signal
import subprocess

import pytest
from ivfbench.results.store import load_runs

ALGORITHMS = ("name: a, points: 4", "name: b, points: 4")
STOPPED = "ivfbench: stopped; what was finished is kept, the same command goes on from there"


class TestInterrupt:
    def test_ctrl_c_stops_all_and_says_what_is_left(self, lab, wait_for, all_gone):
        lab = lab("name: a, fault: children, points: 3, place: 1", "name: b, points: 3")
        process = lab.start("--mode", "batch")
        wait_for(lambda: len(lab.processes) == 3)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(30) == 130
        assert lab.log.splitlines()[-2:] == [
            "left: 2 to build and sweep, the first with 1 of its 3 points done",
            STOPPED,
        ]
        assert "Traceback" not in lab.log
        assert all_gone(lab.processes)
        assert [len(run.points) for run in lab.runs().values()] == [1]
        assert [path for path in lab.out.rglob("*") if path.suffix == ".unfinished" or path.name == ".lock"] == []
        before = len(lab.diary)
        assert lab.run("--mode", "batch", FAULTS_OFF="1").returncode == 0
        again = ["build a", "point a batch 1", "point a batch 2"]
        assert lab.diary[before:] == [*again, "build b", *(f"point b batch {place}" for place in range(3))]

    def test_it_finishes_writing(self, lab, wait_for):
        """On a slow disk, Ctrl-C while a point is being written: the point is kept."""
        lab = lab("name: a, points: 3")
        process = lab.start("--mode", "batch", FAULTS_SLOW_DISK="0.3")
        wait_for(lambda: any(lab.out.glob("*/*/*.unfinished/.0001-*.part")))
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(30) == 130
        assert "the first with 2 of its 3 points done" in lab.log
        before = len(lab.diary)
        assert lab.run("--mode", "batch").returncode == 0
        assert lab.diary[before:] == ["build a", "point a batch 2"]

    def test_ended_by_the_system_it_leaves_no_process(self, lab, wait_for, all_gone):
        lab = lab("name: a, fault: children, points: 3, place: 1")
        process = lab.start("--mode", "batch")
        wait_for(lambda: len(lab.processes) == 3)
        process.terminate()
        assert process.wait(30) != 0
        _, apart = (int(line.split()[-1]) for line in lab.diary if line.startswith("child"))
        os.kill(apart, signal.SIGKILL)  # it left the group, and nobody was left who knew of it
        assert all_gone(lab.processes)


@pytest.fixture(scope="module")
def whole(shared_lab):
    """A run that had room."""
    lab = shared_lab("whole", *ALGORITHMS)
    assert lab.run_once("--mode", "batch").returncode == 0
    return lab


class TestFullDisk:
    def assert_goes_on(self, lab, whole, answers):
        """With room again, the same command does what is left and comes to the same answers."""
        done = lab.run("--mode", "batch")
        assert done.returncode == 0, done.stderr
        assert answers(lab.runs()) == answers(whole.runs())
        points = [line for line in lab.diary if line.startswith("point")]
        assert len(set(points)) == 8
        assert len(points) <= 9  # the one that could not be written twice at most

    @pytest.mark.parametrize("share", [0.1, 0.9])
    def test_a_file_that_may_not_grow(self, lab, whole, answers, share):
        """Of a tenth of a result not even the build can be written, of nine tenths every point but not the one file."""
        lab = lab(*ALGORITHMS)
        longest = max(path.stat().st_size for path in whole.out.rglob("*.hdf5"))

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(share * longest), int(share * longest)))

        done = lab.run("--mode", "batch", preexec=limit)
        assert_says_so(done, "File too large")
        measured = [line for line in lab.diary if line.startswith("point")]
        if share > 0.5:
            assert [len(run.points) for run in load_runs(lab.out)] == [4]
            self.assert_goes_on(lab, whole, answers)
            assert lab.diary.count("build a") == 1  # all of its points were there
        else:
            assert measured == []
            self.assert_goes_on(lab, whole, answers)

    def test_no_space_left(self, lab, whole, answers):
        lab = lab(*ALGORITHMS)
        lab.out.mkdir()
        size = sum(path.stat().st_size for path in whole.out.rglob("*") if path.is_file())
        if shutil.which("mount") is None or not mounted(lab.out, f"size={size // 4096 * 3 // 4 * 4096}"):
            pytest.skip("may not mount a small disk here; RLIMIT_FSIZE stands for it above")
        try:
            done = lab.run("--mode", "batch")
            assert_says_so(done, "No space left on device")
            kept = answers(lab.runs())
            assert kept
            assert kept.items() <= answers(whole.runs()).items()
            assert_says_so(lab.run("--mode", "batch"), "No space left on device")  # again, and nothing is damaged
            assert kept.items() <= answers(lab.runs()).items()
            subprocess.run(["mount", "-o", "remount,size=64m", lab.out], check=True)
            self.assert_goes_on(lab, whole, answers)
        finally:
            subprocess.run(["umount", "--lazy", lab.out], check=True)


def mounted(folder, options):
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder]
    return subprocess.run(command, capture_output=True).returncode == 0


def assert_says_so(done, reason):
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ivfbench: "), done.stderr
    assert f"cannot be written: {reason}; what was finished is kept, the same command goes on from there" in last
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
