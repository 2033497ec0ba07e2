"""The same command once more: what is finished stays, what is damaged or failed is done again, as it is asked."""

import shutil

import pytest


@pytest.fixture
def finished(pausing, undisturbed):
    """A lab that holds all of the undisturbed run."""
    shutil.copytree(undisturbed.folder, pausing.folder, dirs_exist_ok=True)
    return pausing


class TestWhatIsThere:
    def test_nothing_is_built_where_all_points_are_there(self, finished, answers, undisturbed, assert_as_undisturbed):
        """Killed between the last point and the one file: here an old sweep is put beside no file at all."""
        lab = finished
        before = lab.diary
        for path in lab.out.rglob("*.hdf5"):
            unfold(path)
        assert answers(lab.runs()) == answers(undisturbed.runs())  # readers see unfinished sweeps
        done = lab.run()
        assert "0 to build and sweep, 2 finished before" in done.stderr
        assert lab.diary == before
        assert_as_undisturbed(lab)

    def test_a_point_that_is_damaged_is_measured_again(self, finished, assert_as_undisturbed):
        lab = finished
        before = len(lab.diary)
        (path,) = [path for path in lab.out.rglob("*.hdf5") if "name-a" in path.name or "Faulty-" in path.name][:1]
        part = sorted(unfold(path).glob("[0-9]*.part"))[2]
        part.write_bytes(part.read_bytes()[:-100])
        assert lab.run().returncode == 0
        assert [line.split()[0] for line in lab.diary[before:]] == ["build", "point"]
        assert_as_undisturbed(lab)


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
        assert "0 to build and sweep, 2 finished before" in done.stderr  # what was never begun is no part of it

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
