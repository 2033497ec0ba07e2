"""`kill -9` at any moment, and then the same command: the same table, and nothing was done twice."""

import os
import signal
import time
from collections import Counter

import numpy as np
import psutil
import pytest
from ivfbench.results.store import load_runs
from ivfbench.results.table import table

ALGORITHMS = ("name: a, points: 4, pause: 0.02", "name: b, points: 4, pause: 0.02")
SETTINGS = 2 * 2 * 4  # of two algorithms in two modes
KILLS = 5  # for each of CHAINS, before a run is left in peace
CHAINS = 4
SAME = ["dataset", "algorithm", "query_parameters", "mode", "status", "recall", "lists_probed", "points_scanned"]


@pytest.fixture(scope="module")
def undisturbed(shared_lab):
    """A run that nobody disturbed."""
    lab = shared_lab("undisturbed", *ALGORITHMS)
    done = lab.run_once()
    assert done.returncode == 0, done.stderr
    assert len(lab.diary) == 2 + SETTINGS
    return lab


def assert_as_undisturbed(lab, undisturbed, answers):
    assert answers(lab.runs()) == answers(undisturbed.runs())
    assert table(load_runs(lab.out))[SAME].equals(table(load_runs(undisturbed.out))[SAME])
    left = [path for path in lab.out.rglob("*") if path.suffix in (".unfinished", ".part") or path.name == ".lock"]
    assert left == []


class TestKills:
    @pytest.mark.parametrize("chain", range(CHAINS))
    def test_the_runner_at_random_moments(self, lab, undisturbed, answers, all_gone, wait_for, chain):
        rng = np.random.default_rng([20, chain])
        lab, interrupted = lab(*ALGORITHMS), set()
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
        assert_as_undisturbed(lab, undisturbed, answers)
        counts = Counter(line for line in lab.diary if line.startswith("point"))
        assert len(counts) == SETTINGS
        assert {line for line, count in counts.items() if count > 1} <= interrupted
        builds = Counter(line for line in lab.diary if line.startswith("build"))
        assert sum(builds.values()) <= 2 + KILLS

    def test_the_worker_at_a_random_moment(self, lab, undisturbed, answers, wait_for):
        lab, rng = lab(*ALGORITHMS), np.random.default_rng(21)
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
        assert_as_undisturbed(lab, undisturbed, answers)


class TestWhatIsThere:
    def test_nothing_is_built_where_all_points_are_there(self, lab, undisturbed, answers):
        """Killed between the last point and the one file: here an old sweep is put beside no file at all."""
        lab = lab(*ALGORITHMS)
        assert lab.run().returncode == 0
        before = lab.diary
        for path in lab.out.rglob("*.hdf5"):
            unfold(path)
        assert answers(lab.runs()) == answers(undisturbed.runs())  # readers see unfinished sweeps
        done = lab.run()
        assert "0 to build and sweep, 2 finished before" in done.stderr
        assert lab.diary == before
        assert_as_undisturbed(lab, undisturbed, answers)

    def test_a_point_that_is_damaged_is_measured_again(self, lab, undisturbed, answers):
        lab = lab(*ALGORITHMS)
        assert lab.run().returncode == 0
        before = len(lab.diary)
        (path,) = [path for path in lab.out.rglob("*.hdf5") if "name-a" in path.name or "Faulty-" in path.name][:1]
        part = sorted(unfold(path).glob("[0-9]*.part"))[2]
        part.write_bytes(part.read_bytes()[:-100])
        assert lab.run().returncode == 0
        assert [line.split()[0] for line in lab.diary[before:]] == ["build", "point"]
        assert_as_undisturbed(lab, undisturbed, answers)


def unfold(path):
    """The unfinished sweep that a run file was made of, instead of the file."""
    import dataclasses

    from ivfbench.results.store import begin, load_run
    from ivfbench.results.unfinished import add_point, sweep_folder

    run = load_run(path)
    build = dataclasses.replace(run, points=())
    path.unlink()
    begin(path.parents[2], build)
    for place, point in enumerate(run.points):
        add_point(path, build, place, point)
    return sweep_folder(path)


class TestWhatIsAsked:
    """--force, --resume, --only-failed and --dry-run."""

    @pytest.fixture
    def half(self, lab):
        """One algorithm that fails in one point, one whose build fails, and one that was never begun."""
        lab = lab("name: a, fault: error, place: 1, points: 3", "name: b, fault: error, place: -1, points: 3")
        assert lab.run("--mode", "batch").returncode == 1
        lab.algorithms.append("name: c, points: 3")
        lab.write()
        return lab

    def test_dry_run_builds_nothing(self, half):
        before = {path: path.read_bytes() for path in half.out.rglob("*") if path.is_file()}
        diary = half.diary
        done = half.run("--mode", "batch", "--dry-run")
        assert done.returncode == 0, done.stderr
        first, second, third, total = done.stdout.splitlines()
        assert first.startswith("Faulty(fault='error', place=1, points=3) on tiny, k=10, seed 0: ")
        assert "build, 1 sweep points: about 1 s" in first
        assert second.endswith("build, 3 sweep points: no earlier run of it")
        assert third.startswith("Faulty(name='c', points=3)")
        assert total == ("3 to build, 7 sweep points, 0 finished before; about 1 s and 2 that no earlier run tells of")
        assert half.diary == diary
        assert {path: path.read_bytes() for path in half.out.rglob("*") if path.is_file()} == before

    def test_only_failed(self, half):
        before = len(half.diary)
        done = half.run("--mode", "batch", "--only-failed", FAULTS_OFF="1")
        assert done.returncode == 0, done.stderr
        again = [f"point b batch {place}" for place in range(3)]
        assert half.diary[before:] == ["build a", "point a batch 1", "build b", *again]
        runs = half.runs()
        assert sorted(runs) == ["a", "b"]
        assert {point.status for run in runs.values() for point in run.points} == {"ok"}
        done = half.run("--mode", "batch", "--only-failed", FAULTS_OFF="1")
        assert "0 to build and sweep" in done.stderr

    def test_resume_is_the_default_and_force_does_all_again(self, half):
        before = len(half.diary)
        assert half.run("--mode", "batch", "--resume", FAULTS_OFF="1").returncode == 0
        assert len(half.diary) - before == (1 + 1) + (1 + 3) + (1 + 3)
        before = len(half.diary)
        assert half.run("--mode", "batch", FAULTS_OFF="1").returncode == 0
        assert len(half.diary) == before
        assert half.run("--mode", "batch", "--force", FAULTS_OFF="1").returncode == 0
        assert len(half.diary) - before == 3 * (1 + 3)
        assert all("builds" not in run.notes for run in half.runs().values())  # all points are of the last one
